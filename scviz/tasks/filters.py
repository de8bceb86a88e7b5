"""How a request names cells."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Cells that have one of some values in a column."""

    column: str
    values: tuple[str, ...]
