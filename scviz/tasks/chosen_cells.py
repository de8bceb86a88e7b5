"""Which cells a request means; cheap, for pages too."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.columns import cell_column
from scviz.errors import RequestError
from scviz.tasks.filters import Filter
from scviz.workspace.groups import group_version, read_groups


class Choice(Protocol):
    """What a request says of cells."""

    @property
    def cells(self) -> tuple[Filter, ...]:
        """Cells that pass all of these; empty for all cells."""

    @property
    def group(self) -> str:
        """Name of a group that was circled on a map; empty for none."""

    @property
    def group_version(self) -> str:
        """Hash of the cells that the group had when it was chosen."""


def chosen_rows(folder: Path, request: Choice, n_cells: int) -> NDArray[np.int64]:
    """Find all cells that a request chooses, (n,) rows of the dataset, ascending.

    Raises
    ------
    RequestError
        If there are none, or the group is gone or has other cells by now.
    """
    rows = _group(folder, request) if request.group else passing(folder, request.cells, n_cells)
    if not len(rows):
        raise RequestError("No cell is chosen.", hint="Choose other values or another group.")
    return rows


def passing(folder: Path, filters: Sequence[Filter], n_cells: int) -> NDArray[np.int64]:
    """Find the cells that pass all filters, (n,) rows, ascending.

    Raises
    ------
    RequestError
        If a column holds no words, or lacks a value.
    """
    passes = np.ones(n_cells, dtype=bool)
    for one in filters:
        column = cell_column(folder, one.column)
        if column.categories is None:
            raise RequestError(
                f"The column {one.column!r} does not name groups of cells.", hint="Choose a column of words."
            )
        lost = [value for value in one.values if value not in column.categories]
        if lost:
            raise RequestError(
                f"The column {one.column!r} has no {lost[0]!r}.",
                hint=f"It has {', '.join(column.categories[:12])}.",
            )
        passes &= np.isin(column.values, [column.categories.index(value) for value in one.values])
    return np.flatnonzero(passes)


def sample(rows: NDArray[np.int64], most: int, seed: int) -> NDArray[np.int64]:
    """Draw at most so many of (n,) rows, ascending; equal seeds draw the same.

    Examples
    --------
    >>> sample(np.arange(3), 5, seed=0).tolist()
    [0, 1, 2]
    """
    if len(rows) <= most:
        return np.sort(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def _group(folder: Path, request: Choice) -> NDArray[np.int64]:
    groups = read_groups(folder)
    if request.group not in groups:
        raise RequestError(f"There is no group {request.group!r}.", hint="Circle and name cells on the map.")
    rows = np.sort(groups[request.group])
    if request.group_version and group_version(rows) != request.group_version:
        raise RequestError(
            f"The group {request.group!r} has other cells by now.", hint="Choose it again, then press Run."
        )
    return rows
