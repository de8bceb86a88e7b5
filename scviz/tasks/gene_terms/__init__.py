"""Take terms of genes, which are gene sets too, into the workspace: a file of the user, or published ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from scviz.datasets.enrichr import LIBRARIES
from scviz.errors import RequestError
from scviz.tasks.bounds import Bounds, bounds_of_file
from scviz.tasks.fields import Switch, check_fields

TITLE = "Add gene terms"
HEAVY = False
PUBLISHED = "Gene Ontology terms (GEARS)"
"""What the published terms are called here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which terms, and what they are called."""

    path: str = ""
    """A file that its user may open."""
    name: str = ""
    """What they are called; empty takes the name of the file or of what is downloaded."""
    download: Annotated[bool, Switch("Download", help="Those that are published with GEARS, 9.5 MB.")] = False
    library: str = ""
    """A library of gene sets at Enrichr that is to be downloaded, a key of `LIBRARIES`."""

    def __post_init__(self) -> None:
        check_fields(self)
        if sum(map(bool, (self.path, self.download, self.library))) != 1:
            raise RequestError(
                "Choose one: a file with gene terms, or a download of published ones.",
                hint="Give the path of a .gmt, .tsv, .csv, .json or .pkl file.",
            )
        if self.library and self.library not in LIBRARIES:
            raise RequestError(
                f"There is no library {self.library!r} here.", hint=f"There are {', '.join(LIBRARIES)}."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What was found in the file."""

    terms: str
    """Id in the workspace."""
    n_genes: int
    n_terms: int
    notes: tuple[str, ...] = ()
    """Which lines could not be read."""


def bounds(request: Request) -> Bounds | None:
    """Tell what reading a file may take; None for published ones, whose size is known."""
    return bounds_of_file(Path(request.path)) if request.path else None
