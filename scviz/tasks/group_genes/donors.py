"""Which donors the cells of both groups come from, and how they enter the test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.donor_names import donors_first
from scviz.datasets.labels import Labels, cell_labels
from scviz.errors import RequestError
from scviz.metrics.donors import FEWEST_DONORS, enough_in_both
from scviz.metrics.evidence import counted
from scviz.metrics.group_values import NEITHER
from scviz.metrics.two_groups import FIRST, SECOND
from scviz.tasks.group_genes import Request
from scviz.tasks.group_genes.deseq2 import GROUP, SIDES
from scviz.tasks.same_donors import are_same, same_note
from scviz.workspace import DatasetInfo

KINDS = ("batch", "category", "label")
MOST_DONORS = 500
BETTER_DONORS = 3
FEWEST_CELLS = 10
"""Cells of a donor in a group; the sum of fewer is chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """S samples: the cells of a donor in a group."""

    codes: NDArray[np.int64]
    """(N,) sample of each cell; -1 for cells that are left out."""
    factors: dict[str, tuple[str, ...]]
    """Value of each sample, of the donor where donors are in both groups, of the covariate, and of the group."""
    n_donors: tuple[int, int]
    """Donors of each group."""
    paired: bool
    """Whether donors are in both groups, and compared with themselves."""
    notes: tuple[str, ...]


def donor_columns(info: DatasetInfo, folder: Path, sides: NDArray[np.int8]) -> dict[str, tuple[int, int]]:
    """Count the donors of both groups that have cells enough, by column; columns with too few are left out.

    Parameters
    ----------
    sides
        (N,) FIRST, SECOND or NEITHER for each cell.

    Returns
    -------
    Columns whose names speak of donors, the likeliest first.
    """
    found = {}
    usable = (one for one in info.columns if one.kind in KINDS and one.n_values <= MOST_DONORS)
    for name in donors_first(usable):
        counts = _counts(cell_labels(folder, name), sides)
        n_first, n_second = (int(n) for n in (counts >= FEWEST_CELLS).sum(axis=1))
        if min(n_first, n_second) >= FEWEST_DONORS:
            found[name] = (n_first, n_second)
    return found


def _counts(labels: Labels, sides: NDArray[np.int8]) -> NDArray[np.int64]:
    """Count the cells of each donor on both sides, (2, D)."""
    known = labels.codes >= 0
    return np.stack(
        [
            np.bincount(labels.codes[(sides == side) & known], minlength=len(labels.names))
            for side in (FIRST, SECOND)
        ]
    )


def samples_of(request: Request, folder: Path, sides: NDArray[np.int8]) -> Samples:
    """Find the samples of both groups.

    Parameters
    ----------
    sides
        (N,) FIRST, SECOND or NEITHER for each cell.

    Raises
    ------
    RequestError
        If there are too few donors, or a covariate has several values for one of them.
    """
    labels = cell_labels(folder, request.donor)
    donors, counts = labels.codes, _counts(labels, sides)
    kept = counts >= FEWEST_CELLS
    both = np.asarray(kept.all(axis=0))
    n_both, same = int(both.sum()), are_same(request.same_donors, request.donor)
    paired = same and enough_in_both(n_both, *kept.sum(axis=1).tolist())
    notes = [*labels.notes, *_few_cells(counts, request)]
    notes += same_note(request.same_donors, request.donor, n_both=n_both, paired=paired)
    if paired:
        notes += _only_in_one(kept, both)
        kept = kept & both
    _check(request, kept)
    place = np.where(kept, np.cumsum(kept.ravel()).reshape(kept.shape) - 1, -1)  # (2, D)
    chosen = (sides != NEITHER) & (donors >= 0)
    codes = np.full(len(sides), -1, dtype=np.int64)
    codes[chosen] = place[sides[chosen], donors[chosen]]
    side_of, donor_of = np.nonzero(kept)  # (S,) each
    factors = {"donor": tuple(f"donor {i}" for i in donor_of)} if paired else {}
    if request.covariate:
        factors["covariate"] = _covariate(cell_labels(folder, request.covariate), codes, len(side_of))
    factors[GROUP] = tuple(SIDES[side] for side in side_of)
    n_donors = int(kept[FIRST].sum()), int(kept[SECOND].sum())
    if min(n_donors) < BETTER_DONORS:
        notes.append(
            f"With {counted(min(n_donors), 'donor')} in a group only large differences are found; "
            f"{BETTER_DONORS} or more are better."
        )
    return Samples(codes=codes, factors=factors, n_donors=n_donors, paired=paired, notes=tuple(notes))


def _check(request: Request, kept: NDArray[np.bool_]) -> None:
    for group, own in ((request.a.words, kept[FIRST]), (request.other, kept[SECOND])):
        n_donors = int(own.sum())
        if n_donors < FEWEST_DONORS:
            raise RequestError(
                f"{counted(n_donors, 'value')} of {request.donor} {'has' if n_donors == 1 else 'have'} {FEWEST_CELLS} "
                f"cells or more of {group}: donors cannot be compared, since nobody knows how much they differ among "
                "themselves.",
                hint=f"It takes {FEWEST_DONORS} on each side, better {BETTER_DONORS}. The Wilcoxon test compares the "
                "cells, which says nothing of other donors.",
            )


def _few_cells(counts: NDArray[np.int64], request: Request) -> list[str]:
    small = int(np.sum((counts > 0) & (counts < FEWEST_CELLS)))
    if not small:
        return []
    return [
        f"{counted(small, 'sample')} with fewer than {FEWEST_CELLS} cells of a value of {request.donor} in a group "
        f"{'is' if small == 1 else 'are'} left out."
    ]


def _only_in_one(kept: NDArray[np.bool_], both: NDArray[np.bool_]) -> list[str]:
    single = int(np.sum(kept.any(axis=0) & ~both))
    if not single:
        return []
    return [f"{counted(single, 'donor')} in one group only {'is' if single == 1 else 'are'} left out."]


def _covariate(labels: Labels, codes: NDArray[np.int64], n_samples: int) -> tuple[str, ...]:
    """Find the one value of each sample."""
    values = []
    for sample in range(n_samples):
        own = np.unique(labels.codes[codes == sample])
        if len(own) != 1 or own[0] < 0:
            raise RequestError(
                f"{labels.column} has {'no value' if len(own) == 1 else 'several values'} for cells of one donor in "
                "one group, so it is no covariate of donors.",
                hint="Choose a column with one value for each donor, such as sex.",
            )
        values.append(labels.names[own[0]])
    return tuple(values)
