"""Write what a run found, named groups, or the terms of labels into a copy of the file that the cells came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from scviz.datasets.label_terms import LabelTerm
from scviz.errors import RequestError
from scviz.tasks.cell_groups import CellGroup
from scviz.tasks.fields import Switch, check_fields

TITLE = "Annotated file"
HEAVY = False

GROUPS = "scviz_groups"
"""Column of `obs` with named groups; the names of a cell in several stand behind one another, with ` | ` between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which run; or of which dataset which groups, or the terms of the labels of which column."""

    run: str = ""
    """Id of a finished map, of finished cell types or of restored expression."""
    dataset: str = ""
    groups: tuple[CellGroup, ...] = ()
    """Named groups of the dataset, with their versions; they become one column, `GROUPS`."""

    column: str = ""
    """Column of the dataset whose labels get their terms."""
    terms: tuple[LabelTerm, ...] = ()
    """Terms of the Cell Ontology for the labels that are written."""
    standard: Annotated[
        bool,
        Switch(
            "Standard column, too",
            help="Terms are also written where the schema of CELLxGENE has them; refused where the file has it.",
        ),
    ] = False

    def __post_init__(self) -> None:
        check_fields(self)
        of_dataset = sum(map(bool, (self.groups, self.column)))
        if bool(self.run) + of_dataset != 1 or bool(of_dataset) != bool(self.dataset):
            raise RequestError(
                "A run, named groups of a dataset, or terms of a column can be written into a copy of the file: one of "
                "these.",
                hint="Choose a finished run, or name cells on the map first.",
            )
        if self.column and not any(one.term for one in self.terms):
            raise RequestError(
                f"No label of {self.column} has a term.", hint="Choose the terms of its labels first."
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
