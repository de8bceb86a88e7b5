"""Open a file of the user, or the demo data, as a dataset."""

from __future__ import annotations

from dataclasses import dataclass

from scviz.errors import RequestError

TITLE = "Open a dataset"
HEAVY = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which file, under which name."""

    path: str
    """A file that its user may open; not used for the demo data."""
    name: str
    """What the dataset is called; empty takes the name of the file."""
    counts_location: str | None = None
    """`X`, `raw/X` or `layers/<name>`; None takes the matrix that the card of the file names."""
    demo: bool = False

    def __post_init__(self) -> None:
        if not self.path and not self.demo:
            raise RequestError("No file was chosen.", hint="Choose a file, or use the demo data.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The dataset."""

    dataset: str
    """Its id in the workspace."""


def demo_request() -> Request:
    """Ask for the demo data."""
    return Request(path="", name="", demo=True)
