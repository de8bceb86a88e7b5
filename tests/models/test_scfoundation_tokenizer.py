"""Values of genes, and the two numbers that tell depth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from scviz.errors import CountsError, GeneMatchError, RequestError
from scviz.models.scfoundation.checkpoint import list_vocab
from scviz.models.scfoundation.tokenizer import (
    TargetDepth,
    profiles,
    profiles_of_logs,
    renamed_genes,
    select_genes,
)
from tests.goldens.scfoundation_bulk import bulk_profiles

T4 = TargetDepth.parse("t4")


def counts(*rows: list[float]) -> sparse.csr_matrix:
    return sparse.csr_matrix(np.array(rows, dtype=np.float64))


def test_a_cell_is_its_expressed_genes_in_the_order_of_the_list_then_t_then_s() -> None:
    # 100 reads: log1p of 10,000 x 75 / 100 and of 10,000 x 25 / 100
    tokens = profiles(counts([0, 75, 0, 25], [0, 0, 10, 0]), T4).tokens(depth_tokens=True)
    assert tokens.gene_ids.tolist() == [[1, 3, 4, 5], [2, 4, 5, 6]]
    assert tokens.mask.tolist() == [[True] * 4, [True] * 3 + [False]]
    np.testing.assert_allclose(tokens.values[0], [np.log(7501), np.log(2501), 4.0, 2.0], rtol=1e-6)
    np.testing.assert_allclose(tokens.values[1], [np.log(10001), 4.0, 1.0, 103.0], rtol=1e-6)


def test_without_depth_tokens_a_cell_is_its_genes_alone() -> None:
    tokens = profiles(counts([0, 75, 0, 25]), T4).tokens(depth_tokens=False)
    assert tokens.gene_ids.tolist() == [[1, 3]]


@pytest.mark.parametrize(("depth", "wanted"), [("t4.5", 4.5), ("f1", 3.0), ("f10", 4.0), ("a0.5", 3.5)])
def test_the_wanted_depth_follows_from_the_total_of_the_cell(depth: str, wanted: float) -> None:
    assert TargetDepth.parse(depth).of(np.array([1000.0])).tolist() == pytest.approx([wanted])


@pytest.mark.parametrize("depth", ["4", "t", "x4", "t4 ", "tt4", "t0", "f0", "f-1"])
def test_what_is_no_depth_is_refused_with_a_hint(depth: str) -> None:
    with pytest.raises(RequestError, match="depth") as error:
        TargetDepth.parse(depth)
    assert "t4" in error.value.hint


def test_a_depth_of_one_read_is_refused_since_the_network_would_not_see_it() -> None:
    cells = profiles(counts([5, 5], [500, 500]), TargetDepth.parse("f0.1"))
    with pytest.raises(RequestError, match="one read or less in 1 of 2 cells"):
        cells.tokens(depth_tokens=True)


def test_cells_of_one_read_or_none_have_no_tokens() -> None:
    cells = profiles(counts([0, 0], [1, 0], [1, 1]), T4)
    assert cells.lengths(depth_tokens=True).tolist() == [0, 0, 4]
    tokens = cells.tokens(depth_tokens=True)
    assert tokens.mask.sum(axis=1).tolist() == [0, 0, 4]
    assert (tokens.values[:2] == 103).all()


def test_genes_are_laid_out_by_name_and_columns_of_one_gene_are_summed() -> None:
    vocab = list_vocab(["A", "B", "C"])
    names = ["C", "unknown", "A", "C"]
    adata = AnnData(counts([1, 50, 2, 3]), var=pd.DataFrame({"symbol": names}, index=list("wxyz")))
    selected = select_genes(adata.X, vocab.column_tokens(adata.var), 3)
    assert selected.toarray().tolist() == [[2, 0, 4]]
    assert profiles(selected, T4).source.tolist() == [np.log10(6)]  # the unknown gene does not count


def test_former_names_of_renamed_families_are_found() -> None:
    vocab = list_vocab(["MARCHF1", "SEPTIN2", "CD4"])
    assert vocab.positions(["March1", "SEPT2", "CD4", "MARCH2"]).tolist() == [0, 1, 2, -1]


def test_a_list_that_has_a_former_name_itself_keeps_it() -> None:
    assert renamed_genes(["MARCHF1", "MARCH1", "MARCHF2", "SEPTINX"]) == {"MARCH2": "MARCHF2"}


@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf])
def test_negative_and_missing_counts_are_refused(wrong: float) -> None:
    with pytest.raises(CountsError, match="not raw counts"):
        select_genes(counts([1, wrong]), np.array([0, 1]), 2)


def test_genes_of_which_none_is_known_are_refused() -> None:
    with pytest.raises(GeneMatchError, match="None of the 2 genes") as error:
        select_genes(counts([1, 1]), np.array([-1, -1]), 2)
    assert "human" in error.value.hint


def test_values_too_high_for_logarithms_are_refused() -> None:
    with pytest.raises(CountsError, match="holds 103, so these are not log1p values"):
        profiles_of_logs(counts([1, 103]), T4)


def test_log_values_stay_and_their_sum_stands_for_an_unknown_total() -> None:
    cells = profiles_of_logs(counts([60, 40], [6, 4]), TargetDepth.parse("f1"))
    np.testing.assert_allclose(cells.rows(), [[60, 40, 2, 2], [6, 4, 1, 1]])
    cells = profiles_of_logs(counts([60, 40]), TargetDepth.parse("a1"), totals=np.array([1000]))
    np.testing.assert_allclose(cells.rows(), [[60, 40, 4, 3]])


def test_samples_of_many_cells_are_scaled_to_their_median_total() -> None:
    # totals 2, 4, 8: the median is 4
    rows = bulk_profiles(counts([1, 1], [4, 0], [2, 6])).rows()
    genes = np.log1p([[2.0, 2.0], [4.0, 0.0], [1.0, 3.0]])
    depth = np.log10(genes.sum(axis=1))
    np.testing.assert_allclose(rows, np.column_stack([genes, depth, depth]), rtol=1e-6)


@given(
    st.lists(st.integers(0, 20), min_size=6, max_size=6).filter(lambda row: sum(row) > 1), st.integers(2, 9)
)
def test_more_reads_of_the_same_cell_change_s_alone(row: list[int], times: int) -> None:
    once = profiles(counts(row), T4).rows()[0]
    more = profiles(counts([times * count for count in row]), T4).rows()[0]
    np.testing.assert_allclose(more[:-1], once[:-1], rtol=1e-6)
    np.testing.assert_allclose(more[-1] - once[-1], np.log10(times), rtol=1e-5)
