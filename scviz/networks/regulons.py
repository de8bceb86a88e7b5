"""From links to regulons: co-expression modules of a regulator, kept where other evidence supports them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.networks import overlap
from scviz.networks.contract import Edges, GeneSet

RHO = 0.03
"""Correlations nearer to 0 say nothing of the direction."""
Direction = Literal["activating", "repressing"]
SIGNS: Mapping[Direction, str] = {"activating": "(+)", "repressing": "(-)"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Families:
    """The ways in which modules are cut from the list of links."""

    quantiles: tuple[float, ...] = (0.75, 0.90)
    """Links above these quantiles of all strengths."""
    top_targets: tuple[int, ...] = (50,)
    """The strongest links of each regulator."""
    top_regulators: tuple[int, ...] = (5, 10, 50)
    """The strongest links of each target."""
    fewest_genes: int = 20
    """Smaller modules are left out; the regulator counts."""
    repressing: bool = False
    """Whether links with negative correlation make modules of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoexpressionModule:
    """Targets of a regulator by one of the families, the regulator itself among them."""

    regulator: str
    direction: Direction
    family: str
    """`weight>75.0%`, `top50` or `top5perTarget`."""
    weights: dict[str, float]
    """Of each gene; the regulator has 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Regulon:
    """A regulator with the targets that are left."""

    regulator: str
    direction: Direction
    weights: dict[str, float]
    score: float
    """What the evidence is worth: larger is more. NaN without evidence."""
    evidence: tuple[str, ...] = ()
    """Motifs that support them."""

    @property
    def name(self) -> str:
        """`TF(+)` or `TF(-)`."""
        return f"{self.regulator}{SIGNS[self.direction]}"

    @property
    def gene_set(self) -> GeneSet:
        """Its genes, the heaviest first."""
        genes = sorted(self.weights, key=lambda gene: (-self.weights[gene], gene))
        return GeneSet(
            name=self.name,
            genes=tuple(genes),
            regulator=self.regulator,
            weights=tuple(self.weights[gene] for gene in genes),
        )


def regulation(rho: NDArray[np.float64], threshold: float = RHO) -> NDArray[np.int64]:
    """Tell the direction of links by their correlation, (L,): 1, -1, or 0 where it is too small.

    Examples
    --------
    >>> regulation(np.array([0.5, -0.5, 0.01, np.nan])).tolist()
    [1, -1, 0, 0]
    """
    return (rho > threshold).astype(np.int64) - (rho < -threshold).astype(np.int64)


def coexpression_modules(
    edges: Edges, rho: NDArray[np.float64], families: Families
) -> list[CoexpressionModule]:
    """Cut modules from the links of a network, those of one family after the other.

    Parameters
    ----------
    edges
        L links, the strongest first.
    rho
        (L,) correlation of each link's genes.

    References
    ----------
    Aibar et al. (2017), doi:10.1038/nmeth.4463.
    """
    signs = regulation(rho)
    directions: tuple[Direction, ...] = (
        ("activating", "repressing") if families.repressing else ("activating",)
    )
    found = []
    for direction in directions:
        rows = np.flatnonzero(signs == (1 if direction == "activating" else -1))
        for family, chosen in _families(edges, rows, families):
            found += _modules(edges, chosen, direction=direction, family=family)
    return [module for module in found if len(module.weights) >= families.fewest_genes]


def _families(
    edges: Edges, rows: NDArray[np.int64], families: Families
) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Choose links for each family; all of them know of the whole list, `rows` of one direction."""
    weights = edges.weights
    for quantile in families.quantiles:
        least = np.quantile(weights, quantile) if len(weights) else 0.0
        yield f"weight>{100 * quantile}%", rows[weights[rows] > least]
    for n in families.top_targets:
        yield f"top{n}", _strongest_of_each(np.asarray(edges.sources), weights, rows, n=n)
    for n in families.top_regulators:
        yield f"top{n}perTarget", _strongest_of_each(np.asarray(edges.targets), weights, rows, n=n)


def _strongest_of_each(
    groups: NDArray[np.str_], weights: NDArray[np.float64], rows: NDArray[np.int64], *, n: int
) -> NDArray[np.int64]:
    """Keep the n strongest links of each group; of equal ones the earlier."""
    order = rows[np.argsort(-weights[rows], kind="stable")]
    order = order[np.argsort(groups[order], kind="stable")]
    starts = np.flatnonzero(np.r_[True, groups[order][1:] != groups[order][:-1]]) if len(order) else order
    place = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    return np.sort(order[place < n])


def _modules(
    edges: Edges, rows: NDArray[np.int64], *, direction: Direction, family: str
) -> list[CoexpressionModule]:
    """Gather links by regulator, sorted by its name."""
    genes: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for row in rows.tolist():
        genes[edges.sources[row]][edges.targets[row]] = float(edges.weights[row])
    return [
        CoexpressionModule(
            regulator=regulator,
            direction=direction,
            family=family,
            weights=genes[regulator] | {regulator: 1.0},
        )
        for regulator in sorted(genes)
    ]


def union(parts: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Join weighted genes; the largest weight of a gene counts.

    Examples
    --------
    >>> union([{"A": 1.0}, {"A": 3.0, "B": 2.0}])
    {'A': 3.0, 'B': 2.0}
    """
    joined: dict[str, float] = {}
    for part in parts:
        for gene, weight in part.items():
            joined[gene] = max(weight, joined.get(gene, weight))
    return joined


def joined_modules(modules: Sequence[CoexpressionModule]) -> list[Regulon]:
    """Join the modules of each regulator without pruning: co-expression alone."""
    return [
        Regulon(regulator=regulator, direction=direction, weights=weights, score=float("nan"))
        for (regulator, direction), weights in _by_regulator(modules).items()
    ]


def pruned_by_prior(
    modules: Sequence[CoexpressionModule],
    prior: Mapping[str, frozenset[str]],
    measured: Iterable[str],
    *,
    fewest_genes: int = 5,
) -> list[Regulon]:
    """Keep of each regulator's modules the genes that a table of known links names.

    Parameters
    ----------
    prior
        Known targets of each regulator.
    measured
        All genes that could have been in a module.
    fewest_genes
        Regulons with fewer known targets are left out.

    Returns
    -------
    Regulons with -log10 of the hypergeometric p of their overlap as score, the highest first.
    """
    universe, kept = frozenset(measured), []
    for (regulator, direction), weights in _by_regulator(modules).items():
        known = (prior.get(regulator, frozenset()) & universe) - {regulator}
        genes = weights.keys() - {regulator}
        hits = known & genes
        if len(hits) < fewest_genes:
            continue
        found = overlap(len(hits), n_chosen=len(genes), n_known=len(known), n_all=len(universe) - 1)
        kept.append(
            Regulon(
                regulator=regulator,
                direction=direction,
                weights={gene: weights[gene] for gene in sorted(hits)} | {regulator: 1.0},
                score=-float(np.log10(max(found.p, 1e-300))),
            )
        )
    return sorted(kept, key=lambda regulon: -regulon.score)


def _by_regulator(
    modules: Sequence[CoexpressionModule],
) -> dict[tuple[str, Direction], dict[str, float]]:
    groups: defaultdict[tuple[str, Direction], list[dict[str, float]]] = defaultdict(list)
    for module in modules:
        groups[module.regulator, module.direction].append(module.weights)
    return {key: union(groups[key]) for key in sorted(groups)}
