"""Fetch a public file from an address into the workspace: size first, then in pieces that outlive a stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from scviz.errors import RequestError
from scviz.tasks.fields import Switch, check_fields

TITLE = "Fetch a file"
HEAVY = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which file."""

    url: str
    """Its address."""
    look: Annotated[
        bool,
        Switch("Only look", help="Say what there is at the address and how large it is, and fetch nothing."),
    ] = False

    def __post_init__(self) -> None:
        check_fields(self)
        if not self.url.strip():
            raise RequestError("No address was given.", hint="Paste the link of a file.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A file that is here, or only its name and size."""

    name: str
    host: str
    """Where it came from, after redirects."""
    n_bytes: int
    """Its size; 0 where the place does not say."""
    path: str = ""
    """Where it is in the workspace; empty when it was only looked at."""
    notes: tuple[str, ...] = ()
