"""Graphs of genes whose vectors are alike: nearest neighbors, a threshold, or the graph of published pipelines."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from scviz.networks.contract import Edges

N_NEIGHBORS = 15
THRESHOLD = 0.5
"""Cosine from which the published global graph of scGPT has a link."""
BLOCK = 2000
"""Rows of the similarity matrix that are held at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneGraph:
    """G genes and E links without direction, each pair once."""

    n_genes: int
    first: NDArray[np.int64]
    """(E,) the gene of each link that comes first."""
    second: NDArray[np.int64]
    """(E,) the other one."""
    weights: NDArray[np.float64]
    """(E,) above 0."""

    def edges(self, genes: Sequence[str]) -> Edges:
        """Name the links, the strongest first."""
        order = np.argsort(-self.weights, kind="stable")
        return Edges(
            sources=tuple(genes[i] for i in self.first[order]),
            targets=tuple(genes[i] for i in self.second[order]),
            weights=self.weights[order],
            directed=False,
        )


def unit_vectors(vectors: NDArray[np.floating], *, centered: bool = True) -> NDArray[np.float64]:
    """Bring vectors of genes to length 1, so that the product of two is their cosine.

    Raw vectors of language models share a large common part: nearly all cosines are close to 1 then.

    Parameters
    ----------
    vectors
        (G, D).
    centered
        Whether the mean over genes is subtracted first; published pipelines do not.

    Examples
    --------
    >>> unit_vectors(np.array([[3.0, 4.0], [0.0, 0.0]]), centered=False)
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    shifted = np.asarray(vectors, dtype=np.float64)
    if centered:
        shifted = shifted - shifted.mean(axis=0)
    lengths = np.linalg.norm(shifted, axis=1, keepdims=True)
    return np.asarray(np.divide(shifted, lengths, out=np.zeros_like(shifted), where=lengths > 0))


def cosines(vectors: NDArray[np.floating], *, centered: bool = True) -> NDArray[np.float64]:
    """Compare all genes with all, (G, G)."""
    unit = unit_vectors(vectors, centered=centered)
    return np.asarray(unit @ unit.T)


def most_similar(
    vectors: NDArray[np.floating], gene: int, *, centered: bool = True
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Rank all genes by their cosine to one of them, itself included.

    Returns
    -------
    (G,) genes, the most similar first, and the cosine of each.
    """
    unit = unit_vectors(vectors, centered=centered)
    found = unit @ unit[gene]
    order = np.argsort(-found, kind="stable")
    return order, found[order]


def threshold_graph(
    vectors: NDArray[np.floating], threshold: float = THRESHOLD, *, centered: bool = True
) -> GeneGraph:
    """Link genes whose cosine is at least a threshold, by their vectors, (G, D); a block of rows at a time."""
    pairs = [np.empty((0, 2), dtype=np.int64)]
    weights = [np.empty(0)]
    for start, block in _blocks(unit_vectors(vectors, centered=centered)):
        rows, columns = np.nonzero(block >= threshold)
        later = columns > rows + start
        pairs.append(np.stack([rows[later] + start, columns[later]], axis=1))
        weights.append(block[rows[later], columns[later]])
    found = np.concatenate(pairs)
    return GeneGraph(
        n_genes=len(vectors), first=found[:, 0], second=found[:, 1], weights=np.concatenate(weights)
    )


def nearest_graph(
    vectors: NDArray[np.floating], n_neighbors: int = N_NEIGHBORS, *, centered: bool = True
) -> GeneGraph:
    """Link genes, (G, D), if either is among the nearest of the other by cosine; one of 0 or less links nothing."""
    n_genes = len(vectors)
    n_nearest = min(n_neighbors, n_genes - 1)
    linked = sparse.lil_matrix((n_genes, n_genes)).tocsr()
    for start, block in _blocks(unit_vectors(vectors, centered=centered)):
        own = np.arange(len(block))
        block[own, own + start] = -np.inf
        nearest = np.argpartition(-block, n_nearest - 1, axis=1)[:, :n_nearest]  # (B, K)
        cosine = np.take_along_axis(block, nearest, axis=1)
        rows = np.broadcast_to(own[:, None] + start, nearest.shape)
        kept = cosine > 0
        entries = (cosine[kept], (rows[kept], nearest[kept]))
        linked = linked + sparse.csr_matrix(entries, shape=linked.shape)
    return _graph(linked.maximum(linked.T))


def published_graph(
    vectors: NDArray[np.floating], n_neighbors: int = N_NEIGHBORS, *, seed: int = 0
) -> GeneGraph:
    """Link genes as the pipelines of scGPT and scFoundation do: Euclidean neighbors, weights of UMAP.

    Notes
    -----
    `scanpy.pp.neighbors` with its defaults on the vectors, (G, D), as they are, as 32-bit numbers.
    """
    import scanpy as sc
    from anndata import AnnData

    adata = AnnData(np.asarray(vectors, dtype=np.float32))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of threads, and of what scanpy will change
        sc.pp.neighbors(adata, n_neighbors=n_neighbors, use_rep="X", random_state=seed)
    return _graph(sparse.csr_matrix(adata.obsp["connectivities"]))


def _blocks(unit: NDArray[np.float64]) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Give rows of the similarity matrix, (B, G), with the number of the first."""
    for start in range(0, len(unit), BLOCK):
        yield start, unit[start : start + BLOCK] @ unit.T


def _graph(symmetric: sparse.csr_matrix) -> GeneGraph:
    upper = sparse.triu(symmetric, k=1).tocoo()
    return GeneGraph(
        n_genes=symmetric.shape[0],
        first=upper.row.astype(np.int64),
        second=upper.col.astype(np.int64),
        weights=upper.data.astype(np.float64),
    )
