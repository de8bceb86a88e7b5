"""How far two columns of names agree on the same cells: exactly, coarsely, and where they disagree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.classification import confusion_matrix
from scviz.metrics.evidence import Interval, resample

SAME, BROADER, NARROWER, COARSE, DIFFERENT, UNKNOWN = range(6)
"""How a name stands to another one: as `scviz.datasets.name_relations` tells."""
EXACT = (SAME,)
COARSELY = (SAME, BROADER, NARROWER, COARSE)
"""Names of one coarse type, or one of which is a kind of the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Cells that have these two names."""

    own: int
    other: int
    relation: int
    n_cells: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NameComparison:
    """What two columns of names say of N cells."""

    of_cells: NDArray[np.int8]
    """(N,) SAME to UNKNOWN; -1 for cells that lack one of the names."""
    exact: Interval
    """Share of the cells with both names whose names are the same, of those whose names can be compared."""
    coarse: Interval
    """Share of those whose names are of one coarse type."""
    n_both: int
    """Cells with both names."""
    n_unknown: int
    """Cells with both names that cannot be compared."""
    by_chance: float
    """Share that would be coarsely the same if the names were dealt to the cells anew."""
    pairs: tuple[Pair, ...]
    """Names that are not the same: those that differ, then what cannot be compared; that of most cells first."""


def compare_names(
    own: NDArray[np.integer], other: NDArray[np.integer], relations: NDArray[np.integer], *, seed: int = 0
) -> NameComparison:
    """Compare two names of each cell.

    Parameters
    ----------
    own, other
        (N,) positions among K and L names; -1 for none.
    relations
        (K, L) how each name stands to each other one, SAME to UNKNOWN.

    Examples
    --------
    >>> relations = np.array([[SAME, DIFFERENT], [COARSE, COARSE]])
    >>> found = compare_names(np.array([0, 0, 1, -1]), np.array([0, 1, 1, 1]), relations)
    >>> found.of_cells.tolist(), round(found.exact.mean, 2), round(found.coarse.mean, 2)
    ([0, 4, 3, -1], 0.33, 0.67)
    """
    both = (own >= 0) & (other >= 0)
    of_cells = np.where(both, relations[own, other], -1).astype(np.int8)
    known = of_cells[both & (of_cells != UNKNOWN)]
    counts = _counts(own[both], other[both], relations.shape)
    return NameComparison(
        of_cells=of_cells,
        exact=_share(np.isin(known, EXACT), seed=seed),
        coarse=_share(np.isin(known, COARSELY), seed=seed),
        n_both=int(both.sum()),
        n_unknown=int((of_cells == UNKNOWN).sum()),
        by_chance=_by_chance(counts, relations),
        pairs=_pairs(counts, relations),
    )


def _share(holds: NDArray[np.bool_], *, seed: int) -> Interval:
    """Give the share of cells, (M,), with its interval, cells drawn anew; equal cells are drawn together."""
    alike = np.array([holds.sum(), (~holds).sum()])
    if not len(holds):
        return Interval(mean=float("nan"), low=float("nan"), high=float("nan"), n=0)

    def share(times: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.asarray(times[:, 0] / times.sum(axis=1))

    return resample(share, len(alike), alike=alike, seed=seed)


def _counts(
    own: NDArray[np.integer], other: NDArray[np.integer], shape: tuple[int, ...]
) -> NDArray[np.int64]:
    """Count cells by both names, (K, L)."""
    wide = max(*shape, 1)
    return confusion_matrix(own, other, wide)[: shape[0], : shape[1]]


def _by_chance(counts: NDArray[np.int64], relations: NDArray[np.integer]) -> float:
    """Give the share of cells that agree coarsely when names are dealt to cells anew, each as often as it is."""
    total = counts.sum()
    if not total:
        return float("nan")
    dealt = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / total**2  # (K, L)
    known = dealt[relations != UNKNOWN].sum()
    return float(dealt[np.isin(relations, COARSELY)].sum() / known) if known else float("nan")


def _pairs(counts: NDArray[np.int64], relations: NDArray[np.integer]) -> tuple[Pair, ...]:
    places = np.argwhere((counts > 0) & ~np.isin(relations, EXACT))
    found = [
        Pair(own=int(k), other=int(n), relation=int(relations[k, n]), n_cells=int(counts[k, n]))
        for k, n in places
    ]
    return tuple(
        sorted(found, key=lambda one: (one.relation != DIFFERENT, one.relation < DIFFERENT, -one.n_cells))
    )
