"""Write what a run found into a copy of the file that the cells came from."""

from __future__ import annotations

from dataclasses import dataclass

TITLE = "Annotated file"
HEAVY = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which run."""

    run: str
    """Id of a finished map, of finished cell types or of restored expression."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The new file."""

    file_name: str
    """Name of the file in the result folder of this run."""
    added: tuple[str, ...]
    """What was added: columns of `obs`, keys of `obsm`, layers."""
