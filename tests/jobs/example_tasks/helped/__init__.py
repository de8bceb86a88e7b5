"""Wait for help, and say who gave it."""

from __future__ import annotations

from dataclasses import dataclass

TITLE = "Helped"
HEAVY = False
FANS_OUT = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    seconds: float = 30.0
    """How long help is waited for."""
    fails: bool = False
    """Whether the helper fails."""
    goes_on: bool = False
    """Whether the run goes on when it has been helped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    helpers: list[int]
    """Process ids of the helper and of the Dask worker above it; none if nobody helped."""
