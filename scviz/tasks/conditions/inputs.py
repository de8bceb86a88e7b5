"""From a request to the sample and the type of each cell."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.labels import Labels, cell_labels
from scviz.errors import RequestError
from scviz.metrics.donors import Design, design_of
from scviz.metrics.evidence import counted
from scviz.tasks.conditions import Request
from scviz.tasks.same_donors import are_same

FEW_CELLS = 20
"""A sample with fewer is said to be small: its shares are chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """N cells in S samples, each a donor in a condition, the first condition first."""

    types: tuple[str, ...]
    """(K,) the most frequent first."""
    type_of: NDArray[np.int64]
    """(N,) -1 for cells that are left out."""
    sample_of: NDArray[np.int64]
    """(N,) -1 for cells that are left out."""
    donors: tuple[str, ...]
    """(S,) of each sample."""
    donor_codes: NDArray[np.int64]
    """(S,) equal for samples of one donor."""
    n_both: int
    """Names of donors that are in both conditions, whether they are the same donors or not."""
    sides: NDArray[np.int64]
    """(S,) 0 for the first condition, 1 for the second."""
    counts: NDArray[np.int64]
    """(S, K) cells."""
    notes: tuple[str, ...]

    @property
    def design(self) -> Design:
        """How the samples are compared."""
        return design_of(self.sides, self.donor_codes)


def gather(request: Request, folder: Path) -> Inputs:
    """Find the sample and the type of each cell.

    Raises
    ------
    RequestError
        If a condition is unknown or has no cells with a type and a donor.
    """
    types, donors = cell_labels(folder, request.type_key), cell_labels(folder, request.donor_key)
    conditions = cell_labels(folder, request.condition_key, asked=[request.first, request.second])
    side_of = _sides(request, conditions)
    asked = side_of >= 0
    used = asked & (donors.codes >= 0) & (types.codes >= 0)
    _check(request, side_of[used])
    order = np.argsort(-np.bincount(types.codes[used], minlength=len(types.names)), kind="stable")
    order = order[np.isin(order, types.codes[used])]
    place = np.full(len(types.names) + 1, -1, dtype=np.int64)
    place[order] = np.arange(len(order))
    pairs = np.where(used, side_of * len(donors.names) + donors.codes, -1)
    present = np.unique(pairs[used])  # (S,)
    sample_of = np.where(used, np.searchsorted(present, pairs), -1)
    type_of = np.where(used, place[types.codes], -1)
    sides, names = np.divmod(present, len(donors.names))
    same = are_same(request.same_donors, request.donor_key)
    counts = np.zeros((len(present), len(order)), dtype=np.int64)
    np.add.at(counts, (sample_of[used], type_of[used]), 1)
    empty = np.setdiff1d((side_of * len(donors.names) + donors.codes)[asked & (donors.codes >= 0)], present)
    return Inputs(
        types=tuple(types.names[i] for i in order),
        type_of=type_of,
        sample_of=sample_of,
        donors=tuple(donors.names[i] for i in names),
        donor_codes=names if same else np.arange(len(names)),
        n_both=len(np.intersect1d(names[sides == 0], names[sides == 1])),
        sides=sides,
        counts=counts,
        notes=(*_left_out(request, asked, (types, donors)), *_samples(counts, len(empty))),
    )


def _sides(request: Request, conditions: Labels) -> NDArray[np.int64]:
    """Give 0, 1 or -1 for each cell, (N,)."""
    sides = np.full(len(conditions.codes), -1, dtype=np.int64)
    for side, name in enumerate((request.first, request.second)):
        if name not in conditions.names:
            raise RequestError(
                f"No cell has {name!r} in {request.condition_key}.",
                hint=f"It has {', '.join(conditions.names[:12])}.",
            )
        sides[conditions.codes == conditions.names.index(name)] = side
    return sides


def _check(request: Request, sides: NDArray[np.int64]) -> None:
    for side, name in enumerate((request.first, request.second)):
        if not np.any(sides == side):
            raise RequestError(
                f"No cell of {name} has a value in both {request.type_key} and {request.donor_key}.",
                hint="Choose other columns, or another condition.",
            )


def _left_out(request: Request, asked: NDArray[np.bool_], labels: tuple[Labels, ...]) -> list[str]:
    """Say how many cells of both conditions lack a type or a donor."""
    said = []
    for one in labels:
        n_without = int(np.sum(asked & (one.codes < 0)))
        if n_without:
            said.append(
                f"{n_without:,} of {int(asked.sum()):,} cells of {request.first} and {request.second} "
                f"{'has' if n_without == 1 else 'have'} no value in {one.column} and "
                f"{'is' if n_without == 1 else 'are'} left out."
            )
        said += [note for note in one.notes if "differ by blanks" in note]
    return said


def _samples(counts: NDArray[np.int64], n_empty: int) -> list[str]:
    """Say which samples are empty or small."""
    said = []
    if n_empty:
        said.append(
            f"{counted(n_empty, 'sample')} without a cell that has a type {'is' if n_empty == 1 else 'are'} left out."
        )
    n_small = int(np.sum(counts.sum(axis=1) < FEW_CELLS))
    if n_small:
        said.append(
            f"{counted(n_small, 'sample')} {'has' if n_small == 1 else 'have'} fewer than {FEW_CELLS} cells: their "
            "shares are mostly chance, which widens the intervals."
        )
    return said
