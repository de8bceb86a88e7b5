"""Levels of expression: each gene of a fixed list is a token, in the order of the list, expressed or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from scviz.errors import GeneMatchError
from scviz.foundation.counts import Counts, raw_counts
from scviz.foundation.tokens import Tokens
from scviz.foundation.vocab import GeneVocab

END = "<end>"
"""The token after the last gene; its level is always 0."""


def gene_list(
    genes: Sequence[str],
    *,
    kind: Literal["symbol", "ensembl"] = "symbol",
    aliases: Mapping[str, str] | None = None,
) -> GeneVocab:
    """Make the vocabulary of a network that reads these genes in this order."""
    return GeneVocab(
        genes=tuple(genes),
        ids=np.arange(len(genes), dtype=np.int64),
        special={END: len(genes)},
        kind=kind,
        aliases=aliases or {},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelRules:
    """How counts become levels."""

    n_genes: int
    n_bins: int
    """Highest level."""
    target_sum: float
    """Counts that a cell is scaled to, over the genes of the list."""
    min_genes: int
    """Fewest detected genes of the list; cells with fewer get no token."""
    published: bool = False
    """Take the first of several columns of one gene, as the authors' code does, instead of summing them."""


@dataclass(frozen=True, slots=True)
class ListedCells:
    """Cells as the network's list of genes sees them."""

    expression: sparse.csr_matrix
    """(N, V) log2(1 + scaled counts), float32, in the order of tokens."""
    n_detected: NDArray[np.int64]
    """(N,) genes of the list with a count."""
    kept: NDArray[np.bool_]
    """(N,) whether the cell has enough of them to be read."""


def listed_cells(counts: Counts, places: NDArray[np.int64], rules: LevelRules) -> ListedCells:
    """Bring counts into the order of the list, scale each cell over the list, and take log2(1 + x).

    Everything is done in single precision and in the order of the authors' steps, since a value just below a
    whole number is a level lower.

    Parameters
    ----------
    counts
        (N, G) raw counts, sparse or dense.
    places
        (G,) place of each column in the list, -1 where it has none.

    Raises
    ------
    CountsError
        If the values are no counts.
    GeneMatchError
        If no gene of the dataset is in the list.
    """
    listed = _in_list_order(counts, places, rules)
    n_detected = np.diff(listed.indptr).astype(np.int64)
    totals = np.asarray(listed.sum(axis=1, dtype=np.float64)).ravel().astype(np.float32)
    scale = np.repeat(totals / np.float32(rules.target_sum), n_detected)  # of each entry
    listed.data /= scale
    np.log1p(listed.data, out=listed.data)
    np.divide(listed.data, np.log(2.0), out=listed.data)
    return ListedCells(listed, n_detected, n_detected >= max(rules.min_genes, 1))


def levels(expression: sparse.csr_matrix, n_bins: int) -> NDArray[np.float32]:
    """Cut log2 expression (N, V) down to whole numbers up to `n_bins`, with a 0 at the end, (N, V + 1).

    Examples
    --------
    >>> levels(sparse.csr_matrix(np.array([[0.9, 2.0, 3.7, 11.0]], dtype=np.float32)), 5)
    array([[0., 2., 3., 5., 0.]], dtype=float32)
    """
    values = np.zeros((expression.shape[0], expression.shape[1] + 1), dtype=np.float32)
    rows = np.repeat(np.arange(expression.shape[0]), np.diff(expression.indptr))
    values[rows, expression.indices] = np.trunc(np.minimum(expression.data, n_bins))
    return values


def tokenize(counts: Counts, places: NDArray[np.int64], rules: LevelRules) -> Tokens:
    """Turn counts into levels of all genes of the list, (N, V + 1), in the order of the cells.

    Tokens are the places in the list, and their values the levels. Cells with too few genes have no token.
    """
    cells = listed_cells(counts, places, rules)
    values = levels(cells.expression, rules.n_bins)  # (N, V + 1)
    values[~cells.kept] = 0
    return Tokens(
        gene_ids=np.broadcast_to(
            np.arange(rules.n_genes + 1), values.shape
        ),  # the same memory for every cell
        values=values,
        mask=np.repeat(cells.kept[:, None], values.shape[1], axis=1),
    )


def n_tokens(counts: Counts, places: NDArray[np.int64], rules: LevelRules) -> NDArray[np.int64]:
    """Count the tokens of each cell, (N,): all of the list, or 0 where too few genes are detected."""
    detected = np.diff(_in_list_order(counts, places, rules).indptr)
    return np.where(detected >= max(rules.min_genes, 1), rules.n_genes + 1, 0)


def _in_list_order(counts: Counts, places: NDArray[np.int64], rules: LevelRules) -> sparse.csr_matrix:
    """Move each column to its place, (N, V) float32; a gene that the dataset lacks is 0."""
    matrix = raw_counts(counts, np.float32)
    columns = np.flatnonzero(places >= 0)
    if not len(columns):
        raise GeneMatchError(
            f"None of the {len(places):,} genes is in the gene list of this checkpoint.",
            hint="Look at the names of the genes and the species on the Data page, or choose another checkpoint.",
        )
    if rules.published:
        columns = columns[np.unique(places[columns], return_index=True)[1]]
    ones = np.ones(len(columns), dtype=np.float32)
    moves = sparse.csr_matrix((ones, (columns, places[columns])), shape=(len(places), rules.n_genes))
    listed = sparse.csr_matrix(matrix @ moves)
    listed.eliminate_zeros()
    return listed
