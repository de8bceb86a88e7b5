"""How well measured changes agree with themselves."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.typing import NDArray

from scviz.metrics.ceiling import (
    Inflation,
    Screened,
    best_reachable,
    half_means,
    mean_correlation,
    shared_control_inflation,
    split_half,
    spread,
)
from scviz.metrics.perturbation import pearson_rows

N_GENES = 200
CONTROL = 0


def screened(
    effect: float, *, n_controls: int, n_cells: int = 30, n_groups: int = 8, sparse: bool = False
) -> tuple[Screened, NDArray[np.float64]]:
    """Make cells of noise around changes of a given size; the first half of the groups is for training."""
    rng = np.random.default_rng(5)
    codes = np.repeat(np.arange(n_groups + 1), [n_controls, *[n_cells] * n_groups])
    deltas = effect * rng.normal(size=(n_groups + 1, N_GENES))
    deltas[CONTROL] = 0
    cells = 2 + deltas[codes] + rng.normal(size=(len(codes), N_GENES))
    asked = range(n_groups // 2 + 1, n_groups + 1)
    return (
        Screened(
            expression=sp.csr_matrix(cells) if sparse else cells,
            codes=codes,
            control=CONTROL,
            groups=list(asked),
            targets=[[] for _ in asked],
            others=np.empty((0, N_GENES)),
            other_targets=[],
        ),
        deltas,
    )


def test_pure_noise_has_a_ceiling_of_nothing() -> None:
    cells, _ = screened(0.0, n_controls=60)
    found = split_half(cells)
    assert abs(found.values["pearson_delta"].mean()) < 0.1
    assert abs(found.values["direction"].mean() - 0.5) < 0.1


def test_strong_changes_have_a_ceiling_near_one() -> None:
    cells, _ = screened(3.0, n_controls=60)
    found = split_half(cells)
    assert (found.values["pearson_delta"] > 0.95).all()
    assert (found.values["discrimination"] == 1).all()
    assert not found.missing.any()


def test_few_control_cells_do_not_make_noise_agree() -> None:
    cells, _ = screened(0.0, n_controls=10)
    assert abs(split_half(cells).values["pearson_delta"].mean()) < 0.12


def test_halves_have_no_score_over_genes_that_both_of_them_chose() -> None:
    cells, _ = screened(1.0, n_controls=60)
    found = split_half(cells)
    assert not {"pearson_delta_de", "mse_de", "direction_de"} & set(found.values)
    assert np.isnan(found.counted("pearson_delta_de")).all()


@pytest.mark.parametrize("n_controls", [30, 200])
@pytest.mark.parametrize("size", [0.15, 0.3, 1.0])
def test_the_ceiling_is_what_the_true_change_scores(size: float, n_controls: int) -> None:
    reached, promised = [], []
    for seed in range(25):
        rng = np.random.default_rng(seed)
        codes = np.repeat(np.arange(13), [n_controls, *[40] * 12])
        deltas = size * rng.gamma(1.0, size=(13, 1)) * rng.normal(size=(13, N_GENES))
        deltas[CONTROL] = 0
        cells = 2 + deltas[codes] + rng.normal(size=(len(codes), N_GENES))
        means = np.array([cells[codes == code].mean(axis=0) for code in range(13)])
        reached += pearson_rows(deltas[1:], means[1:] - means[CONTROL]).tolist()
        screen = Screened(
            expression=cells,
            codes=codes,
            control=CONTROL,
            groups=list(range(1, 13)),
            targets=[[]] * 12,
            others=np.empty((0, N_GENES)),
            other_targets=[],
        )
        promised += best_reachable(split_half(screen, seed=seed).values["pearson_delta"]).tolist()
    assert np.mean(promised) == pytest.approx(np.mean(reached), abs=0.03)
    assert np.mean(promised) < 1


def test_sparse_cells_have_the_same_ceiling() -> None:
    dense, sparse = (split_half(screened(0.5, n_controls=20, sparse=flag)[0]) for flag in (False, True))
    for key, values in dense.values.items():
        np.testing.assert_allclose(values, sparse.values[key], atol=1e-12, err_msg=key)


def test_the_seed_decides_the_halves() -> None:
    cells, _ = screened(0.5, n_controls=20)
    once, again, other = (split_half(cells, seed=seed).values["pearson_delta"] for seed in (0, 0, 1))
    assert np.array_equal(once, again)
    assert not np.array_equal(once, other)


def test_a_single_cell_has_no_halves() -> None:
    cells, _ = screened(1.0, n_controls=20, n_cells=1)
    found = split_half(cells)
    assert found.missing.all()
    assert all(np.isnan(values).all() for values in found.values.values())


def test_halves_share_no_cell_and_leave_none_out() -> None:
    cells = Screened(
        expression=np.eye(5),
        codes=np.array([0, 0, 1, 1, 1]),
        control=0,
        groups=[1],
        targets=[],
        others=np.empty((0, 5)),
        other_targets=[],
    )
    first, second = half_means(cells, [1, 0], np.random.default_rng(0))
    assert (first > 0).sum(axis=1).tolist() == [1, 1]
    assert (second > 0).sum(axis=1).tolist() == [2, 1]
    assert not ((first > 0) & (second > 0)).any()


@pytest.mark.parametrize(("n_controls", "least", "most"), [(10, 0.3, 1.0), (20_000, -0.02, 0.02)])
def test_sharing_few_controls_inflates_scores_of_pure_noise(
    n_controls: int, least: float, most: float
) -> None:
    cells, _ = screened(0.0, n_controls=n_controls)
    found = shared_control_inflation(cells, [1, 2, 3, 4])
    assert least < found.difference < most
    assert abs(found.independent) < 0.15
    assert found.n == 4
    assert f"{found.difference:+.3f}" in found.sentence


def test_without_two_controls_inflation_is_not_known() -> None:
    cells, _ = screened(0.0, n_controls=1)
    found = shared_control_inflation(cells, [1])
    assert found.n == 0
    assert np.isnan(found.difference)
    assert "too few control cells" in found.sentence


def test_training_perturbations_are_not_asked_for() -> None:
    cells, _ = screened(0.0, n_controls=10)
    with pytest.raises(ValueError, match=r"\[5\]"):
        shared_control_inflation(cells, [1, 5])


def test_a_clean_prediction_reaches_more_than_a_half() -> None:
    reliability = np.array([0.5])
    assert best_reachable(reliability) > reliability
    assert best_reachable(np.array([-0.2])).tolist() == [0.0]


def test_equal_predictions_are_warned_of() -> None:
    observed = np.random.default_rng(0).normal(size=(6, 50))
    found = spread(np.tile(observed.mean(axis=0), (6, 1)), observed)
    assert found.variance_ratio == pytest.approx(0.0, abs=1e-12)
    assert found.predicted_correlation == pytest.approx(1.0)
    assert found.warning.startswith("The predictions hardly differ between perturbations")


def test_predictions_as_varied_as_the_truth_are_not_warned_of() -> None:
    observed = np.random.default_rng(0).normal(size=(6, 50))
    predicted = observed.copy()
    predicted[2] = np.nan
    found = spread(predicted, observed)
    assert found.variance_ratio == pytest.approx(1.0)
    assert found.predicted_correlation == pytest.approx(found.observed_correlation)
    assert found.warning == ""


def test_no_change_at_all_is_warned_of() -> None:
    found = spread(np.zeros((3, 10)), np.random.default_rng(0).normal(size=(3, 10)))
    assert np.isnan(found.predicted_correlation)
    assert found.warning


def test_one_perturbation_has_no_spread() -> None:
    found = spread(np.ones((1, 10)), np.ones((1, 10)))
    assert np.isnan(found.variance_ratio)
    assert found.warning == ""


def test_mean_correlation_is_over_all_pairs() -> None:
    rows = np.random.default_rng(0).normal(size=(7, 20))
    every = np.corrcoef(rows)[np.triu_indices(7, 1)].mean()
    np.testing.assert_allclose(mean_correlation(rows), every)


def test_inflation_is_the_difference() -> None:
    assert Inflation(shared=0.5, independent=0.2, n=3).difference == pytest.approx(0.3)
