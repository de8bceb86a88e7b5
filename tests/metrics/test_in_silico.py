"""Statistics of in-silico perturbation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ranksums

from scviz.errors import RequestError
from scviz.metrics.in_silico import (
    aggregate_data,
    goal_state_shift,
    group_shift,
    mixture_model,
)
from tests.goldens.published_in_silico import WHOLE_CELL, aggregate_gene_shifts, vs_null

RNG = np.random.default_rng(0)
SHIFTS = {f"G{i}": RNG.normal(0.02 * (i == 3), 0.01, size=5 + i).round(3) for i in range(8)}
"""Values with ties; one gene shifts."""


def test_a_gene_is_compared_with_all_values_by_the_rank_sum_test() -> None:
    table = goal_state_shift({"goal": SHIFTS}, "goal").set_index("Gene")
    pool = np.concatenate(list(SHIFTS.values()))
    for gene, values in SHIFTS.items():
        wanted = ranksums(pool, values).pvalue
        np.testing.assert_allclose(table.loc[gene, "Goal_end_vs_random_pval"], wanted, rtol=1e-9)
        assert table.loc[gene, "N_Detections"] == len(values)
    assert table.index[0] == "G3"
    assert table.loc["G3", "Sig"] == 1


def test_each_alternative_state_has_its_own_pool() -> None:
    other = {gene: -values[::-1] for gene, values in SHIFTS.items()}
    table = goal_state_shift({"goal": SHIFTS, "else": other}, "goal", ["else"]).set_index("Gene")
    wanted = ranksums(np.concatenate(list(other.values())), other["G3"]).pvalue
    np.testing.assert_allclose(table.loc["G3", "Alt_end_vs_random_pval_else"], wanted, rtol=1e-9)
    np.testing.assert_allclose(table.loc["G3", "Shift_to_alt_end_else"], other["G3"].mean())


def test_of_many_values_so_many_are_drawn_and_always_the_same() -> None:
    many = {f"G{i}": RNG.normal(size=1200) for i in range(100)}
    once, again = (goal_state_shift({"goal": many}, "goal") for _ in range(2))
    pd.testing.assert_frame_equal(once, again)
    whole = ranksums(np.concatenate(list(many.values())), many["G5"]).pvalue
    drawn = once.set_index("Gene").loc["G5", "Goal_end_vs_random_pval"]
    assert abs(drawn - whole) < 0.1


def test_a_group_has_means_alone() -> None:
    shifts = {"goal": {("A", "B"): np.array([0.1, 0.3])}, "else": {("A", "B"): np.array([-0.1, 0.0])}}
    table = group_shift(shifts, "goal", ["else"])
    assert table.columns.tolist() == ["Shift_to_goal_end", "Shift_to_alt_end_else"]
    np.testing.assert_allclose(table.to_numpy(), [[0.2, -0.05]])


def test_a_gene_that_the_null_lacks_is_not_significant() -> None:
    table = vs_null({"A": np.array([1.0, 2.0])}, {"B": np.array([1.0])})
    row = table.iloc[0]
    assert row["Gene"] == "A"
    assert (row["Test_vs_null_pval"], row["Test_vs_null_FDR"], row["Sig"]) == (1.0, 1.0, 0)
    assert np.isnan(row["Null_avg_shift"])
    assert (row["N_Detections_test"], row["N_Detections_null"]) == (2, 0)


def test_a_gene_is_compared_with_its_own_null() -> None:
    null = {gene: values + 0.005 for gene, values in SHIFTS.items()}
    table = vs_null(SHIFTS, null).set_index("Gene")
    wanted = ranksums(SHIFTS["G7"], null["G7"]).pvalue
    np.testing.assert_allclose(table.loc["G7", "Test_vs_null_pval"], wanted, rtol=1e-9)
    np.testing.assert_allclose(table.loc["G7", "Test_vs_null_avg_shift"], -0.005, rtol=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_the_mixture_finds_genes_with_impact_whatever_component_comes_first(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = {
        gene: rng.normal(0.9 if gene < 6 else 0.99, 0.004, size=int(rng.integers(3, 9))) for gene in range(30)
    }
    table = mixture_model(values)
    assert set(table["Gene"][table["Impact_component"] == 1]) == set(range(6))
    assert table["Gene"][:6].tolist() == sorted(range(6), key=lambda gene: values[gene].mean())
    assert (table["Impact_component_percent"][:6] > 90).all()


def test_one_gene_is_no_mixture() -> None:
    with pytest.raises(RequestError, match="needs two genes") as caught:
        mixture_model({"A": np.array([0.9])})
    assert caught.value.hint


def test_values_of_cells_are_listed_and_pairs_summarized() -> None:
    assert aggregate_data({"A": np.array([0.5, 0.6])}).to_numpy().tolist() == [[0.5, "A"], [0.6, "A"]]
    pairs = {
        ("A", "B"): np.array([0.8]),
        ("A", "C"): np.array([0.2, 0.4]),
        ("A", WHOLE_CELL): np.array([0.9]),
    }
    table = aggregate_gene_shifts(pairs)
    assert table["Affected"].tolist() == [WHOLE_CELL, "C", "B"]
    np.testing.assert_allclose(table["Cosine_sim_stdev"], [0.0, 0.1, 0.0], atol=1e-12)
    assert table["N_Detections"].tolist() == [1, 2, 1]
