"""The network behind a simulated screen: which gene regulates which, and what follows from a change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.simulated import Simulation

HOUSEKEEPING = 0.3
"""Share of the genes besides regulators that nothing regulates."""
N_REGULATORS = (0.35, 0.35, 0.2, 0.1)
"""How often a target has 1, 2, 3, 4 regulators."""
FOLD, HILL = (1.0, 2.5), (1.0, 2.5)
"""Range of the largest log fold and of the Hill coefficient."""
FROM_OWN_PATHWAY = 0.85
FEED_FORWARD = 0.3
"""Chance of a second regulator within a pathway, and of one between pathways."""
BETWEEN = 0.6
"""Strength of an edge between pathways."""
REPRESSED_REGULATOR, REPRESSED_TARGET = 0.1, 0.3
"""Chance that an edge represses."""
TERMS_PER_PATHWAY, MEMBER_HAS_TERM = 4, 0.7
N_RANDOM_TERMS, RANDOM_TERMS_PER_GENE = 60, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """G genes in an order in which every edge points forward: regulators, targets, genes without regulators."""

    genes: tuple[str, ...]
    n_regulators: int
    """The first of the genes regulate others."""
    pathway: NDArray[np.int64]
    """(G,) pathway of each gene, -1 for those without regulators."""
    source: NDArray[np.int64]
    """(E,) regulator of each edge; edges are sorted by their target."""
    target: NDArray[np.int64]
    a: NDArray[np.float64]
    """(E,) largest log fold, negative where the edge represses."""
    n: NDArray[np.float64]
    """(E,) Hill coefficient."""

    def masters(self) -> NDArray[np.int64]:
        """Return the first regulator of each pathway, (P,)."""
        return np.unique(self.pathway[: self.n_regulators], return_index=True)[1]

    def log_folds(self, own: NDArray[np.floating]) -> NDArray[np.float64]:
        """Let what happens to single genes run through the network.

        Parameters
        ----------
        own
            (N, G) log fold that each gene gets by itself: noise, perturbation, offset.

        Returns
        -------
        (N, G) log fold of each gene against the unperturbed state.
        """
        folds = np.array(own.T, dtype=np.float64, order="C")  # (G, N): a gene is one piece of memory
        for source, target, a, n in zip(self.source, self.target, self.a, self.n, strict=True):
            folds[target] += phi(folds[source], a, n)
        return folds.T

    def descendants(self, gene: int) -> frozenset[int]:
        """Return the genes that a change of one gene can reach."""
        reached = {gene}
        for source, target in zip(self.source.tolist(), self.target.tolist(), strict=True):
            if source in reached:
                reached.add(target)
        return frozenset(reached - {gene})


def phi(fold: NDArray[np.float64], a: float, n: float) -> NDArray[np.float64]:
    """Say what a regulator at some log fold adds to the log fold of its target; 0 at 0.

    Parameters
    ----------
    fold
        (...,) log fold of the regulator.
    a
        Largest log fold of the thermodynamic factor (1 + e^a r^n) / (1 + r^n).
    n
        Hill coefficient.
    """
    change: NDArray[np.float64] = (
        np.logaddexp(0.0, a + n * fold) - np.logaddexp(0.0, n * fold) - np.log((1 + np.exp(a)) / 2)
    )
    return change


def build_network(simulation: Simulation, rng: np.random.Generator) -> Network:
    """Draw a network."""
    per_pathway, n_pathways = simulation.n_regulators, simulation.n_pathways
    n_regulators = per_pathway * n_pathways
    n_housekeeping = round(HOUSEKEEPING * (simulation.n_genes - n_regulators))
    n_targets = simulation.n_genes - n_regulators - n_housekeeping
    pathway = np.concatenate(
        [
            np.repeat(np.arange(n_pathways), per_pathway),
            np.sort(rng.integers(n_pathways, size=n_targets)),
            np.full(n_housekeeping, -1),
        ]
    )
    edges = [
        *_between_regulators(simulation, rng),
        *_to_targets(pathway[n_regulators : n_regulators + n_targets], simulation, rng),
    ]
    edges.sort(key=lambda edge: (edge[1], edge[0]))
    source, target, a = (np.array(column) for column in zip(*edges, strict=True))
    return Network(
        genes=_names(pathway, n_regulators, per_pathway),
        n_regulators=n_regulators,
        pathway=pathway,
        source=source,
        target=target,
        a=a,
        n=rng.uniform(*HILL, size=len(edges)),
    )


def draw_terms(network: Network, rng: np.random.Generator) -> dict[str, frozenset[str]]:
    """Draw what is known of each gene: most of the terms of its pathway, and two that mean nothing."""
    terms = {}
    for gene, pathway in zip(network.genes, network.pathway.tolist(), strict=True):
        of_pathway = np.flatnonzero(rng.random(TERMS_PER_PATHWAY) < MEMBER_HAS_TERM)
        random = rng.choice(N_RANDOM_TERMS, size=RANDOM_TERMS_PER_GENE, replace=False)
        known = [f"SIM:pathway {pathway + 1} term {i + 1}" for i in of_pathway] if pathway >= 0 else []
        terms[gene] = frozenset([*known, *(f"SIM:random term {i + 1}" for i in random)])
    return terms


Edge = tuple[int, int, float]
"""Source, target and largest log fold."""


def _between_regulators(simulation: Simulation, rng: np.random.Generator) -> list[Edge]:
    """Let a master drive the others of its pathway; few edges shortcut that, few join pathways."""
    per_pathway = simulation.n_regulators
    edges: list[Edge] = []
    for pathway in range(simulation.n_pathways):
        master = pathway * per_pathway
        if pathway and rng.random() < FEED_FORWARD:
            earlier = int(rng.integers(master))
            edges.append((earlier, master, BETWEEN * _strength(REPRESSED_REGULATOR, rng)))
        for regulator in range(master + 1, master + per_pathway):
            edges.append((master, regulator, _strength(REPRESSED_REGULATOR, rng)))
            if regulator > master + 1 and rng.random() < FEED_FORWARD:
                between = int(rng.integers(master + 1, regulator))
                edges.append((between, regulator, _strength(REPRESSED_REGULATOR, rng)))
    return edges


def _to_targets(pathways: NDArray[np.int64], simulation: Simulation, rng: np.random.Generator) -> list[Edge]:
    edges: list[Edge] = []
    per_pathway = simulation.n_regulators
    first = simulation.n_pathways * per_pathway
    for target, pathway in enumerate(pathways.tolist(), first):
        wanted = 1 + int(rng.choice(len(N_REGULATORS), p=N_REGULATORS))
        chosen: set[int] = set()
        while len(chosen) < min(wanted, per_pathway):
            own = rng.random() < FROM_OWN_PATHWAY
            low = pathway * per_pathway if own else 0
            chosen.add(int(rng.integers(low, low + per_pathway if own else first)))
        edges += [(regulator, target, _strength(REPRESSED_TARGET, rng)) for regulator in sorted(chosen)]
    return edges


def _strength(repressing: float, rng: np.random.Generator) -> float:
    size = float(rng.uniform(*FOLD))
    return -size if rng.random() < repressing else size


def _names(pathway: NDArray[np.int64], n_regulators: int, per_pathway: int) -> tuple[str, ...]:
    """Name genes by what they are, so that nobody takes them for real ones."""
    names = [f"P{p + 1}R{i % per_pathway + 1}" for i, p in enumerate(pathway[:n_regulators].tolist())]
    for i, p in enumerate(pathway[n_regulators:].tolist(), 1):
        names.append(f"P{p + 1}T{i}" if p >= 0 else f"HK{i}")
    return tuple(names)
