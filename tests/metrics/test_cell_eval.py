"""Scores of cell-eval, and of GEARS and scGPT, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from scviz.metrics.cell_eval import Side, cell_eval_scores, energy_distance
from tests.goldens.perturbation_published import (
    PredictedCells,
    basic_scores,
    deeper_scores,
    group_cells,
    most_variable,
    non_zero_scores,
    scgpt_scores,
)

N_GENES = 40
GENES = [f"G{i}" for i in range(N_GENES)]


def cells(seed: int, changed: slice | None = None) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    values = rng.gamma(2.0, 0.4, size=(60, N_GENES))
    if changed is not None:
        values[:, changed] += 1.5
    return values


CONTROL = cells(0)
TRUTH = Side(
    control=CONTROL, cells={"G1": cells(1, slice(0, 6)), "G7": cells(2, slice(6, 14)), "none": cells(3)}
)


def test_the_truth_predicts_itself() -> None:
    found = cell_eval_scores(TRUTH, TRUTH, GENES)
    for name in (
        "overlap_at_N",
        "precision_at_50",
        "de_direction_match",
        "de_sig_genes_recall",
        "pr_auc",
        "roc_auc",
    ):
        np.testing.assert_allclose(found[name][:2], 1.0, err_msg=name)
    np.testing.assert_allclose(found["pearson_delta"], 1.0)
    assert found["mse"].tolist() == found["mae_delta"].tolist() == [0.0] * 3
    np.testing.assert_allclose(found["pearson_edistance"], 1.0)
    assert found["de_spearman_sig"][0] == pytest.approx(1.0)
    assert found["de_nsig_counts_real"].tolist()[2] == 0
    assert found["de_nsig_counts_real"][0] >= 6


def test_without_significant_genes_there_is_nothing_to_find() -> None:
    found = {name: values[2] for name, values in cell_eval_scores(TRUTH, TRUTH, GENES).items()}
    assert found["overlap_at_N"] == found["precision_at_N"] == 0.0
    for name in ("de_direction_match", "de_spearman_lfc_sig", "de_sig_genes_recall", "pr_auc", "roc_auc"):
        assert np.isnan(found[name]), name


def test_swapped_perturbations_are_told_apart_wrongly() -> None:
    swapped = Side(
        control=CONTROL, cells={"G1": TRUTH.cells["G7"], "G7": TRUTH.cells["G1"], "none": TRUTH.cells["none"]}
    )
    found = cell_eval_scores(swapped, TRUTH, GENES)
    assert (found["discrimination_score_l1"][:2] < 1).all()
    assert (found["overlap_at_N"][:2] < 0.5).all()


def test_expression_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="Cells of A go down to -1"):
        Side(control=CONTROL, cells={"A": np.full((2, N_GENES), -1.0)})


def test_both_sides_have_the_same_perturbations() -> None:
    with pytest.raises(ValueError, match="same perturbations"):
        cell_eval_scores(Side(control=CONTROL, cells={"A": CONTROL}), TRUTH, GENES)


def test_energy_distance_is_nothing_between_the_same_cells() -> None:
    assert energy_distance(CONTROL, CONTROL) == pytest.approx(0.0, abs=1e-12)
    assert energy_distance(TRUTH.cells["G7"], CONTROL) > 1


def test_gears_counts_what_is_not_defined_as_nothing() -> None:
    control = CONTROL.mean(axis=0)
    one = PredictedCells(predicted=control[None], observed=TRUTH.cells["G1"])
    found = deeper_scores(one, control, np.arange(N_GENES), np.arange(N_GENES))
    assert found["pearson_delta"] == found["pearson_delta_top20_de"] == 0.0
    assert found["frac_correct_direction_all"] == 0.0


def test_gears_divides_by_how_many_genes_it_wanted() -> None:
    one = PredictedCells(predicted=TRUTH.cells["G1"], observed=TRUTH.cells["G1"])
    found = deeper_scores(one, CONTROL.mean(axis=0), np.arange(N_GENES), np.arange(N_GENES))
    assert found["frac_correct_direction_20"] == 1.0
    assert found["frac_correct_direction_50"] == N_GENES / 50
    assert found["frac_correct_direction_200"] == N_GENES / 200
    assert found["frac_in_range"] == 1.0
    assert found["fold_change_gap_all"] == found["mean_sigma"] == 0.0


def test_genes_that_no_cell_expresses_have_no_range() -> None:
    one = PredictedCells(predicted=np.ones((3, 25)), observed=np.zeros((3, 25)))
    assert not any("range" in name for name in non_zero_scores(one, np.ones(25), np.arange(20)))


def test_scgpt_lets_one_constant_prediction_spoil_the_mean() -> None:
    predicted = np.concatenate([np.full((60, N_GENES), 0.5), TRUTH.cells["G7"]])
    observed = np.concatenate([TRUTH.cells["G1"], TRUTH.cells["G7"]])
    grouped = group_cells(predicted, observed, np.repeat(["A", "B"], 60))
    found = scgpt_scores(grouped, CONTROL.mean(axis=0), {"A": np.arange(20), "B": np.arange(20)})
    assert np.isnan(found["pearson"][0])
    assert found["pearson"][1] == pytest.approx(1.0)
    assert np.isnan(np.mean(found["pearson"]))


def test_scgpt_leaves_out_conditions_that_express_nothing() -> None:
    grouped = {"A": PredictedCells(predicted=CONTROL, observed=0 * CONTROL)}
    found = scgpt_scores(grouped, CONTROL.mean(axis=0), {"A": np.arange(20)})
    assert all(not values for values in found.values())


def test_scores_of_expression_itself_by_hand() -> None:
    one = PredictedCells(
        predicted=np.array([[1.0, 2.0, 3.0]]), observed=np.array([[1.0, 2.0, 5.0], [1.0, 2.0, 5.0]])
    )
    found = basic_scores(one, np.array([1, 2]))
    assert found["mse"] == pytest.approx(4 / 3)
    assert found["mse_de"] == pytest.approx(2.0)
    assert found["pearson_de"] == pytest.approx(1.0)


def test_the_most_variable_genes_are_those_whose_mean_differs() -> None:
    means = np.zeros((2, 300))
    means[1, 100:] = np.arange(1, 201)
    assert sorted(most_variable(means)) == list(range(100, 300))
