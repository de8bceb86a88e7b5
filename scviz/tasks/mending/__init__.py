"""Mend an open dataset: human counterparts for mouse genes, labels that mean the same joined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from scviz.tasks.fields import Choice, check_fields

TITLE = "Mend a dataset"
HEAVY = False

WHAT = Choice("Mend", {"orthologs": "Human counterparts of mouse genes"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is done to which dataset."""

    dataset: str
    what: Annotated[str, WHAT] = "orthologs"

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The dataset that came of it; the first stays as it is."""

    dataset: str
    """Its id in the workspace."""
    note: str
    """What was done, with its numbers."""
