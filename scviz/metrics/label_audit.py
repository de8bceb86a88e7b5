"""Labels that neighbors and markers speak against: how many, how many by chance, and how many wrong ones are found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, csr_matrix

from scviz.metrics.evidence import Interval, bootstrap
from scviz.metrics.halves import halves
from scviz.metrics.many_groups import many_groups
from scviz.metrics.neighbors import neighbor_names

MOST_FDR = 0.05
N_PERMUTATIONS = 500
CELLS_AT_ONCE = 20_000
SHARE_PLANTED, MOST_PLANTED = 0.05, 500
"""Labels that are changed as a test: so many that the interval is narrow, so few that the others stay what they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is said of the labels of N cells; -1 for cells without a label, or without what would say something."""

    by_neighbors: NDArray[np.int64]
    """(N,) the label of most neighbors."""
    by_markers: NDArray[np.int64]
    """(N,) the type whose markers the cell expresses most like; none where no type has any."""
    margin: NDArray[np.float32]
    """(N,) correlation with the markers of that type, less that with the markers of its own."""

    def against(self, codes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell the cells, (N,), whose neighbors and markers speak for one other label than `codes`, (N,)."""
        other: NDArray[np.bool_] = (self.by_neighbors == self.by_markers) & (self.by_markers != codes)
        return other & (self.by_markers >= 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """So many cells would be spoken against by both, if neighbors and markers had nothing to do with each other."""

    mean: float
    low: float
    high: float
    """95 % of the permutations lie between."""
    p: float
    """Share of the permutations, the data among them, with as many cells or more."""
    any_label: float
    """Share of the cells that would be spoken against, if the labels were dealt anew to all cells, each as often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """Labels that were changed as a test."""

    found: Interval
    """Share of them that are spoken against."""
    restored: float
    """Share whose neighbors and markers speak for the label that was there."""
    of_type: NDArray[np.float64]
    """(K,) share found by the type that the cells are of; NaN where none was changed."""


def evidence(
    expression: csr_matrix,
    neighbors: NDArray[np.int32],
    codes: NDArray[np.int64],
    *,
    n_markers: int,
    seed: int = 0,
) -> Evidence:
    """Ask neighbors and markers of each cell for its label.

    Markers are found on one half of the cells and asked about the other half, and the other way round, so that no cell
    has chosen the genes that judge it.

    Parameters
    ----------
    expression
        (N, G) log1p expression.
    neighbors
        (N, k) rows of the nearest other cells; -1 for none.
    codes
        (N,) label of each cell, 0 to K - 1, each of four cells or more; -1 for none.
    n_markers
        Of each type.
    """
    half = halves(codes, n_halves=1, seed=seed)[0]
    by_markers, margin = np.full(len(codes), -1), np.full(len(codes), np.nan, dtype=np.float32)
    for learned in (half, ~half):
        rows = np.flatnonzero(~learned & (codes >= 0))
        like = _likeness(expression, codes, learned & (codes >= 0), rows=rows, n_markers=n_markers)  # (M, K)
        by_markers[rows] = np.where(np.ptp(like, axis=1) > 0, like.argmax(axis=1), -1)
        margin[rows] = like.max(axis=1) - like[np.arange(len(rows)), codes[rows]]
    return Evidence(by_neighbors=neighbor_names(neighbors, codes), by_markers=by_markers, margin=margin)


def _likeness(
    expression: csr_matrix,
    codes: NDArray[np.int64],
    learned: NDArray[np.bool_],
    *,
    rows: NDArray[np.int64],
    n_markers: int,
) -> NDArray[np.float32]:
    """Correlate cells, (M,) rows, with the mean profiles of the types over all their markers, (M, K)."""
    n_types = int(codes.max()) + 1
    known = csc_matrix(expression[learned])  # (n, G)
    table = many_groups([known], codes[learned], n_types, method="welch")
    ranked = np.where((table.adjusted_p <= MOST_FDR) & (table.score > 0), -table.score, np.inf)
    best = np.argsort(ranked, axis=1, kind="stable")[:, :n_markers]
    chosen = np.unique(best[np.take_along_axis(ranked, best, axis=1) < np.inf])
    if len(chosen) < 2:
        return np.zeros((len(rows), n_types), dtype=np.float32)
    own = known[:, chosen].toarray()
    middle, spread = own.mean(axis=0), own.std(axis=0).clip(min=1e-6)
    profiles = _standard((table.means[:, chosen] - middle) / spread)  # (K, U)
    genes = csr_matrix(expression[:, chosen])
    parts = [
        _standard((genes[part].toarray() - middle) / spread) @ profiles.T
        for part in np.array_split(rows, max(1, len(rows) // CELLS_AT_ONCE))
    ]
    return np.concatenate(parts).astype(np.float32)


def _standard(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Let each row have mean 0 and length 1, so that products are correlations."""
    off = values - values.mean(axis=1, keepdims=True)
    length = np.linalg.norm(off, axis=1, keepdims=True).clip(min=1e-12)
    unit: NDArray[np.float64] = off / length
    return unit


def expected_by_chance(found: Evidence, codes: NDArray[np.int64], *, seed: int = 0) -> Expected:
    """Count cells that both speak against when what neighbors say is dealt anew among the cells of each label.

    Parameters
    ----------
    codes
        (N,) label of each cell; -1 for none.
    """
    rng = np.random.default_rng(seed)
    groups = [
        np.flatnonzero((codes == code) & (found.by_neighbors >= 0)) for code in np.unique(codes[codes >= 0])
    ]
    own, counts = int(found.against(codes).sum()), np.zeros(N_PERMUTATIONS, dtype=np.int64)
    for rows in groups:
        said, marked = found.by_neighbors[rows], found.by_markers[rows]
        other = np.flatnonzero(said != codes[rows])  # only these can be counted, wherever they are dealt to
        for draw in range(N_PERMUTATIONS):
            places = rng.choice(len(rows), size=len(other), replace=False)
            counts[draw] += int((marked[places] == said[other]).sum())
    low, high = np.quantile(counts, [0.025, 0.975])
    p = (1 + int((counts >= own).sum())) / (1 + N_PERMUTATIONS)
    return Expected(
        mean=float(counts.mean()), low=float(low), high=float(high), p=p, any_label=_dealt_anew(found, codes)
    )


def _dealt_anew(found: Evidence, codes: NDArray[np.int64]) -> float:
    """Give the share of the N cells that would be spoken against by what is said of them, whatever label they got."""
    labeled = codes >= 0
    said = found.by_markers[labeled & (found.by_neighbors == found.by_markers) & (found.by_markers >= 0)]
    n_types = int(max(codes.max(), found.by_markers.max())) + 1
    share = np.bincount(codes[labeled], minlength=n_types) / labeled.sum()
    return float((1 - share[said]).sum() / labeled.sum())


def planted(
    expression: csr_matrix,
    neighbors: NDArray[np.int32],
    codes: NDArray[np.int64],
    *,
    n_markers: int,
    seed: int = 0,
) -> Planted:
    """Change some labels at random and count how many of those are spoken against.

    Parameters
    ----------
    expression, neighbors, codes, n_markers
        As `evidence` takes them: (N, G), (N, k) and (N,).
    """
    rng = np.random.default_rng(seed + 1)
    labeled = np.flatnonzero(codes >= 0)
    n_changed = min(MOST_PLANTED, max(1, round(SHARE_PLANTED * len(labeled))))
    rows = rng.choice(labeled, size=n_changed, replace=False)
    changed = codes.copy()
    for row in rows:
        others = labeled[codes[labeled] != codes[row]]
        changed[row] = codes[rng.choice(others)]
    found = evidence(expression, neighbors, changed, n_markers=n_markers, seed=seed)
    hit = found.against(changed)[rows]
    n_types = int(codes.max()) + 1
    totals = np.bincount(codes[rows], minlength=n_types)
    hits = np.bincount(codes[rows], weights=hit, minlength=n_types)
    return Planted(
        found=bootstrap(hit, seed=seed),
        restored=float((hit & (found.by_markers[rows] == codes[rows])).mean()),
        of_type=np.divide(hits, totals, out=np.full(n_types, np.nan), where=totals > 0),
    )
