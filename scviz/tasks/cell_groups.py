"""How a request names a group of cells: a value of a column, a group of the map, or an expression."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.cell_query import read_query
from scviz.datasets.cells_where import Truth, cells_where
from scviz.datasets.labels import cell_labels
from scviz.errors import RequestError
from scviz.workspace.groups import group_version, read_groups


@dataclass(frozen=True, slots=True, kw_only=True)
class CellGroup:
    """One of three: `column` with `value`; `named`, with `version`; or `expression`."""

    column: str = ""
    value: str = ""
    named: str = ""
    """A group that was circled or named on a map."""
    version: str = ""
    """Hash of the cells of that group when it was chosen; empty takes those it has now."""
    expression: str = ""
    """As `scviz.datasets.cell_query` reads it."""

    def __post_init__(self) -> None:
        if sum(map(bool, (self.column, self.named, self.expression))) != 1:
            raise RequestError(
                "A group of cells is named by a value of a column, by its name on the map, or by an expression: one "
                "of these.",
                hint='Choose one, such as the expression cell_type == "B cell".',
            )
        if bool(self.column) != bool(self.value):
            raise RequestError(
                f"No value of the column {self.column!r} was selected."
                if self.column
                else f"No column was selected that has the value {self.value!r}.",
                hint="Name a column and one of its values.",
            )
        if self.expression:
            read_query(self.expression)

    @property
    def words(self) -> str:
        """What the group is called."""
        return self.value or self.named or f"cells with {self.expression}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """Which of N cells are in a group, and what is to be said of it."""

    truth: Truth
    notes: tuple[str, ...] = ()


def members(group: CellGroup, folder: Path, n_cells: int) -> Members:
    """Find the cells of a group.

    Raises
    ------
    RequestError
        If the dataset has no such value, gene, column or group, or the group has other cells by now.
    """
    if group.expression:
        return Members(truth=cells_where(folder, group.expression, n_cells))
    if group.named:
        return Members(truth=_on_map(group, folder, n_cells))
    labels = cell_labels(folder, group.column, asked=[group.value])
    if group.value not in labels.names:
        raise RequestError(
            f"The column {group.column!r} has no group {group.value!r}.",
            hint=f"It has {', '.join(labels.names[:12])}.",
        )
    inside: NDArray[np.bool_] = labels.codes == labels.names.index(group.value)
    return Members(truth=Truth(yes=inside, no=(labels.codes >= 0) & ~inside), notes=labels.notes)


def _on_map(group: CellGroup, folder: Path, n_cells: int) -> Truth:
    groups = read_groups(folder)
    if group.named not in groups or group.version not in ("", group_version(groups[group.named])):
        raise RequestError(
            f"The group {group.named!r} is gone or has other cells by now.", hint="Choose it again."
        )
    inside = np.zeros(n_cells, dtype=bool)
    inside[groups[group.named]] = True
    return Truth(yes=inside, no=~inside)
