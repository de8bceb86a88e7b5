"""Cut a graph of genes, or of cells, into groups, and tell how firm the cut is."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from scviz.progress import Progress, Report, silent

if TYPE_CHECKING:
    from scviz.networks.similarity import GeneGraph

Communities = Literal["louvain", "leiden"]
FEWEST_GENES = 5
RESOLUTIONS = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0)
"""The ladder on which stability is looked at; published pipelines take 5 to 40."""
N_SEEDS = 3
TOLERANCE = 1e-9
"""A smaller gain of modularity ends the search."""
N_DRAWS = 4
"""Cuts that are tried, each with its own order of genes; the one of highest modularity is kept."""


def communities(
    graph: GeneGraph, method: Communities = "louvain", resolution: float = 1.0, *, seed: int = 0
) -> NDArray[np.int64]:
    """Find communities by modularity, the best of a few cuts.

    Parameters
    ----------
    resolution
        More makes more and smaller communities.

    Returns
    -------
    (G,) community of each gene: 0 is the largest. Without links each gene is one of its own.

    References
    ----------
    Blondel et al. (2008), doi:10.1088/1742-5468/2008/10/P10008 (Louvain); Traag et al. (2019),
    doi:10.1038/s41598-019-41695-z (Leiden).
    """
    return cuts(graph, method, resolution, seed=seed)[0]


def cuts(
    graph: GeneGraph,
    method: Communities,
    resolution: float,
    *,
    seed: int,
    n_cuts: int = N_DRAWS,
    tolerance: float = TOLERANCE,
) -> list[NDArray[np.int64]]:
    """Cut a graph of genes or cells several times, each time beginning elsewhere.

    Parameters
    ----------
    tolerance
        A smaller gain of modularity ends a search.

    Returns
    -------
    As `communities`, (G,) each, the one of highest modularity first.
    """
    from sknetwork.clustering import Leiden, Louvain  # pages read what is cut here, and never cut

    if not len(graph.first):
        return [np.arange(graph.n_genes)] * n_cuts
    finder = {"louvain": Louvain, "leiden": Leiden}[method]
    half = sparse.csr_array((graph.weights, (graph.first, graph.second)), shape=(graph.n_genes,) * 2)
    links = sparse.csr_matrix(half + half.T)  # (G, G)
    options = {"modularity": "newman", "tol_optimization": tolerance, "tol_aggregation": tolerance}
    found = []
    for draw in range(n_cuts):
        own_seed = n_cuts * seed + draw
        _seed_c_library(own_seed)
        one = finder(resolution, **options, shuffle_nodes=True, random_state=own_seed)
        found.append(one.fit_predict(links))
    found.sort(key=lambda cut: -modularity(graph, cut, resolution))
    return [by_size(cut.astype(np.int64)) for cut in found]


def _seed_c_library(seed: int) -> None:
    """Seed rand() of the C library: scikit-network refines Leiden's groups with it, whatever its own seed is."""
    library = ctypes.CDLL("ucrtbase" if os.name == "nt" else None)
    library.srand(ctypes.c_uint(seed))


def by_size(membership: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give groups new numbers, (G,), the largest first; of equal ones the first to come.

    Examples
    --------
    >>> by_size(np.array([4, 7, 7])).tolist()
    [1, 0, 0]
    """
    if not len(membership):
        return membership
    _, first, codes, sizes = np.unique(membership, return_index=True, return_inverse=True, return_counts=True)
    place = np.empty(len(sizes), dtype=np.int64)
    place[np.lexsort((first, -sizes))] = np.arange(len(sizes))
    return place[codes]


def large_enough(membership: NDArray[np.int64], fewest_genes: int = FEWEST_GENES) -> NDArray[np.int64]:
    """Keep modules of some size, (G,); -1 for genes of smaller ones.

    Examples
    --------
    >>> large_enough(np.array([0, 0, 1]), fewest_genes=2).tolist()
    [0, 0, -1]
    """
    sizes = np.bincount(membership, minlength=1)
    return np.where(sizes[membership] >= fewest_genes, membership, -1)


def modularity(graph: GeneGraph, membership: NDArray[np.int64], resolution: float = 1.0) -> float:
    """Measure how much more of the weight lies within communities than by chance.

    Parameters
    ----------
    membership
        (G,) community of each gene.
    resolution
        How much of what chance gives is subtracted.

    Returns
    -------
    Up to 1; NaN without links.

    References
    ----------
    Newman (2006), doi:10.1073/pnas.0601602103.
    """
    if not len(graph.first):
        return float("nan")
    first, second = membership[graph.first], membership[graph.second]  # (E,)
    total = graph.weights.sum()
    ends = np.concatenate([first, second])
    shares = np.bincount(ends, weights=np.tile(graph.weights, 2)) / (2 * total)  # of each community
    return float(graph.weights[first == second].sum() / total - resolution * (shares**2).sum())


def agreement(first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    """Compare two cuts of the same genes, (G,) each, by the adjusted Rand index: 1 is equal, 0 chance."""
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(first, second))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stability:
    """How firm cuts are at K resolutions."""

    resolutions: tuple[float, ...]
    n_modules: tuple[int, ...]
    """Large enough ones."""
    share: tuple[float, ...]
    """Of genes in them."""
    modularity: tuple[float, ...]
    """At resolution 1, so that cuts can be compared."""
    between_seeds: tuple[float, ...]
    """Mean agreement of cuts with other seeds, adjusted Rand index."""
    to_next: tuple[float, ...]
    """Agreement with the next resolution; NaN for the last."""


def stability(
    graph: GeneGraph,
    method: Communities,
    resolutions: Sequence[float] = RESOLUTIONS,
    *,
    fewest_genes: int = FEWEST_GENES,
    seed: int = 0,
    report: Report = silent,
) -> Stability:
    """Cut a graph at several resolutions, with several seeds each."""
    cuts = []
    for done, resolution in enumerate(resolutions):
        report(Progress(stage="Trying resolutions", done=done, total=len(resolutions)))
        cuts.append([communities(graph, method, resolution, seed=seed + i) for i in range(N_SEEDS)])
    kept = [large_enough(cut[0], fewest_genes) for cut in cuts]
    return Stability(
        resolutions=tuple(resolutions),
        n_modules=tuple(int(one.max(initial=-1)) + 1 for one in kept),
        share=tuple(float((one >= 0).mean()) for one in kept),
        modularity=tuple(modularity(graph, cut[0]) for cut in cuts),
        between_seeds=tuple(float(np.mean([agreement(cut[0], other) for other in cut[1:]])) for cut in cuts),
        to_next=(*(agreement(a[0], b[0]) for a, b in pairwise(cuts)), float("nan")),
    )
