"""Levels of expression, by hand and by their properties."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse

from scviz.errors import CountsError, GeneMatchError
from scviz.models.scbert.tokenizer import (
    LevelRules,
    gene_list,
    levels,
    listed_cells,
    n_tokens,
    tokenize,
)

VOCAB = gene_list(["CD3E", "LYZ", "MS4A1", "NKG7"], aliases={"ENSG00000090382": "LYZ"})
RULES = LevelRules(n_genes=4, n_bins=5, target_sum=16, min_genes=1)


def places_of(*names: str) -> np.ndarray:
    return VOCAB.column_tokens(pd.DataFrame(index=list(names)))


def values_of(counts: object, names: tuple[str, ...] = VOCAB.genes, **rules: object) -> list:
    counts = np.array(counts, dtype=np.float32)
    return tokenize(counts, places_of(*names), dataclasses.replace(RULES, **rules)).values.tolist()


def test_levels_are_whole_parts_of_the_binary_logarithm_with_a_zero_at_the_end() -> None:
    # 16 counts, so nothing is scaled: log2(1 + 1, 2, 3, 10) = 1, 1.6, 2, 3.5
    assert values_of([[1, 2, 3, 10]]) == [[1, 1, 2, 3, 0]]


def test_levels_end_at_the_highest_bin() -> None:
    assert values_of([[1, 0, 0, 0]], target_sum=10_000) == [[5, 0, 0, 0, 0]]
    assert values_of([[1, 0, 0, 0]], target_sum=10_000, n_bins=7) == [[7, 0, 0, 0, 0]]


@pytest.mark.parametrize("count", [1, 3, 7, 15, 31])
def test_a_level_begins_at_one_less_than_a_power_of_two(count: int) -> None:
    total = 10_000
    at, below = values_of([[count, total - count, 0, 0], [count - 0.01, total, 0, 0]], target_sum=total)
    assert at[0] == np.log2(1 + count)
    assert below[0] == at[0] - 1


def test_genes_come_in_the_order_of_the_list_and_others_are_left_out_of_the_total() -> None:
    assert values_of([[3, 999, 13]], names=("NKG7", "unheard-of", "CD3E")) == [[3, 0, 0, 2, 0]]


def test_a_gene_is_found_by_its_other_name() -> None:
    assert places_of("ENSG00000090382", "MS4A1", "X").tolist() == [1, 2, -1]


def test_columns_of_one_gene_are_summed_and_as_published_the_first_is_taken() -> None:
    places, counts = np.array([1, 0, 1]), np.array([[3, 9, 4]], dtype=np.float32)
    summed = listed_cells(counts, places, RULES)
    assert summed.expression[0, 1] == pytest.approx(np.log2(1 + 7))
    first = listed_cells(counts, places, dataclasses.replace(RULES, published=True, target_sum=12))
    assert first.expression[0, 1] == pytest.approx(np.log2(1 + 3))


def test_cells_with_too_few_genes_have_no_token() -> None:
    counts = np.array([[1, 1, 0, 0], [9, 0, 0, 0], [0, 0, 0, 0]], dtype=np.float32)
    rules = dataclasses.replace(RULES, min_genes=2)
    assert tokenize(counts, places_of(*VOCAB.genes), rules).lengths().tolist() == [5, 0, 0]
    assert n_tokens(counts, places_of(*VOCAB.genes), rules).tolist() == [5, 0, 0]
    assert listed_cells(counts, places_of(*VOCAB.genes), rules).n_detected.tolist() == [2, 1, 0]


def test_stored_zeros_are_not_detected() -> None:
    counts = sparse.csr_matrix((np.array([0.0, 5.0]), ([0, 0], [0, 1])), shape=(1, 4))
    assert listed_cells(counts, places_of(*VOCAB.genes), RULES).n_detected.tolist() == [1]


def test_negative_values_are_refused() -> None:
    with pytest.raises(CountsError, match="not raw counts") as error:
        values_of([[1, -1, 0, 0]])
    assert "layer" in error.value.hint


def test_a_dataset_of_other_genes_is_refused() -> None:
    with pytest.raises(GeneMatchError, match="None of the 2 genes"):
        values_of([[1, 1]], names=("A", "B"))


CELLS = arrays(np.float32, (3, 4), elements=st.sampled_from([0.0, 1.0, 2.0, 5.0, 40.0]))


@given(CELLS, st.permutations(range(4)))
def test_the_order_of_columns_does_not_matter(counts: np.ndarray, order: list[int]) -> None:
    names = tuple(VOCAB.genes[i] for i in order)
    assert values_of(counts) == values_of(counts[:, order], names=names)


@given(CELLS, st.sampled_from([2.0, 8.0]))
def test_depth_does_not_matter(counts: np.ndarray, depth: float) -> None:
    assert values_of(counts) == values_of(counts * np.float32(depth))


@given(CELLS)
def test_levels_count_bits(counts: np.ndarray) -> None:
    expression = sparse.csr_matrix(np.log2(1 + counts))
    wanted = [[min(int(count + 1).bit_length() - 1, 5) for count in cell] for cell in counts]
    assert levels(expression, 5)[:, :4].tolist() == wanted
