"""Where the genes of a network stand in its picture, and which links are drawn."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import igraph
import numpy as np
from numpy.typing import NDArray

from scviz.networks.contract import Edges

MOST_GENES, MOST_LINKS = 300, 900
CENTERING = 0.05
"""How strongly the middle attracts every gene, by the strongest link: parts that no link joins stay near."""
ITERATIONS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A picture of G genes and L links."""

    genes: tuple[str, ...]
    x: tuple[float, ...]
    """Of each gene, 0 to 1."""
    y: tuple[float, ...]
    groups: tuple[str, ...]
    """Name of the module of each gene, by which it is colored; empty for genes of none."""
    sources: tuple[int, ...]
    """(L,) which gene each link starts from, the strongest link first."""
    targets: tuple[int, ...]
    weights: tuple[float, ...]
    directed: bool
    rule: str
    """Which genes and links are drawn, in words."""

    @property
    def degrees(self) -> list[int]:
        """Links of each gene that are drawn."""
        return np.bincount([*self.sources, *self.targets], minlength=len(self.genes)).tolist()


def draw(
    edges: Edges,
    groups: Mapping[str, str],
    *,
    most_genes: int = MOST_GENES,
    most_links: int = MOST_LINKS,
    seed: int = 0,
) -> Drawing:
    """Choose what is drawn of a network, and lay it out.

    Genes with the largest sum of weights are kept. Among them each keeps its strongest link; the strongest of the others
    follow. Positions are those of Fruchterman and Reingold, with a weak pull to the middle.

    Parameters
    ----------
    edges
        Links, the strongest first; weights are positive.
    groups
        Module of a gene, by name.
    """
    genes = _strongest_genes(edges, most_genes)
    place = {gene: i for i, gene in enumerate(genes)}
    rows = [
        i
        for i, pair in enumerate(zip(edges.sources, edges.targets, strict=True))
        if set(pair) <= place.keys()
    ]
    pairs = np.array(
        [(place[edges.sources[i]], place[edges.targets[i]]) for i in rows], dtype=np.int64
    ).reshape(-1, 2)
    weights = edges.weights[rows]
    kept = _thinned(pairs, most_links)
    pairs, weights = pairs[kept], weights[kept]
    positions = _positions(len(genes), pairs, weights, seed)
    n_genes = len({*edges.sources, *edges.targets})
    return Drawing(
        genes=tuple(genes),
        x=tuple(positions[:, 0].round(4).tolist()),
        y=tuple(positions[:, 1].round(4).tolist()),
        groups=tuple(groups.get(gene, "") for gene in genes),
        sources=tuple(pairs[:, 0].tolist()),
        targets=tuple(pairs[:, 1].tolist()),
        weights=tuple(weights.tolist()),
        directed=edges.directed,
        rule=_rule(len(genes), n_genes, len(pairs), len(edges.sources)),
    )


def _strongest_genes(edges: Edges, most: int) -> list[str]:
    total: defaultdict[str, float] = defaultdict(float)
    for source, target, weight in zip(edges.sources, edges.targets, edges.weights, strict=True):
        total[source] += weight
        total[target] += weight
    return sorted(sorted(total), key=lambda gene: -total[gene])[:most]


def _thinned(pairs: NDArray[np.int64], most: int) -> list[int]:
    """Choose links that come strongest first: the first of each gene, then others in their order."""
    seen: set[int] = set()
    first, others = [], []
    for i, pair in enumerate(pairs.tolist()):
        (others if seen.issuperset(pair) else first).append(i)
        seen.update(pair)
    return sorted([*first, *others[: max(0, most - len(first))]])


def _positions(
    n_genes: int, pairs: NDArray[np.int64], weights: NDArray[np.float64], seed: int
) -> NDArray[np.float64]:
    """Lay genes out, (G, 2) between 0 and 1."""
    if not n_genes:
        return np.empty((0, 2))
    middle = n_genes
    strength = weights / weights.max() if len(weights) else weights
    pulls = [(gene, middle) for gene in range(n_genes)]
    graph = igraph.Graph(n_genes + 1, [*pairs.tolist(), *pulls])
    igraph.set_random_number_generator(random.Random(seed))
    laid = graph.layout_fruchterman_reingold(
        weights=[*np.maximum(strength, 1e-3).tolist(), *[CENTERING] * n_genes],
        seed=np.random.default_rng(seed).random((n_genes + 1, 2)).tolist(),
        niter=ITERATIONS,
        grid=False,
    )
    places = np.array(laid.coords)[:middle]
    span = float(np.ptp(places, axis=0).max()) or 1.0
    return np.asarray((places - places.min(axis=0)) / span)


def _rule(n_drawn: int, n_genes: int, n_links: int, n_all: int) -> str:
    genes = (
        f"All {n_genes:,} genes"
        if n_drawn == n_genes
        else f"{n_drawn:,} of {n_genes:,} genes, those linked most,"
    )
    links = (
        f"all {n_all:,} links"
        if n_links == n_all
        else f"{n_links:,} of {n_all:,} links, the strongest of each gene first"
    )
    return f"{genes} and {links}."


def edges_within(sets: Sequence[Sequence[str]], edges: Edges) -> Edges:
    """Keep links between two genes of the same set."""
    of_set: defaultdict[str, set[int]] = defaultdict(set)
    for i, genes in enumerate(sets):
        for gene in genes:
            of_set[gene].add(i)
    pairs = zip(edges.sources, edges.targets, strict=True)
    rows = [i for i, (source, target) in enumerate(pairs) if of_set[source] & of_set[target]]
    return Edges(
        sources=tuple(edges.sources[i] for i in rows),
        targets=tuple(edges.targets[i] for i in rows),
        weights=edges.weights[rows],
        directed=edges.directed,
    )
