"""Which known markers of types of cells the markers of a group resemble, and whether that is more than chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.evidence import LEVEL, fdr
from scviz.metrics.matched_null import MatchedNull
from scviz.networks.contract import GeneSet
from scviz.networks.enrichment import OverRepresentation, over_representation
from scviz.networks.enrichment_null import draws_for, membership, overlap_by_chance
from scviz.networks.gmt import programs
from scviz.tasks.markers import Suggestion

OF_CELLS = (
    *("T cells", "NK cells", "B cells", "Plasma cells", "Monocytes", "Macrophages", "Dendritic cells"),
    *("Neutrophils", "Mast cells", "Erythroid cells", "Platelets", "Hematopoietic stem", "Endothelial cells"),
    *("Fibroblasts", "Smooth muscle", "Epithelial cells"),
)
"""How the names of programs begin that are those of cells, not of what cells do."""
FEWEST_SHARED = 3
"""Markers that a suggestion rests on at least."""
N_RANDOM = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """G genes among which markers were looked for."""

    genes: tuple[str, ...]
    """As known markers are written: human symbols in capitals, which those of mouse become."""
    levels: NDArray[np.float64]
    """(G,) mean expression."""


def cell_programs() -> tuple[GeneSet, ...]:
    """Return the programs of scviz that are markers of a type of cells."""
    return tuple(one for one in programs() if one.name.startswith(OF_CELLS))


def suggest(
    markers: Sequence[NDArray[np.int64]], measured: Measured, sets: Sequence[GeneSet], *, seed: int
) -> tuple[Suggestion, ...]:
    """Suggest a name for each group.

    Parameters
    ----------
    markers
        Of each of K groups, (m,) places of its first markers among the genes, the best first.
    sets
        Known markers.
    """
    found = [over_representation([measured.genes[i] for i in own], sets, measured.genes) for own in markers]
    plain = np.array([[one.p for one in of_group.sets] for of_group in found])  # (K, S)
    likely = (fdr(plain.ravel()) <= LEVEL).reshape(plain.shape)
    null = MatchedNull(measured.levels)
    matched, expected = np.ones(plain.shape), np.full(plain.shape, np.nan)
    for k in np.flatnonzero(likely.any(axis=1)).tolist():
        chosen = np.flatnonzero(likely[k]).tolist()
        places = [_places(sets[s], measured) for s in chosen]
        by_chance = overlap_by_chance(
            membership(places, len(measured.genes)),
            np.asarray(markers[k], dtype=np.int64),
            null,
            n_draws=draws_for(plain.size, N_RANDOM),
            seed=seed,
        )
        matched[k, chosen], expected[k, chosen] = np.nan_to_num(by_chance.p, nan=1.0), by_chance.expected
    rates = fdr(np.maximum(plain, matched).ravel()).reshape(plain.shape)
    return tuple(
        _best(found[k], rates[k], expected[k], order=[measured.genes[i] for i in markers[k]])
        for k in range(len(markers))
    )


def _places(one: GeneSet, measured: Measured) -> NDArray[np.int64]:
    own = frozenset(one.genes)
    return np.array([i for i, gene in enumerate(measured.genes) if gene in own], dtype=np.int64)


def _best(
    found: OverRepresentation,
    rates: NDArray[np.float64],
    expected: NDArray[np.float64],
    *,
    order: Sequence[str],
) -> Suggestion:
    """Take the program that passes with the smallest plain p; random genes seldom tell the best ones apart."""
    passing = [
        s for s, one in enumerate(found.sets) if rates[s] <= LEVEL and len(one.overlap) >= FEWEST_SHARED
    ]
    if not passing:
        return Suggestion(name="")
    passing.sort(key=lambda s: found.sets[s].p)
    best = found.sets[passing[0]]
    return Suggestion(
        name=best.name,
        genes=tuple(sorted(best.overlap, key=order.index)),
        n_program=best.n_set,
        expected=float(expected[passing[0]]),
        fdr=float(rates[passing[0]]),
        second=found.sets[passing[1]].name if len(passing) > 1 else "",
    )
