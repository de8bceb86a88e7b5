"""Rank value encoding: a cell is its genes, from the most to the least expressed for that gene."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from scviz.errors import GeneMatchError
from scviz.foundation.counts import Counts, raw_counts
from scviz.foundation.tokens import Tokens
from scviz.foundation.vocab import GeneVocab

TARGET_SUM = 10_000
"""Counts per cell after normalization; it sets the scale of kept counts and never the order."""

ENTRIES_PER_CHUNK = 131_072
"""Entries ranked at a time: enough to keep numpy busy, few enough to stay in the processor's cache."""
ENTRIES_PER_SORT = 4096
"""Entries sorted in one call: about two cells."""

VALUE_BITS = 32
ALL_ONES = 0xFFFFFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class RankRules:
    """How cells become sentences of genes."""

    max_length: int
    """Longest sentence, special tokens included; what ranks below is dropped."""
    special_tokens: bool
    """Put `<cls>` first and `<eos>` last."""
    keep_counts: bool = False
    """Give the counts per 10,000 as values of the tokens."""
    published: bool = False
    """Let a gene that has two columns appear twice, as the authors' code does, instead of summing them."""

    @property
    def max_genes(self) -> int:
        """Genes that fit into a sentence."""
        return self.max_length - 2 * self.special_tokens


def column_tokens(var: pd.DataFrame, vocab: GeneVocab) -> NDArray[np.int32]:
    """Find the token of each gene of a dataset, (G,); -1 where the vocabulary does not know it."""
    return vocab.column_tokens(var).astype(np.int32)


def columns_to_tokens(names: Sequence[str], vocab: GeneVocab) -> NDArray[np.int32]:
    """Find the token of each gene, (G,); -1 where the vocabulary does not know it."""
    return vocab.tokens_at(vocab.positions(names)).astype(np.int32)


def n_tokens(counts: Counts, tokens: NDArray[np.int32], rules: RankRules) -> NDArray[np.int64]:
    """Count the tokens of each cell without ranking them, (N,); 0 where no gene is known."""
    matrix, tokens = _known_genes(counts, tokens, published=rules.published)
    seen = (tokens >= 0)[matrix.indices] & (matrix.data > 0)
    return _n_tokens(_sums(seen, matrix.indptr), rules)


def rank(
    counts: Counts,
    tokens: NDArray[np.int32],
    *,
    vocab: GeneVocab,
    rules: RankRules,
    n_counts: NDArray[np.floating] | None = None,
) -> Tokens:
    """Order the detected genes of each cell by count / median of the gene, the highest first.

    The total of a cell does not change its order, and equal values come in the order of their tokens.

    Parameters
    ----------
    counts
        (N, G) raw counts, sparse or dense.
    tokens
        (G,) token of each column, -1 where unknown.
    n_counts
        (N,) total counts of each cell, for kept counts only; by default, and where they are not above 0,
        the sum over all genes.

    Returns
    -------
    (N, L) tokens in the order of the cells; a cell without a known gene has no token, special ones neither.
    """
    matrix, tokens = _known_genes(counts, tokens, published=rules.published)
    medians = np.ones(int(vocab.ids.max(initial=0)) + 1)
    medians[vocab.ids] = vocab.values["median"]
    chunks = list(_ranked_chunks(matrix, tokens, medians=medians, rules=rules))
    lengths = _n_tokens(
        np.concatenate([np.empty(0, dtype=np.int64), *(chunk.lengths for chunk in chunks)]), rules
    )  # (N,)
    places = np.arange(lengths.max(initial=0))
    mask = genes = places < lengths[:, None]  # (N, L)
    gene_ids = np.full(mask.shape, vocab.special["<pad>"], dtype=np.int64)
    if rules.special_tokens:
        rows = np.flatnonzero(lengths)
        gene_ids[rows, 0] = vocab.special["<cls>"]
        gene_ids[rows, lengths[rows] - 1] = vocab.special["<eos>"]
        genes = (places > 0) & (places < lengths[:, None] - 1)
    values = np.zeros(mask.shape, dtype=np.float32) if rules.keep_counts else None
    for chunk in chunks:
        gene_ids[chunk.rows][genes[chunk.rows]] = chunk.tokens
        if values is not None:
            values[chunk.rows][genes[chunk.rows]] = chunk.counts
    if values is not None:
        values *= (TARGET_SUM / _totals(counts, n_counts))[:, None]
    return Tokens(gene_ids=gene_ids, values=values, mask=mask)


def _known_genes(
    counts: Counts, tokens: NDArray[np.int32], *, published: bool
) -> tuple[sparse.csr_matrix, NDArray[np.int32]]:
    """Return counts as CSR and the token of each column, with the columns of one gene summed."""
    matrix = raw_counts(counts)
    known, columns = np.unique(tokens[tokens >= 0], return_inverse=True)
    if not len(known):
        raise GeneMatchError(
            f"None of the {len(tokens):,} genes is in the vocabulary of this checkpoint.",
            hint="Look at the names of the genes and the species on the Data page, or choose another checkpoint.",
        )
    if not matrix.has_canonical_format:
        matrix = matrix.copy()
        matrix.sum_duplicates()
    if published or len(known) == len(columns):
        return matrix, tokens
    sums = sparse.csr_matrix(
        (np.ones(len(columns)), (np.flatnonzero(tokens >= 0), columns)), shape=(len(tokens), len(known))
    )
    return matrix @ sums, known


