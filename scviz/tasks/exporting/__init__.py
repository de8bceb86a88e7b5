"""Write what a run found, or named groups, into a copy of the file that the cells came from."""

from __future__ import annotations

from dataclasses import dataclass

from scviz.errors import RequestError
from scviz.tasks.cell_groups import CellGroup

TITLE = "Annotated file"
HEAVY = False

GROUPS = "scviz_groups"
"""Column of `obs` with named groups; the names of a cell in several stand behind one another, with ` | ` between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which run, or which groups of which dataset."""

    run: str = ""
    """Id of a finished map, of finished cell types or of restored expression."""
    dataset: str = ""
    groups: tuple[CellGroup, ...] = ()
    """Named groups of the dataset, with their versions; they become one column, `GROUPS`."""

    def __post_init__(self) -> None:
        if bool(self.run) == bool(self.groups) or bool(self.groups) != bool(self.dataset):
            raise RequestError(
                "A run, or named groups of a dataset, can be written into a copy of the file: one of the two.",
                hint="Choose a finished run, or name cells on the map first.",
            )
        if not all(group.named for group in self.groups):
            raise RequestError(
                "Only named groups can be written into a copy of the file.",
                hint="Name the cells on the map first.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The new file."""

    file_name: str
    """Name of the file in the result folder of this run."""
    added: tuple[str, ...]
    """What was added: columns of `obs`, keys of `obsm`, layers."""
