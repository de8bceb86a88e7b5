"""Where the genes of a network stand in its picture, and which links are drawn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scviz.networks.contract import Edges

MOST_GENES, MOST_LINKS = 300, 900
CENTERING = 0.05
"""How strongly the middle attracts every gene, by the strongest link: parts that no link joins stay near."""
ITERATIONS, FIRST_STEP = 500, 10
"""Rounds, in each of which a gene moves no farther than a step; the first is the root of their number by this."""
GAP, PUSHES = 0.7, 40
"""Genes lie at least as far apart, as a share of what a grid of them would give; so often is it tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbor:
    """A gene at the other end of a link."""

    gene: str
    role: Literal["target", "regulator", "linked"]
    """Whether the link leads to it or comes from it, or has no direction."""
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A picture of G genes and L links."""

    genes: tuple[str, ...]
    x: tuple[float, ...]
    """Of each gene, 0 to 1 from left to right."""
    y: tuple[float, ...]
    """Of each gene, 0 to 1 from the bottom to the top."""
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
        ends = np.array([*self.sources, *self.targets], dtype=np.int64)
        return [int(n) for n in np.bincount(ends, minlength=len(self.genes))]

    def neighbors(self, gene: str) -> list[Neighbor]:
        """List the genes that a drawn link joins to a gene, the strongest link first."""
        own = self.genes.index(gene)
        found = []
        for source, target, weight in zip(self.sources, self.targets, self.weights, strict=True):
            if own in (source, target):
                other = target if source == own else source
                role: Literal["target", "regulator"] = "target" if source == own else "regulator"
                found.append(
                    Neighbor(gene=self.genes[other], role=role if self.directed else "linked", weight=weight)
                )
        return found


def draw(
    edges: Edges,
    groups: Mapping[str, str],
    *,
    most_genes: int = MOST_GENES,
    most_links: int = MOST_LINKS,
    seed: int = 0,
) -> Drawing:
    """Choose what is drawn of a network, and lay it out.

    Genes with the largest sum of weights are kept, if a link joins them to another of these. Each keeps its strongest
    link; the strongest of the others follow. Positions are those of Fruchterman and Reingold, with a weak pull to the
    middle; genes that would hide each other are pushed apart.

    Parameters
    ----------
    edges
        Links, the strongest first; weights are positive.
    groups
        Module of a gene, by name.

    References
    ----------
    Fruchterman and Reingold (1991), doi:10.1002/spe.4380211102.
    """
    strongest = _strongest_genes(edges, most_genes)
    ends = list(zip(edges.sources, edges.targets, strict=True))
    rows = [i for i, pair in enumerate(ends) if strongest.issuperset(pair)]
    genes = list(dict.fromkeys(gene for i in rows for gene in ends[i]))
    place = {gene: i for i, gene in enumerate(genes)}
    pairs = np.array([[place[gene] for gene in ends[i]] for i in rows], dtype=np.int64).reshape(-1, 2)
    weights = edges.weights[rows]
    kept = _thinned(pairs, most_links)
    pairs, weights = pairs[kept], weights[kept]
    positions = _positions(len(genes), pairs, weights, seed=seed)
    return Drawing(
        genes=tuple(genes),
        x=tuple(positions[:, 0].round(4).tolist()),
        y=tuple(positions[:, 1].round(4).tolist()),
        groups=tuple(groups.get(gene, "") for gene in genes),
        sources=tuple(pairs[:, 0].tolist()),
        targets=tuple(pairs[:, 1].tolist()),
        weights=tuple(weights.tolist()),
        directed=edges.directed,
        rule=_rule(len(genes), len({*edges.sources, *edges.targets}), n_links=len(pairs), n_all=len(ends)),
    )


def by_regulator(edges: Edges) -> dict[str, str]:
    """Group genes with the regulator of their strongest link, and regulators with themselves."""
    groups: dict[str, str] = {}
    for source, target in zip(edges.sources, edges.targets, strict=True):
        groups.setdefault(target, source)
    return groups | {source: source for source in edges.sources}


def _strongest_genes(edges: Edges, most: int) -> set[str]:
    total: defaultdict[str, float] = defaultdict(float)
    for source, target, weight in zip(edges.sources, edges.targets, edges.weights, strict=True):
        total[source] += weight
        total[target] += weight
    return set(sorted(total, key=lambda gene: (-total[gene], gene))[:most])


def _thinned(pairs: NDArray[np.int64], most: int) -> list[int]:
    """Choose links that come strongest first: the first of each gene, then others in their order."""
    seen: set[int] = set()
    first: list[int] = []
    others: list[int] = []
    for i, pair in enumerate(pairs.tolist()):
        (others if seen.issuperset(pair) else first).append(i)
        seen.update(pair)
    return sorted([*first, *others[: max(0, most - len(first))]])


def _positions(
    n_genes: int, pairs: NDArray[np.int64], weights: NDArray[np.float64], *, seed: int
) -> NDArray[np.float64]:
    """Lay genes out, (G, 2) between 0 and 1."""
    if not n_genes:
        return np.empty((0, 2))
    strength = np.zeros((n_genes + 1, n_genes + 1))  # the last stands for the middle
    drawn = np.maximum(weights / weights.max(), 1e-3)
    np.add.at(strength, (pairs[:, 0], pairs[:, 1]), drawn)
    strength[:n_genes, n_genes] = CENTERING
    strength = strength + strength.T
    places = np.random.default_rng(seed).random((n_genes + 1, 2))
    for step in np.linspace(np.sqrt(n_genes + 1) / FIRST_STEP, 0, ITERATIONS, endpoint=False):
        squares = (places**2).sum(axis=1)
        squared = np.maximum(
            squares[:, None] + squares - 2 * places @ places.T, 1e-12
        )  # (G + 1, G + 1) distances
        push = 1 / squared - strength * np.sqrt(squared)  # times the difference: 1 / d less w d^2
        moves = push.sum(axis=1)[:, None] * places - push @ places  # (G + 1, 2)
        length = np.maximum(np.linalg.norm(moves, axis=1), 1e-12)
        places = places + moves * (np.minimum(length, step) / length)[:, None]
    return _filled(_apart(_filled(places[:n_genes]), GAP / np.sqrt(n_genes)))


def _filled(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Stretch places to fill 0 to 1 in both directions, (G, 2)."""
    span = np.ptp(places, axis=0)
    return np.asarray(np.where(span > 0, (places - places.min(axis=0)) / np.where(span > 0, span, 1), 0.5))


def _apart(places: NDArray[np.float64], gap: float) -> NDArray[np.float64]:
    """Push genes apart that would hide each other, (G, 2)."""
    for _ in range(PUSHES):
        away = places[:, None] - places[None]  # (G, G, 2)
        distance = np.linalg.norm(away, axis=2)
        np.fill_diagonal(distance, gap)
        lacking = np.clip(gap - distance, 0, None) / np.maximum(distance, 1e-9)
        places = places + 0.5 * (away * lacking[..., None]).sum(axis=1)
    return places


def _rule(n_drawn: int, n_genes: int, *, n_links: int, n_all: int) -> str:
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
