"""By what cells are divided, and to what they are scaled."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy.sparse import csr_matrix

from scviz.datasets.expression import depth_of, log_expression


def cells(mean: float, n_genes: int, **columns: object) -> AnnData:
    counts = csr_matrix(np.random.default_rng(0).poisson(mean, (300, n_genes)).astype(np.float32))
    return AnnData(counts, obs=pd.DataFrame(columns, index=[f"cell{i}" for i in range(300)]))


@pytest.mark.parametrize(("mean", "n_genes"), [(0.6, 299), (0.009, 2000)])
def test_one_count_of_a_shallow_panel_is_no_high_expression(mean: float, n_genes: int) -> None:
    adata = cells(mean, n_genes)
    depth = depth_of(adata)
    totals = np.asarray(adata.X.sum(axis=1)).ravel()
    assert depth.target == np.median(totals[totals > 0])
    values = log_expression(adata.X, depth)
    one = adata.X.copy()
    one.data = (one.data == 1).astype(np.float32)
    of_one = values.multiply(one).tocsr().data
    assert np.median(of_one) == pytest.approx(np.log(2), abs=0.1)  # as published: log1p(55) and log1p(555)
    assert f"scaled to {depth.target:,.0f} a cell, the median, not to 10,000" in depth.notes[0]


def test_cells_of_usual_depth_are_scaled_to_ten_thousand_and_nothing_is_said() -> None:
    adata = cells(2.0, 1000)
    depth = depth_of(adata)
    assert (depth.target, depth.column, depth.notes) == (1e4, "", ())
    plain, asked = log_expression(adata.X), log_expression(adata.X, depth)
    assert np.array_equal(plain.toarray(), asked.toarray())


@pytest.mark.parametrize("column", ["total_counts", "ncounts", "n_counts", "nCount_RNA"])
def test_true_totals_are_taken_where_they_exceed_the_sums(column: str) -> None:
    totals = np.random.default_rng(1).integers(2000, 9000, 300).astype(float)
    adata = cells(0.6, 299, **{column: totals})
    depth = depth_of(adata)
    assert (depth.column, depth.target) == (column, 1e4)
    expected = np.log1p(adata.X.toarray() / totals[:, None] * 1e4)
    np.testing.assert_allclose(log_expression(adata.X, depth).toarray(), expected, rtol=1e-5)
    assert column in depth.notes[0]
    assert f"{np.median(totals / adata.X.toarray().sum(axis=1)):.1f} times" in depth.notes[0]


def test_a_column_that_cannot_be_the_totals_is_left_alone() -> None:
    sums = np.asarray(cells(2.0, 1000).X.sum(axis=1)).ravel()
    halves = np.where(np.arange(300) % 2, sums * 3, sums / 3)  # of other cells
    gaps = np.where(np.arange(300) == 5, np.nan, sums * 3)
    for column in (np.log(sums), sums, sums * 1.01, halves, gaps):
        assert depth_of(cells(2.0, 1000, total_counts=column)).column == ""


def test_some_cells_are_scaled_as_all_are() -> None:
    adata, rows = cells(0.6, 299), np.array([3, 7, 250])
    depth = depth_of(adata)
    part = log_expression(adata.X[rows], depth.of(rows))
    assert np.array_equal(part.toarray(), log_expression(adata.X, depth)[rows].toarray())


def test_cells_without_counts_stay_zero() -> None:
    adata = AnnData(csr_matrix((4, 3), dtype=np.float32))
    assert log_expression(adata.X, depth_of(adata)).nnz == 0
