"""Markers of all groups at once, beside those of two groups and those of scanpy."""

from __future__ import annotations

import warnings

import anndata
import numpy as np
import pandas as pd
import pytest
import scanpy
from numpy.typing import NDArray
from scipy import sparse

from scviz.metrics.group_values import NEITHER
from scviz.metrics.many_groups import many_groups
from scviz.metrics.two_groups import FIRST, SECOND, Method, two_groups

N_GROUPS, N_GENES = 4, 60
METHODS: dict[Method, str] = {"wilcoxon": "wilcoxon", "welch": "t-test"}


def some_cells() -> tuple[sparse.csc_matrix, NDArray[np.int64]]:
    """300 cells with many ties, a gene that nobody has, one that all have alike, and one of a single group."""
    rng = np.random.default_rng(3)
    groups = rng.integers(0, N_GROUPS, 300)
    counts = rng.poisson(
        rng.gamma(0.5, 2.0, N_GENES) * np.where(groups == 2, 1.5, 1.0)[:, None], (300, N_GENES)
    )
    counts[:, 0], counts[:, 1], counts[:, 2] = 0, 1, (1 + rng.poisson(2, 300)) * (groups == 1)
    return sparse.csc_matrix(np.log1p(counts).astype(np.float32)), groups


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("tie_correct", [True, False])
def test_the_numbers_are_those_of_scanpy(method: Method, *, tie_correct: bool) -> None:
    cells, groups = some_cells()
    obs = pd.DataFrame({"group": pd.Categorical(groups.astype(str))}, index=[f"c{i}" for i in range(300)])
    data = anndata.AnnData(
        sparse.csr_matrix(cells), obs=obs, var=pd.DataFrame(index=[f"g{i}" for i in range(N_GENES)])
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scanpy.tl.rank_genes_groups(
            data, "group", method=METHODS[method], tie_correct=tie_correct and method == "wilcoxon", pts=True
        )
    table = many_groups(
        [cells[:, :25], cells[:, 25:]], groups, N_GROUPS, method=method, tie_correct=tie_correct
    )
    for k in range(N_GROUPS):
        theirs = scanpy.get.rank_genes_groups_df(data, str(k)).set_index("names").loc[data.var_names]
        np.testing.assert_allclose(table.score[k], theirs["scores"], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(table.p_value[k], theirs["pvals"], rtol=1e-3, atol=1e-12)
        np.testing.assert_allclose(table.adjusted_p[k], theirs["pvals_adj"], rtol=1e-3, atol=1e-12)
        change = theirs["logfoldchanges"].to_numpy()
        some = np.abs(change) < 15  # beyond, a side lacks the gene, and what is added to both means decides
        np.testing.assert_allclose(table.log2_fold_change[k][some], change[some], rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(table.shares[k], theirs["pct_nz_group"], atol=1e-6)
        np.testing.assert_allclose(table.other_shares[k], theirs["pct_nz_reference"], atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_each_group_is_compared_as_two_groups_are_and_cells_in_none_are_left_out(method: Method) -> None:
    cells, groups = some_cells()
    groups[::7] = NEITHER
    table = many_groups([cells], groups, N_GROUPS, method=method)
    for k in range(N_GROUPS):
        sides = np.where(groups == k, FIRST, np.where(groups == NEITHER, NEITHER, SECOND))
        alone = two_groups([cells], sides, method=method)
        np.testing.assert_allclose(table.score[k], alone.score, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(table.adjusted_p[k], alone.adjusted_p, rtol=1e-6)
        np.testing.assert_allclose(table.means[k], alone.means[FIRST])


def test_too_small_groups_and_values_below_zero_are_refused() -> None:
    cells, groups = some_cells()
    with pytest.raises(ValueError, match="each needs 2"):
        many_groups([cells], np.where(np.arange(300) == 0, 4, groups), 5, method="welch")
    with pytest.raises(ValueError, match="there must be two groups"):
        many_groups([cells], np.zeros(300, dtype=int), 1, method="welch")
    with pytest.raises(ValueError, match="below 0"):
        many_groups([-cells], groups, N_GROUPS, method="welch")