def _sums(seen: NDArray[np.bool_], bounds: NDArray[np.integer]) -> NDArray[np.int64]:
    """Count what is True between each bound and the next."""
    before = np.concatenate(([0], np.cumsum(seen)))
    return np.asarray(np.diff(before[bounds]))


def _n_tokens(n_genes: NDArray[np.int64], rules: RankRules) -> NDArray[np.int64]:
    """Turn genes seen in a cell into the length of its sentence."""
    n_genes = np.minimum(n_genes, rules.max_genes)
    return n_genes + 2 * rules.special_tokens * (n_genes > 0)


@dataclass(frozen=True, slots=True)
class _Chunk:
    """The genes of some cells in order, one cell after the other."""

    rows: slice
    lengths: NDArray[np.int64]
    tokens: NDArray[np.int32]
    counts: NDArray[np.number] | None


def _ranked_chunks(
    matrix: sparse.csr_matrix, tokens: NDArray[np.int32], *, medians: NDArray[np.float64], rules: RankRules
) -> Iterator[_Chunk]:
    """Rank the genes of some rows at a time.

    Each entry becomes one whole number, row | inverted bits of the value | position in the row, so that
    one sort orders several rows.
    """
    width = int(np.diff(matrix.indptr).max(initial=1)).bit_length()
    all_known = bool((tokens >= 0).all())
    for rows in _chunks(matrix.indptr, ENTRIES_PER_CHUNK, most_rows=2 ** (64 - VALUE_BITS - width)):
        bounds = matrix.indptr[rows.start : rows.stop + 1]
        entries = slice(bounds[0], bounds[-1])
        genes, counts = tokens[matrix.indices[entries]], matrix.data[entries]
        bounds = bounds - bounds[0]
        seen = counts > 0 if all_known else (genes >= 0) & (counts > 0)
        if not seen.all():
            bounds = np.concatenate(([0], np.cumsum(_sums(seen, bounds))))
            genes, counts = genes[seen], counts[seen]
        order, lengths = _order(counts / medians[genes], genes, bounds, width=width), np.diff(bounds)
        if lengths.max(initial=0) > rules.max_genes:
            order = order[np.arange(len(order)) - np.repeat(bounds[:-1], lengths) < rules.max_genes]
        yield _Chunk(rows, lengths, genes[order], counts[order] if rules.keep_counts else None)


def _chunks(bounds: NDArray[np.integer], n_entries: int, *, most_rows: int) -> Iterator[slice]:
    """Cut rows, given by where their entries begin, into runs of about so many entries."""
    start, n_rows = 0, len(bounds) - 1
    while start < n_rows:
        stop = int(np.searchsorted(bounds, bounds[start] + n_entries, side="right")) - 1
        stop = min(max(stop, start + 1), start + most_rows, n_rows)
        yield slice(start, stop)
        start = stop


def _order(
    values: NDArray[np.float64], genes: NDArray[np.int32], bounds: NDArray[np.integer], *, width: int
) -> NDArray[np.int64]:
    """Order entries by row, then value from high to low, then token; rows begin at `bounds`."""
    lengths, starts = np.diff(bounds), bounds[:-1].astype(np.uint64)
    bits = values.astype(np.float32).view(np.uint32).astype(np.uint64)
    rows = np.arange(len(lengths), dtype=np.uint64) << np.uint64(VALUE_BITS + width)
    # the position of an entry in its row is its position in the chunk less where the row starts
    keys = np.repeat((rows | np.uint64(ALL_ONES << width)) - starts, lengths)
    keys -= bits << np.uint64(width)
    keys += np.arange(len(bits), dtype=np.uint64)
    for part in _chunks(bounds, ENTRIES_PER_SORT, most_rows=len(lengths)):
        keys[bounds[part.start] : bounds[part.stop]].sort()
    order = (keys & np.uint64((1 << width) - 1)).view(np.int64) + np.repeat(bounds[:-1], lengths)
    keys >>= np.uint64(width)
    equal = keys[1:] == keys[:-1]
    if equal.any():
        _settle_ties(order, equal, values=values, genes=genes)
    return order


def _settle_ties(
    order: NDArray[np.int64],
    equal: NDArray[np.bool_],
    *,
    values: NDArray[np.float64],
    genes: NDArray[np.int32],
) -> None:
    """Order what is equal in single precision by its exact value, then by token; changes `order`."""
    tied = np.flatnonzero(np.append(equal, False) | np.append(False, equal))
    runs = np.cumsum(~np.append(False, equal))[tied]
    entries = order[tied]
    order[tied] = entries[np.lexsort((genes[entries], -values[entries], runs))]


def _totals(counts: Counts, n_counts: NDArray[np.floating] | None) -> NDArray[np.float64]:
    """Return the total counts of each cell, 1 where there are none."""
    sums = np.asarray(sparse.csr_matrix(counts).sum(axis=1, dtype=np.float64)).ravel()
    if n_counts is not None:
        sums = np.where(n_counts > 0, n_counts, sums)
    return np.where(sums > 0, sums, 1.0)
