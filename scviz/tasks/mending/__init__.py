"""Mend an open dataset: human counterparts for mouse genes, alike labels joined, named groups as a label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from scviz.errors import RequestError
from scviz.tasks.cell_groups import CellGroup
from scviz.tasks.fields import Choice, check_fields

TITLE = "Mend a dataset"
HEAVY = False

WHAT = Choice(
    "Mend",
    {
        "orthologs": "Human counterparts of mouse genes",
        "labels": "Labels that differ by blanks or case become one",
        "groups": "Named groups become a column of labels",
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is done to which dataset."""

    dataset: str
    what: Annotated[str, WHAT] = "orthologs"
    column: str = ""
    """Column of cells whose labels are joined, or that named groups become; not used for genes."""
    groups: tuple[CellGroup, ...] = ()
    """Named groups, no cell in two of them."""

    def __post_init__(self) -> None:
        check_fields(self)
        if self.what == "labels" and not self.column:
            raise RequestError("No column was chosen.", hint="Name the column whose labels are to be joined.")
        if self.what == "groups" and not (
            self.column and self.groups and all(one.named for one in self.groups)
        ):
            raise RequestError(
                "Named groups and a column that they become were not both chosen.",
                hint="Name cells on the map, then name the column.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The dataset that came of it; the first stays as it is."""

    dataset: str
    """Its id in the workspace."""
    note: str
    """What was done, with its numbers."""
