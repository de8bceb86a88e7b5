"""Say before a run what it will cost: minutes and gigabytes, from a short timed trial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scviz.tasks.price import Price

TITLE = "Price"
HEAVY = False
QUICK = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which run the price is asked for."""

    task: str
    request: dict[str, Any]
    """The other task's request as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The price, and what there is."""

    price: Price
    available_gb: float
    """Memory that was free on the machine when the price was taken."""
