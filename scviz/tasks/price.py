"""What a run will cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a run will take."""

    seconds: float
    gigabytes: float
    """Most memory at a time."""
    how: str
    """What the estimate rests on."""
