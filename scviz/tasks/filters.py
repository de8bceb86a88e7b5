"""How a request names cells."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Cells that have one of some values in a column."""

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """Cells of which a measure of their quality lies between two thresholds, both allowed; None leaves an end open."""

    measure: str
    """A key of `cell_quality.MEASURES`."""
    low: float | None = None
    high: float | None = None
