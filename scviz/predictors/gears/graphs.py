"""Graphs of genes: by shared terms, and by expression that rises and falls together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

N_NEIGHBORS = 20
"""Other genes that a gene listens to, at most."""
LEAST_OVERLAP = 0.1
"""Genes that share no more of their terms than this are not joined."""
LEAST_CORRELATION = 0.4
"""Genes whose expression is correlated no more than this are not joined."""
PAIRS_AT_A_TIME = 30_000_000
"""Pairs of genes that are in memory together."""
CELLS_AT_A_TIME = 1024
"""Cells that are in memory with their zeros."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneGraph:
    """Weighted arrows between genes, those from a gene to itself among them."""

    n_genes: int
    source: NDArray[np.int64]
    """(E,) where each arrow begins."""
    target: NDArray[np.int64]
    """(E,) where it ends: the gene that listens."""
    weight: NDArray[np.float64]
    """(E,) from 0 to 1."""

    @property
    def n_between(self) -> int:
        """Count the arrows between different genes."""
        return int((self.source != self.target).sum())

    def placed(self, places: NDArray[np.int64], n_genes: int) -> GeneGraph:
        """Return the same arrows in a larger list of genes, where gene i stands at `places[i]`, (n,)."""
        return GeneGraph(
            n_genes=n_genes, source=places[self.source], target=places[self.target], weight=self.weight
        )


def term_graph(
    terms: Mapping[str, frozenset[str]],
    genes: Sequence[str],
    *,
    n_neighbors: int = N_NEIGHBORS,
    least: float = LEAST_OVERLAP,
) -> GeneGraph:
    """Join genes by the share of their terms that they have in common (Jaccard).

    Each gene listens to the `n_neighbors` + 1 that share most, itself among them; of equals those that stand
    first in `genes`.

    Parameters
    ----------
    terms
        The terms of each gene, such as those of the Gene Ontology.
    genes
        Genes with terms.

    Examples
    --------
    >>> terms = {"A": frozenset("xy"), "B": frozenset("yz"), "C": frozenset("w")}
    >>> graph = term_graph(terms, ["A", "B", "C"])
    >>> graph.n_between, graph.weight.round(2).tolist()
    (2, [1.0, 0.33, 1.0, 0.33, 1.0])
    """
    column = {term: i for i, term in enumerate(sorted(set().union(*(terms[gene] for gene in genes))))}
    lists = [[column[term] for term in terms[gene]] for gene in genes]
    sizes = np.array([len(one) for one in lists], dtype=np.int64)
    columns = np.array([i for one in lists for i in one], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    member = sp.csr_matrix((np.ones(len(columns)), columns, starts), shape=(len(genes), len(column)))
    at_a_time = max(1, PAIRS_AT_A_TIME // len(genes))
    parts = []
    for start in range(0, len(genes), at_a_time):
        shared = (member[start : start + at_a_time] @ member.T).tocoo()
        target = shared.row.astype(np.int64) + start
        source = shared.col.astype(np.int64)
        overlap = shared.data / (sizes[target] + sizes[source] - shared.data)
        joined = overlap > least
        parts.append(_strongest(source[joined], target[joined], overlap[joined], n=n_neighbors + 1))
    return _together(parts, len(genes))


def coexpression_graph(
    expression: sp.csr_matrix, *, n_neighbors: int = N_NEIGHBORS, least: float = LEAST_CORRELATION
) -> GeneGraph:
    """Join genes by the absolute correlation of their expression over cells.

    Each gene listens to the `n_neighbors` + 1 with the highest, itself among them; genes that are equal in all
    cells are joined to none.

    Parameters
    ----------
    expression
        (N, G) log1p expression.
    """
    n_cells, n_genes = expression.shape
    means = np.asarray(expression.mean(axis=0, dtype=np.float64)).ravel()
    squares = sum(np.square(part).sum(axis=0, dtype=np.float64) for part in _centred(expression, means))
    varies = squares > 1e-9 * np.maximum(n_cells * means**2, 1)
    scale = np.where(varies, 1 / np.sqrt(np.where(varies, squares, 1)), 0)
    at_a_time = max(1, PAIRS_AT_A_TIME // n_genes)
    parts = []
    for start in range(0, n_genes, at_a_time):
        rows = slice(start, start + at_a_time)
        strength = np.zeros((len(scale[rows]), n_genes))  # (K, G)
        for part in _centred(expression, means):
            strength += part[:, rows].T @ part
        np.abs(strength, out=strength)
        strength *= scale[rows, None]
        strength *= scale
        target, source = np.nonzero(strength > least)
        weight = np.minimum(strength[target, source], 1.0)
        parts.append(_strongest(source, target + start, weight, n=n_neighbors + 1))
    return _together(parts, n_genes)


def _centred(cells: sp.csr_matrix, means: NDArray[np.float64]) -> Iterator[NDArray[np.float32]]:
    """Give expression less the mean of each gene, (some cells, G); dense, since BLAS is faster on it."""
    for start in range(0, cells.shape[0], CELLS_AT_A_TIME):
        yield (cells[start : start + CELLS_AT_A_TIME].toarray() - means).astype(np.float32)


def _strongest(
    source: NDArray[np.int64], target: NDArray[np.int64], weight: NDArray[np.float64], *, n: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Keep the n heaviest arrows into each gene; of equals those whose source comes first."""
    order = np.lexsort((source, -weight, target))
    ends = target[order]
    rank = np.arange(len(ends)) - np.searchsorted(ends, ends)
    kept = order[rank < n]
    return source[kept], target[kept], weight[kept]


def _together(
    parts: Sequence[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]], n_genes: int
) -> GeneGraph:
    source, target, weight = (np.concatenate(column) for column in zip(*parts, strict=True))
    return GeneGraph(n_genes=n_genes, source=source, target=target, weight=weight)
