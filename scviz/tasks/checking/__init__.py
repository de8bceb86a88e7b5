"""Look into a file before it is opened: what it is, where its counts are, what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from scviz.datasets.arriving.contract import Arrival
from scviz.datasets.reports import FileReport
from scviz.errors import RequestError
from scviz.tasks.bounds import Bounds, bounds_of_file
from scviz.tasks.checking.coverage import ReadBy
from scviz.tasks.fields import check_fields
from scviz.tasks.way_round import TURNED

TITLE = "Look into a file"
HEAVY = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which file, and what its user knows of it."""

    path: str
    """A file or folder that its user may open."""
    turned: Annotated[str, TURNED] = ""
    part: str = ""
    """Genome, modality or assay that is taken of several; empty takes the first."""
    stamp: str = ""
    """Tells one state of the file from the next, as `workspace.records.stamp_of` gives it."""

    def __post_init__(self) -> None:
        check_fields(self)
        if not self.path:
            raise RequestError("No file was chosen.", hint="Choose a file.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What was found."""

    card: FileReport
    arrival: Arrival | None
    """What was decided on reading; None for an h5ad file."""
    size: int
    """Bytes that opening it will take on disk, about."""
    read_by: tuple[ReadBy, ...]
    """How many of its genes each model would know: the weights that are here, then the published ones."""


def bounds(request: Request) -> Bounds:
    """Tell what looking into the file may take."""
    return bounds_of_file(Path(request.path))
