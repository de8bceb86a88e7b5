"""Say before a run what it will cost: minutes and gigabytes, from a short timed trial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scviz.tasks.price import Price
from scviz.workspace.records import to_json

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
    """Memory that the run might use when the price was taken: the least of machine, container and setting."""


def question(task: str, request: Any) -> Request:
    """Ask for the price of a request."""
    return question_of(task, to_json(request))


def question_of(task: str, asked: Mapping[str, Any]) -> Request:
    """Ask for the price of a request as JSON has it; a name costs nothing."""
    return Request(task=task, request={**asked, **({"name": "any"} if "name" in asked else {})})
