"""Bins, and cells as tokens."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from scviz.errors import CountsError
from scviz.foundation.vocab import GeneVocab
from scviz.models.scgpt.binning import SeededDraws, bin_values, digitize, quantile_edges
from scviz.models.scgpt.tokenizer import BinRules, n_tokens, tokenize, tokenize_edited
from tests.goldens.scgpt_preprocessing import preprocess, scaled

VOCAB = GeneVocab(
    genes=tuple(f"G{i}" for i in range(8)),
    ids=np.arange(8),
    special={"<pad>": 8, "<cls>": 9, "<eoc>": 10},
    kind="symbol",
)
RULES = BinRules(max_length=6, n_bins=6)

counts = st.lists(st.integers(0, 5).map(float), min_size=1, max_size=60)
floats = st.lists(st.floats(0.125, 500, width=32), min_size=1, max_size=60)


@given(floats, st.integers(3, 101))
def test_edges_are_the_quantiles_of_numpy_to_the_last_bit(values: list[float], n_bins: int) -> None:
    for kind in (np.float32, np.float64, np.int64):
        array = np.array(values, dtype=kind)
        wanted = np.quantile(array, np.linspace(0, 1, n_bins - 1))
        np.testing.assert_array_equal(quantile_edges(array, n_bins), wanted)


def test_bins_of_distinct_values_are_their_ranks() -> None:
    assert bin_values(np.array([7.0, 0.0, 1.0, 3.0, 5.0, 9.0]), 6).tolist() == [4, 0, 1, 2, 3, 5]


def test_a_value_on_several_edges_gets_the_highest_of_their_bins() -> None:
    # its quartiles are 1, 1, 1, 2, 5
    assert bin_values(np.array([1.0, 1.0, 5.0, 1.0]), 6).tolist() == [3, 3, 5, 3]


def test_or_a_random_one() -> None:
    edges = np.array([1.0, 1.0, 1.0, 5.0])
    draws = np.linspace(0, 0.999, 7)
    assert digitize(np.ones(7), edges, draws).tolist() == [3, 3, 3, 2, 2, 1, 1]
    assert digitize(np.full(3, 5.0), edges, np.array([0.0, 0.5, 0.999])).tolist() == [4, 4, 4]


@given(counts, st.integers(0, 1000))
def test_random_bins_lie_in_order_and_within_bounds(values: list[float], seed: int) -> None:
    cell = np.array(values)
    expressed = cell != 0
    draws = SeededDraws(seed).ties(np.arange(len(cell))[expressed], cell[expressed])
    bins, highest = bin_values(cell, 51, draws), bin_values(cell, 51)
    assert (bins <= highest).all()
    assert ((bins > 0) == expressed).all()
    assert (highest <= 50).all()
    order = np.argsort(cell)
    different = np.diff(cell[order]) > 0
    assert (np.diff(bins[order])[different] >= 0).all()


@given(counts, st.sampled_from([2.0, 8.0, 1024.0]))
def test_sequencing_depth_does_not_matter(values: list[float], depth: float) -> None:
    assert np.array_equal(bin_values(np.array(values), 51), bin_values(depth * np.array(values), 51))


def test_a_cell_without_expression_has_bins_of_zero() -> None:
    assert bin_values(np.zeros(4), 51).tolist() == [0, 0, 0, 0]
    assert bin_values(np.empty(0), 51).tolist() == []


def test_random_choices_are_spread_evenly_and_depend_on_seed_and_cell() -> None:
    genes, values = np.arange(20_000), np.ones(20_000, dtype=np.float32)
    draws = SeededDraws(0).ties(genes, values)
    assert np.histogram(draws, bins=10, range=(0, 1))[0] == pytest.approx(np.full(10, 2000), abs=200)
    assert abs(np.corrcoef(draws[:-1], draws[1:])[0, 1]) < 0.03
    assert not np.isclose(draws, SeededDraws(1).ties(genes, values)).any()
    other = values.copy()
    other[0] = 2
    assert not np.isclose(draws, SeededDraws(0).ties(genes, other)).any()
    back = SeededDraws(0).ties(genes[::-1], values)[::-1]
    assert np.array_equal(draws, back)


def test_a_cell_is_cls_and_its_genes_with_bins() -> None:
    counts = sparse.csr_matrix([[0, 3, 0, 1, 2, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 4, 0, 0, 0, 0, 0]])
    tokens = tokenize(counts, np.arange(8), vocab=VOCAB, rules=RULES)
    assert tokens.gene_ids.tolist() == [[9, 1, 3, 4], [8, 8, 8, 8], [9, 2, 8, 8]]
    assert tokens.values.tolist() == [[-2, 5, 1, 3], [-2, -2, -2, -2], [-2, 5, -2, -2]]
    assert tokens.mask.tolist() == [[True] * 4, [False] * 4, [True, True, False, False]]
    assert n_tokens(counts, np.arange(8), RULES).tolist() == [4, 0, 2]


def test_stored_zeros_are_not_expressed() -> None:
    counts = sparse.csr_matrix([[0.0, 3.0, 1.0]])
    counts.data[0] = 0
    tokens = tokenize(counts, np.arange(3), vocab=VOCAB, rules=RULES)
    assert tokens.gene_ids.tolist() == [[9, 2]]
    assert n_tokens(counts, np.arange(3), RULES).tolist() == [2]


def test_genes_that_are_not_expressed_are_read_where_asked_for() -> None:
    rules = dataclasses.replace(RULES, include_zeros=True, cls_value=0)
    tokens = tokenize(np.array([[0, 3, 1]]), np.arange(3), vocab=VOCAB, rules=rules)
    assert tokens.gene_ids.tolist() == [[9, 0, 1, 2]]
    assert tokens.values.tolist() == [[0, 0, 5, 1]]


def test_unknown_genes_are_left_out_before_binning() -> None:
    tokens = tokenize(np.array([[9, 3, 1]]), np.array([-1, 5, 6]), vocab=VOCAB, rules=RULES)
    assert tokens.gene_ids.tolist() == [[9, 5, 6]]
    assert tokens.values.tolist() == [[-2, 5, 1]]


def test_two_columns_of_one_gene_are_summed_unless_published() -> None:
    counts, columns = np.array([[1, 2, 4, 1]]), np.array([5, 3, 5, -1])
    tokens = tokenize(counts, columns, vocab=VOCAB, rules=RULES)
    assert tokens.gene_ids.tolist() == [[9, 5, 3]]
    assert tokens.values.tolist() == [[-2, 5, 1]]
    assert n_tokens(counts, columns, RULES).tolist() == [3]
    twice = tokenize(counts, columns, vocab=VOCAB, rules=dataclasses.replace(RULES, published=True))
    assert twice.gene_ids.tolist() == [[9, 5, 3, 5]]


def test_of_a_long_cell_a_random_part_is_read_with_the_bins_of_the_whole() -> None:
    counts = np.arange(1, 9)[None]
    rules = dataclasses.replace(RULES, n_bins=9)
    chosen = set()
    for seed in range(60):
        tokens = tokenize(counts, np.arange(8), vocab=VOCAB, rules=dataclasses.replace(rules, seed=seed))
        genes = tokens.gene_ids[0, 1:]
        assert tokens.gene_ids[0, 0] == 9
        assert len(set(genes)) == 5
        assert np.array_equal(tokens.values[0, 1:], bin_values(counts[0], 9)[genes])
        chosen |= set(genes.tolist())
    assert chosen == set(range(8))


def test_without_sampling_the_first_genes_of_a_long_cell_are_read_with_the_bins_of_the_whole() -> None:
    cell = np.array([[9.0, 1.0, 0.0, 7.0, 3.0, 5.0, 4.0, 2.0]])
    rules = dataclasses.replace(RULES, max_length=4, sampling=False)
    tokens = tokenize(cell, np.arange(8), vocab=VOCAB, rules=rules)
    assert tokens.gene_ids.tolist() == [[9, 0, 1, 3]]
    assert tokens.values[0, 1:].tolist() == bin_values(cell[0], 6)[[0, 1, 3]].tolist()
    edited = tokenize_edited(cell, cell, np.arange(8), vocab=VOCAB, rules=rules)
    assert edited.gene_ids.tolist() == tokens.gene_ids.tolist()


@pytest.mark.parametrize("ties", ["highest", "random"])
def test_what_a_cell_becomes_depends_on_no_other_cell(ties: str) -> None:
    rng = np.random.default_rng(0)
    counts = sparse.csr_matrix(rng.poisson(2, (5, 8)))
    rules = dataclasses.replace(RULES, ties=ties)
    together = tokenize(counts, np.arange(8), vocab=VOCAB, rules=rules)
    for row in range(5):
        alone = tokenize(counts[row], np.arange(8), vocab=VOCAB, rules=rules).take(slice(None))
        again = together.take(np.array([row]))
        assert np.array_equal(alone.gene_ids, again.gene_ids)
        assert np.array_equal(alone.values, again.values)


def test_the_order_of_columns_does_not_change_random_choices() -> None:
    counts = np.random.default_rng(1).poisson(2, (1, 8))
    rules = dataclasses.replace(RULES, ties="random")
    first = tokenize(counts, np.arange(8), vocab=VOCAB, rules=rules)
    order = np.array([3, 1, 7, 0, 6, 2, 5, 4])
    second = tokenize(counts[:, order], order, vocab=VOCAB, rules=rules)
    pairs = [dict(zip(t.gene_ids[0].tolist(), t.values[0].tolist(), strict=True)) for t in (first, second)]
    assert pairs[0] == pairs[1]


def test_symbols_match_as_written_and_ensembl_ids_through_aliases() -> None:
    vocab = dataclasses.replace(VOCAB, genes=("TP53", *VOCAB.genes[1:]), aliases={"ENSG00000141510": "TP53"})
    var = pd.DataFrame({"gene_ids": ["", "ENSG00000141510", ""]}, index=["tp53", "other", "G1"])
    assert vocab.column_tokens(var).tolist() == [-1, 0, 1]


def test_negative_values_are_refused() -> None:
    with pytest.raises(CountsError, match="negative"):
        tokenize(np.array([[1.0, -1.0]]), np.arange(2), vocab=VOCAB, rules=RULES)
    with pytest.raises(CountsError, match="negative"):
        preprocess(np.array([[1.0, np.nan]]))


def test_preprocessing_filters_scales_logs_and_bins() -> None:
    counts = np.array([[1, 3, 0, 0], [0, 0, 0, 1], [0, 2, 8, 0]])
    done = preprocess(counts, n_bins=6, min_counts_of_gene=2, min_counts_of_cell=3, target_sum=10.0)
    assert done.genes.tolist() == [1, 2]
    assert done.cells.tolist() == [0, 2]
    np.testing.assert_allclose(np.expm1(done.expression), [[10, 0], [2, 8]], rtol=1e-6)
    assert done.bins.tolist() == [[5, 0], [1, 5]]
    np.testing.assert_allclose(done.edges[:, :2], [[0, np.log(11)], [0, np.log(3)]], rtol=1e-6)
    assert done.edges.shape == (2, 6)


def test_preprocessing_leaves_the_counts_as_they_are() -> None:
    adata = AnnData(np.array([[1.0, 3.0], [2.0, 0.0]], dtype=np.float32))
    preprocess(adata.X)
    assert adata.X.tolist() == [[1.0, 3.0], [2.0, 0.0]]


def test_scaling_to_the_median_passes_over_empty_cells() -> None:
    expression = np.array([[1, 1], [0, 0], [2, 4]], dtype=np.float32)
    assert scaled(expression, "median").tolist() == [
        [2.0, 2.0],
        [0.0, 0.0],
        [pytest.approx(4 / 3), pytest.approx(8 / 3)],
    ]
    assert scaled(expression, None) is expression


def test_an_edit_leaves_chance_as_it_was() -> None:
    rng = np.random.default_rng(0)
    genes = np.arange(8)
    rules = dataclasses.replace(RULES, max_length=6, ties="random", n_bins=4)
    before = rng.integers(1, 4, size=(20, 8)).astype(np.float32)
    after = before.copy()
    after[:, 2] = 0
    old, new = (
        tokenize(before, genes, vocab=VOCAB, rules=rules),
        tokenize_edited(before, after, genes, vocab=VOCAB, rules=rules),
    )
    for a, b in zip(old.gene_ids, new.gene_ids, strict=True):
        assert set(b.tolist()) - {VOCAB.special["<pad>"]} == set(a.tolist()) - {2, VOCAB.special["<pad>"]}
    same = tokenize_edited(before, before, genes, vocab=VOCAB, rules=rules)
    for row in range(len(before)):
        pairs = [
            dict(zip(t.gene_ids[row].tolist(), t.values[row].tolist(), strict=True)) for t in (old, same)
        ]
        assert pairs[0] == pairs[1]


def test_a_gene_that_an_edit_brings_in_is_read_also_in_a_full_cell() -> None:
    rules = dataclasses.replace(RULES, max_length=5)
    before = np.array([[0.0, 3, 1, 2, 4, 5, 1, 2]])
    after = before.copy()
    after[0, 0] = 9
    tokens = tokenize_edited(before, after, np.arange(8), vocab=VOCAB, rules=rules)
    assert tokens.gene_ids.shape == (1, 5)
    assert 0 in tokens.gene_ids[0, 1:]
