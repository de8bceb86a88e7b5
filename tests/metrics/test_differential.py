"""Which genes a perturbation changes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import scanpy as sc
import scipy.sparse as sp
from anndata import AnnData
from numpy.typing import NDArray
from scipy.stats import false_discovery_control, mannwhitneyu, ttest_ind

from scviz.metrics.differential import (
    TOP_DE,
    Cells,
    differential_genes,
    differential_genes_of,
    moments,
    order_by_change,
    order_by_t,
    rank_sum_table,
    welch_t,
)


def screen(seed: int, n_genes: int = 80) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Sparse log counts of 90 cells in three groups; some genes are never expressed, many have the same values."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.gamma(0.4, 1.0, size=n_genes), size=(90, n_genes))
    codes = np.repeat([0, 1, 2], [40, 30, 20])
    counts[codes == 1, :5] += 2
    counts[:, -4:] = 0
    return np.log1p(counts).astype(np.float32), codes


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix])
def test_the_order_is_that_of_scanpy(seed: int, kind: Callable[[NDArray], Cells]) -> None:
    expression, codes = screen(seed)
    cells = kind(expression)
    obs = pd.DataFrame(
        {"group": pd.Categorical(codes.astype(str))}, index=[f"c{i}" for i in range(len(codes))]
    )
    adata = AnnData(cells.copy(), obs=obs)
    adata.var_names = [str(i) for i in range(adata.n_vars)]
    sc.tl.rank_genes_groups(
        adata, "group", reference="0", method="t-test", rankby_abs=True, n_genes=adata.n_vars, use_raw=False
    )
    for group, found in zip((1, 2), differential_genes_of(cells, codes, [1, 2], control=0), strict=True):
        names = adata.uns["rank_genes_groups"]["names"][str(group)].astype(int)
        t = adata.uns["rank_genes_groups"]["scores"][str(group)]
        ours = welch_t(
            moments(cells[np.flatnonzero(codes == group)]), moments(cells[np.flatnonzero(codes == 0)])
        )
        np.testing.assert_allclose(ours[names], t, rtol=1e-5, atol=1e-6)
        apart = np.abs(np.diff(np.abs(t))) > 1e-6  # equal t fall as sums were rounded
        known = np.concatenate([[True], apart]) & np.concatenate([apart, [True]])
        assert known.sum() > 20
        assert found.order[known].tolist() == names[known].tolist()


def test_t_is_that_of_welch() -> None:
    expression, codes = screen(0)
    some, other = expression[codes == 1], expression[codes == 0]
    expressed = expression[codes != 2].any(axis=0)
    some, other = some[:, expressed], other[:, expressed]
    ours = welch_t(moments(some), moments(other))
    wanted = ttest_ind(some.astype(np.float64), other.astype(np.float64), equal_var=False).statistic
    np.testing.assert_allclose(ours, wanted, rtol=1e-4, atol=1e-5)


def test_genes_that_nobody_expresses_come_last() -> None:
    expression, codes = screen(1)
    (found,) = differential_genes_of(expression, codes, [1], control=0)
    silent = set(np.flatnonzero(~expression[codes != 2].any(axis=0)))
    t = welch_t(moments(expression[codes == 1]), moments(expression[codes == 0]))
    assert len(silent) >= 4
    assert (t[list(silent)] == 0).all()
    assert silent <= set(found.order[-(t == 0).sum() :])


def test_a_gene_that_is_constant_and_differs_comes_first() -> None:
    cells, controls = np.array([[2.0, 1.0], [2.0, 3.0]]), np.array([[1.0, 1.0], [1.0, 4.0]])
    t = welch_t(moments(cells), moments(controls))
    assert np.isposinf(t[0])
    assert order_by_t(t).tolist() == [0, 1]


def test_genes_that_vanish_may_have_dropped_out() -> None:
    expression, codes = screen(2)
    expression[codes == 1, 10] = 0
    expression[codes == 0, 10] = 3
    found = differential_genes(moments(expression[codes == 1]), moments(expression[codes == 0]))
    assert found.order[0] == 10
    assert 10 not in found.non_zero
    assert 10 not in found.non_dropout
    assert {76, 77, 78, 79} <= set(found.non_dropout) - set(found.non_zero)
    assert len(found.top_non_dropout) == len(found.top_non_zero) == TOP_DE
    assert found.top_non_zero.tolist() == [gene for gene in found.order if gene in found.non_zero][:TOP_DE]


def test_one_cell_has_no_variance() -> None:
    assert moments(np.array([[1.0, 2.0]])).variance.tolist() == [0.0, 0.0]


def test_the_largest_change_of_the_mean_is_another_order() -> None:
    assert order_by_change(np.array([0.1, -2.0, 0.0, 1.0])).tolist() == [1, 3, 0, 2]


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix])
def test_ranks_are_tested_as_by_scipy(kind: Callable[[NDArray], Cells]) -> None:
    expression, codes = screen(3, n_genes=700)
    cells = kind(expression)
    table = rank_sum_table(cells[np.flatnonzero(codes == 1)], cells[np.flatnonzero(codes == 0)])
    some, other = expression[codes == 1], expression[codes == 0]
    wanted = [mannwhitneyu(some[:, gene], other[:, gene], method="asymptotic").pvalue for gene in range(600)]
    expressed = expression[:, :600].any(axis=0)
    np.testing.assert_allclose(table.p_value[:600][expressed], np.array(wanted)[expressed], rtol=1e-9)
    assert table.p_value[-4:].tolist() == [1.0] * 4
    np.testing.assert_allclose(table.fdr, false_discovery_control(table.p_value))
    assert (table.fdr[:5] < 0.05).all()


def test_fold_changes_are_of_means_of_logs() -> None:
    some, other = (
        np.log1p(np.array([[3.0, 2.0, 0.0], [3.0, 2.0, 0.0]])),
        np.log1p(np.array([[1.0, 0.0, 0.0]])),
    )
    change = rank_sum_table(some, other).log2_fold_change
    np.testing.assert_allclose(change[0], np.log2(3.0))
    assert np.isposinf(change[1])
    assert change[2] == 0
