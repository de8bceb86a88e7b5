"""Scores of predicted expression changes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from scviz.metrics.perturbation import (
    Profiles,
    centroid_accuracy,
    discrimination,
    pearson_delta,
    pearson_rows,
    score,
)
from scviz.metrics.perturbation_table import EVERY, METRICS, SUBGROUPS, summarize, summary

N_GENES = 60
RNG = np.random.default_rng(0)
CONTROL = RNG.uniform(0.5, 2.0, N_GENES)
DELTAS = RNG.normal(0.0, 0.2, size=(4, N_GENES))
DELTAS[np.arange(4), np.arange(4)] = -3.0  # the perturbed gene itself
OTHERS = CONTROL + RNG.normal(0.0, 0.2, size=(5, N_GENES))


def profiles(predicted: NDArray[np.floating]) -> Profiles:
    observed = CONTROL + DELTAS
    return Profiles(
        predicted=predicted,
        observed=observed,
        control_predicted=CONTROL,
        control_observed=CONTROL,
        de_order=list(np.argsort(-np.abs(DELTAS), axis=1)),
        targets=[[row] for row in range(4)],
        others=OTHERS,
        other_targets=[[] for _ in OTHERS],
    )


def test_a_perfect_prediction_has_the_best_of_every_score() -> None:
    found = score(profiles(CONTROL + DELTAS))
    assert set(found.values) == set(METRICS)
    for key, metric in METRICS.items():
        best = metric.highest if metric.higher_is_better else metric.lowest
        np.testing.assert_allclose(found.values[key], best, atol=1e-12, err_msg=key)
    assert not found.constant.any()
    assert not found.missing.any()


def test_predicting_no_change_is_not_defined_and_counts_as_nothing() -> None:
    found = score(profiles(np.tile(CONTROL, (4, 1))))
    for key in ("pearson_delta", "pearson_delta_de", "overlap_de"):
        assert np.isnan(found.values[key]).all()
        assert summary(found.counted(key)).mean == 0
    assert found.constant.all()
    assert not found.missing.any()
    assert (found.values["direction_de"] == 0).all()
    np.testing.assert_allclose(found.values["mse"], (DELTAS**2).mean(axis=1))


def test_rounding_noise_is_no_change() -> None:
    noise = np.tile(CONTROL, (4, 1)) + RNG.normal(0, 1e-8, size=(4, N_GENES))
    found = score(profiles(noise))
    assert np.isnan(found.values["pearson_delta"]).all()
    assert found.constant.all()
    assert (found.values["direction"] == 0).all()


def test_a_method_that_predicts_nothing_is_left_out_of_means() -> None:
    predicted = CONTROL + DELTAS
    predicted[1] = np.nan
    found = score(profiles(predicted))
    assert found.missing.tolist() == [False, True, False, False]
    assert all(np.isnan(values[1]) for values in found.values.values())
    table = summarize(found, ["unseen_single"] * 4)
    assert table["pearson_delta"][EVERY].n == 3
    assert table["pearson_delta"][EVERY].mean == pytest.approx(1.0)


def test_the_perturbed_gene_can_be_left_out() -> None:
    only_target = np.tile(CONTROL, (4, 1))
    only_target[np.arange(4), np.arange(4)] -= 3.0
    with_it, without = (score(profiles(only_target), without_targets=flag) for flag in (False, True))
    assert (with_it.values["pearson_delta"] > 0.5).all()
    assert without.constant.all()
    assert not with_it.constant.any()
    assert np.isnan(without.values["pearson_delta"]).all()
    assert np.isnan(without.values["pearson_delta_de"]).all()
    np.testing.assert_allclose(without.values["mse"], (DELTAS[DELTAS > -3].reshape(4, -1) ** 2).mean(axis=1))


def test_scores_by_hand() -> None:
    case = Profiles(
        predicted=np.array([[2.0, 1.0, 1.0, 3.0]]),
        observed=np.array([[3.0, 0.0, 1.0, 2.0]]),
        control_predicted=np.ones(4),
        control_observed=np.ones(4),
        de_order=[np.array([0, 1])],
        targets=[[]],
        others=np.empty((0, 4)),
        other_targets=[],
    )
    values = {key: float(found[0]) for key, found in score(case).values.items()}
    # changes: 1 0 0 2 predicted, 2 -1 0 1 measured
    assert values["mse"] == pytest.approx((1 + 1 + 0 + 1) / 4)
    assert values["mse_de"] == pytest.approx(1.0)
    assert values["direction"] == 0.75
    assert values["direction_de"] == 0.5
    assert values["l2"] == pytest.approx(np.sqrt(3))
    assert values["pearson_delta"] == pytest.approx(np.corrcoef([1, 0, 0, 2], [2, -1, 0, 1])[0, 1])
    assert values["pearson_delta_de"] == pytest.approx(1.0)
    assert np.isnan(values["discrimination"])
    assert np.isnan(values["centroid_accuracy"])


def test_each_side_may_have_its_own_control() -> None:
    shifted = dataclasses.replace(profiles(CONTROL + DELTAS + 5), control_predicted=CONTROL + 5)
    np.testing.assert_allclose(score(shifted).values["pearson_delta"], 1.0)


def test_correlation_beyond_the_common_shift_is_not_won_by_the_mean() -> None:
    mean = np.tile(OTHERS.mean(axis=0), (4, 1))
    common = RNG.normal(0, 1.0, N_GENES)
    shifted = dataclasses.replace(
        profiles(mean + common), observed=CONTROL + DELTAS + common, others=OTHERS + common
    )
    found = score(shifted, without_targets=True).values
    assert (found["pearson_delta"] > 0.8).all()
    assert (np.abs(found["pearson_delta_centroid"]) < 0.5).all()


def test_equal_predictions_are_not_told_apart() -> None:
    same = np.tile(CONTROL + DELTAS.mean(axis=0), (4, 1))
    found = score(profiles(same)).values
    np.testing.assert_allclose(sorted(found["discrimination"]), [0, 1 / 3, 2 / 3, 1])


@pytest.mark.parametrize("n", [2, 5, 30])
def test_telling_nothing_apart_scores_a_half(n: int) -> None:
    changes = RNG.normal(size=(n, 8))
    same = np.tile(RNG.normal(size=8), (n, 1))
    found, published = (discrimination(same, changes, [[]] * n, published=flag) for flag in (False, True))
    assert found.mean() == pytest.approx(0.5)
    assert published.mean() == pytest.approx((n + 1) / (2 * n))


def test_among_others_telling_nothing_apart_scores_less_than_a_half_where_the_tested_lie_farther_out() -> (
    None
):
    changes = np.concatenate([5 * RNG.normal(size=(8, 30)), RNG.normal(size=(20, 30))])
    nothing = np.zeros((8, 30))
    for metric, found in (
        ("discrimination_screen", discrimination(nothing, changes, [[]] * 8)),
        ("centroid_accuracy", centroid_accuracy(nothing, changes)),
    ):
        assert found.mean() == pytest.approx(
            7 / 2 / 27
        )  # half of the other tested ones, and none of the rest
        assert METRICS[metric].ranks
        assert "Chance is 0.5" not in METRICS[metric].how
        assert "does not score 0.5" in METRICS[metric].how


@pytest.mark.parametrize("distance", ["cityblock", "euclidean", "cosine"])
def test_swapped_predictions_are_told_apart_wrongly(distance: str) -> None:
    targets = [[row] for row in range(4)]
    assert (discrimination(DELTAS, DELTAS, targets, distance=distance) == 1).all()
    swapped = DELTAS[[1, 0, 3, 2]]
    assert (discrimination(swapped, DELTAS, [[]] * 4, distance=distance) < 1).all()


@pytest.mark.parametrize("distance", ["cityblock", "euclidean", "cosine"])
def test_perturbations_without_a_measured_mean_are_none_to_be_told_apart_from(distance: str) -> None:
    changes = np.vstack([DELTAS, np.full(N_GENES, np.nan)])
    guess = np.vstack([DELTAS[[1, 0, 2, 3]], np.zeros(N_GENES)])
    found = discrimination(guess, changes, [[]] * 5, distance=distance)
    np.testing.assert_allclose(found[:4], discrimination(guess[:4], DELTAS, [[]] * 4, distance=distance))
    near = centroid_accuracy(guess, changes)
    np.testing.assert_allclose(near[:4], centroid_accuracy(guess[:4], DELTAS))
    assert np.isnan([found[4], near[4]]).all()


def test_knowing_the_perturbed_gene_alone_tells_nothing_apart() -> None:
    only_target = CONTROL + np.where(DELTAS == -3.0, -3.0, 0.0)
    found = score(profiles(only_target)).values
    np.testing.assert_allclose(sorted(found["discrimination"]), [0, 1 / 3, 2 / 3, 1])
    assert (discrimination(only_target - CONTROL, DELTAS, [[]] * 4) == 1).all()


def test_leaving_out_one_target_alone_favours_no_change() -> None:
    assert (discrimination(0 * DELTAS, DELTAS, [[row] for row in range(4)]) == 1).all()


def test_nearness_counts_the_whole_screen() -> None:
    screen = np.array([[0.0, 0.0], [1.0, 0.0], [5.0, 0.0]])
    assert centroid_accuracy(np.array([[0.9, 0.0]]), screen).tolist() == [0.5]
    assert np.isnan(centroid_accuracy(screen[:1], screen[:1])).all()


def test_correlations_are_those_of_numpy() -> None:
    x, y = RNG.normal(size=(2, 5, 30))
    np.testing.assert_allclose(
        pearson_rows(x, y), [np.corrcoef(a, b)[0, 1] for a, b in zip(x, y, strict=True)]
    )
    np.testing.assert_allclose(pearson_delta(x + 3, y + 3, np.full(30, 3.0)), pearson_rows(x, y))


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="Predicted"):
        profiles(CONTROL[None])
    with pytest.raises(ValueError, match="0 targets for 5 others"):
        dataclasses.replace(profiles(CONTROL + DELTAS), other_targets=[])
    with pytest.raises(ValueError, match="3 subgroups for 4"):
        summarize(score(profiles(CONTROL + DELTAS)), ["unseen_single"] * 3)


def test_a_subgroup_without_perturbations_says_so() -> None:
    names = ["combo_seen0", "combo_seen0", "unseen_single", "other"]
    table = summarize(score(profiles(CONTROL + DELTAS)), names)["pearson_delta"]
    assert {name: found.n for name, found in table.items()} == {
        EVERY: 4,
        "combo_seen0": 2,
        "combo_seen1": 0,
        "combo_seen2": 0,
        "unseen_single": 1,
        "other": 1,
    }
    assert set(SUBGROUPS) < set(table)
    assert all(np.isnan(value) for value in dataclasses.astuple(table["combo_seen1"])[:-1])
    assert np.isnan(table["unseen_single"].low)


def test_the_interval_holds_the_mean_and_shrinks_with_more_perturbations() -> None:
    few, many = (summary(np.random.default_rng(1).uniform(size=n)) for n in (10, 1000))
    for found in (few, many):
        assert found.low < found.mean < found.high
    assert many.high - many.low < (few.high - few.low) / 5


def test_every_metric_says_how_it_is_computed() -> None:
    assert sum(metric.headline for metric in METRICS.values()) == 2
    for metric in METRICS.values():
        assert metric.how.endswith(".")
        assert metric.lowest < metric.highest
