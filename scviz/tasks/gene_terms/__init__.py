"""Take terms of genes into the workspace: a file of the user, or the published ones."""

from __future__ import annotations

from dataclasses import dataclass

from scviz.errors import RequestError

TITLE = "Add gene terms"
HEAVY = False
PUBLISHED = "Gene Ontology terms (GEARS)"
"""What the published terms are called here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which terms, and what they are called."""

    path: str = ""
    """A file that its user may open; empty downloads the published terms."""
    name: str = ""
    """What they are called; empty takes the name of the file."""
    download: bool = False
    """Whether the published terms are to be downloaded."""

    def __post_init__(self) -> None:
        if bool(self.path) == self.download:
            raise RequestError(
                "Choose one: a file with gene terms, or the download of the published ones.",
                hint="Give the path of a .gmt, .tsv, .csv, .json or .pkl file.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What was found in the file."""

    terms: str
    """Id in the workspace."""
    n_genes: int
    n_terms: int
