"""Count slowly, and remember in `state/` how far it got."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TITLE = "Counting"
HEAVY = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    total: int = 50
    seconds: float = 0.05
    """Time that one unit takes."""
    gigabytes: float = 0.1
    """What it says that it needs."""
    label: str = ""
    """Tells requests apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    squares: NDArray[np.int64]
    counted_now: int
    """Units that this attempt counted."""
