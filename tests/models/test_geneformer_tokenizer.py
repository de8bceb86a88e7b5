"""Rank value encoding, by hand and by its properties."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse

from scviz.errors import CountsError, GeneMatchError
from scviz.foundation.tokens import Tokens
from scviz.foundation.vocab import GeneVocab
from scviz.models.geneformer.tokenizer import (
    RankRules,
    column_tokens,
    columns_to_tokens,
    n_tokens,
    rank,
)
from tests.goldens.geneformer_cells import rank_cells

IDS = tuple(f"ENSG{i:011d}" for i in range(1, 5))
VOCAB = GeneVocab(
    genes=IDS,
    ids=np.array([2, 3, 4, 5]),
    special={"<pad>": 0, "<mask>": 1},
    kind="ensembl",
    aliases={"TP53": IDS[0], "OLD": IDS[1]},
    values={"median": np.array([1.0, 2.0, 4.0, 1.0])},
)
WITH_CLS = dataclasses.replace(
    VOCAB, ids=np.array([4, 5, 6, 7]), special={"<pad>": 0, "<mask>": 1, "<cls>": 2, "<eos>": 3}
)
RULES = RankRules(max_length=10, special_tokens=False)
V2_RULES = RankRules(max_length=5, special_tokens=True)


def ranked(counts: object, names: tuple[str, ...] = IDS, vocab: GeneVocab = VOCAB, **rules: object) -> Tokens:
    counts = np.array(counts, dtype=np.float32)
    return rank(
        counts, columns_to_tokens(names, vocab), vocab=vocab, rules=dataclasses.replace(RULES, **rules)
    )


def test_a_gene_ranks_by_its_count_over_its_median() -> None:
    # 3/1, 8/2, 8/4, 0
    assert ranked([[3, 8, 8, 0]]).gene_ids.tolist() == [[3, 2, 4]]


def test_equal_values_come_in_the_order_of_tokens() -> None:
    # 2/1, 4/2, 8/4, 2/1
    assert ranked([[2, 4, 8, 2]]).gene_ids.tolist() == [[2, 3, 4, 5]]


def test_values_equal_in_single_precision_are_told_apart() -> None:
    medians = np.array([1.0, 1.0 - 1e-9, 1.0 + 1e-9, 1.0])
    vocab = dataclasses.replace(VOCAB, values={"median": medians})
    assert ranked([[1, 1, 1, 1]], vocab=vocab).gene_ids.tolist() == [[3, 2, 5, 4]]


def test_short_cells_are_padded_and_empty_cells_have_no_token() -> None:
    tokens = ranked([[1, 0, 0, 0], [0, 0, 0, 0], [0, 2, 0, 5]])
    assert tokens.gene_ids.tolist() == [[2, 0], [0, 0], [5, 3]]
    assert tokens.lengths().tolist() == [1, 0, 2]


def test_the_lowest_ranks_are_cut() -> None:
    assert ranked([[3, 8, 8, 9]], max_length=2).gene_ids.tolist() == [[5, 3]]


def test_special_tokens_frame_a_cell_and_count_towards_its_length() -> None:
    counts = np.array([[3, 8, 8, 9], [0, 0, 1, 0], [0, 0, 0, 0]], dtype=np.float32)
    tokens = rank(counts, columns_to_tokens(IDS, WITH_CLS), vocab=WITH_CLS, rules=V2_RULES)
    assert tokens.gene_ids.tolist() == [[2, 7, 5, 4, 3], [2, 6, 3, 0, 0], [0, 0, 0, 0, 0]]
    assert tokens.lengths().tolist() == [5, 3, 0]
    assert n_tokens(counts, columns_to_tokens(IDS, WITH_CLS), V2_RULES).tolist() == [5, 3, 0]


def test_columns_of_one_gene_are_summed() -> None:
    # 2 + 2 = 4 of the first gene rank before 3 of the last
    assert ranked([[2, 3, 2]], names=(IDS[0], IDS[3], IDS[0])).gene_ids.tolist() == [[2, 5]]


def test_columns_of_one_gene_appear_twice_as_published() -> None:
    tokens = ranked([[2, 3, 2]], names=(IDS[0], IDS[3], IDS[0]), published=True)
    assert tokens.gene_ids.tolist() == [[5, 2, 2]]


def test_an_alias_adds_to_its_gene() -> None:
    assert ranked([[2, 3, 2]], names=(IDS[0], IDS[3], "tp53")).gene_ids.tolist() == [[2, 5]]


def test_an_alias_comes_before_a_gene_of_that_name() -> None:
    vocab = dataclasses.replace(VOCAB, aliases={IDS[0]: IDS[1]})
    assert columns_to_tokens(IDS, vocab).tolist() == [3, 3, 4, 5]


def test_versions_are_cut_off_where_names_stand_alone() -> None:
    assert columns_to_tokens([f"{IDS[0]}.5", IDS[1].lower(), "XIST"], VOCAB).tolist() == [2, 3, -1]


def test_versions_are_cut_off_where_names_are_found_in_a_dataset() -> None:
    var = pd.DataFrame({"gene_ids": [f"{IDS[0]}.5", ""]}, index=["TP53", "OLD"])
    assert column_tokens(var, VOCAB).tolist() == [2, 3]


def test_symbols_keep_their_case() -> None:
    vocab = dataclasses.replace(VOCAB, genes=("CD3E", "MS4A1", "NKG7", "LYZ"), kind="symbol", aliases={})
    assert columns_to_tokens(["CD3E", "Cd3e"], vocab).tolist() == [2, -1]


def test_stored_zeros_are_no_tokens() -> None:
    counts = sparse.csr_matrix(
        (np.array([0.0, 1.0], np.float32), np.array([0, 1]), np.array([0, 2])), shape=(1, 4)
    )
    assert rank(counts, columns_to_tokens(IDS, VOCAB), vocab=VOCAB, rules=RULES).gene_ids.tolist() == [[3]]


def test_entries_stored_twice_are_added() -> None:
    counts = sparse.csr_matrix(
        (np.array([1.0, 1.0, 1.5]), np.array([0, 0, 3]), np.array([0, 3])), shape=(1, 4)
    )
    assert rank(counts, columns_to_tokens(IDS, VOCAB), vocab=VOCAB, rules=RULES).gene_ids.tolist() == [[2, 5]]
    assert counts.nnz == 3


def test_kept_counts_are_per_ten_thousand_and_not_divided_by_medians() -> None:
    tokens = rank(
        np.array([[1, 4, 0, 0], [3, 0, 0, 0]], dtype=np.float32),
        columns_to_tokens(IDS, VOCAB),
        vocab=VOCAB,
        rules=dataclasses.replace(RULES, keep_counts=True),
        n_counts=np.array([50.0, 0.0]),
    )
    assert tokens.gene_ids.tolist() == [[3, 2], [2, 0]]
    # a total of 0 beside counts is wrong, so that it is counted again
    assert tokens.values.tolist() == [[800.0, 200.0], [10_000.0, 0.0]]


def test_cells_that_fail_the_filter_or_are_empty_are_dropped() -> None:
    adata = AnnData(
        np.array([[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0]], dtype=np.float32),
        obs=pd.DataFrame({"filter_pass": [1, 0, 1, 1]}, index=list("abcd")),
        var=pd.DataFrame(index=list(IDS)),
    )
    cells = rank_cells(adata, VOCAB, RULES)
    assert cells.rows.tolist() == [0, 3]
    assert cells.tokens.gene_ids.tolist() == [[2], [3]]


def test_no_cells_give_no_tokens() -> None:
    counts = sparse.csr_matrix((0, 4), dtype=np.float32)
    assert rank(counts, columns_to_tokens(IDS, VOCAB), vocab=VOCAB, rules=RULES).gene_ids.shape == (0, 0)


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_values_that_are_no_counts_are_refused(bad: float) -> None:
    with pytest.raises(CountsError, match="not raw counts"):
        ranked([[bad, 1, 1, 1]])


def test_a_dataset_without_a_known_gene_is_refused() -> None:
    with pytest.raises(GeneMatchError, match="None of the 2 genes"):
        ranked([[1, 1]], names=("XIST", "LYZ"))


def test_many_cells_are_ranked_as_one_by_one() -> None:
    rng = np.random.default_rng(0)
    n_genes = 300
    vocab = dataclasses.replace(
        VOCAB,
        genes=tuple(f"ENSG{i:011d}" for i in range(n_genes)),
        ids=rng.permutation(n_genes) + 2,
        aliases={},
        values={"median": rng.integers(1, 5, n_genes) / 2},
    )
    counts = sparse.random(2000, n_genes, density=0.3, random_state=1, format="csr", dtype=np.float32)
    counts.data = rng.integers(1, 6, counts.nnz).astype(np.float32)
    tokens = rank(
        counts,
        columns_to_tokens(vocab.genes, vocab),
        vocab=vocab,
        rules=dataclasses.replace(RULES, max_length=80),
    )
    for row in (0, 777, 1999):
        cell = counts[row].toarray()[0] / vocab.values["median"]
        order = sorted(np.flatnonzero(cell), key=lambda i: (-cell[i], vocab.ids[i]))
        assert tokens.gene_ids[row][tokens.mask[row]].tolist() == vocab.ids[order][:80].tolist()


CELLS = arrays(np.float32, (3, 4), elements=st.integers(0, 6).map(float))


@given(CELLS, st.sampled_from([0.5, 2.0, 3.0, 10.0]))
def test_depth_does_not_matter(counts: np.ndarray, depth: float) -> None:
    once, again = ranked(counts), ranked(counts * np.float32(depth))
    assert np.array_equal(once.gene_ids, again.gene_ids)


@given(CELLS, st.permutations(range(4)))
def test_the_order_of_genes_does_not_matter(counts: np.ndarray, order: list[int]) -> None:
    once = ranked(counts)
    again = ranked(counts[:, order], names=tuple(IDS[i] for i in order))
    assert np.array_equal(once.gene_ids, again.gene_ids)


@given(CELLS, st.permutations(range(3)))
def test_cells_are_ranked_each_by_itself(counts: np.ndarray, order: list[int]) -> None:
    assert np.array_equal(ranked(counts).gene_ids[order], ranked(counts[order]).gene_ids)


@given(CELLS)
def test_every_detected_gene_is_there_once(counts: np.ndarray) -> None:
    tokens = ranked(counts)
    for cell, ids, mask in zip(counts, tokens.gene_ids, tokens.mask, strict=True):
        assert sorted(ids[mask]) == sorted(VOCAB.ids[cell > 0])
