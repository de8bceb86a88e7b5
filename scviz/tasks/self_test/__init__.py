"""The self-test of weights, asked for by itself; imported weights take it when they come in."""

from __future__ import annotations

from dataclasses import dataclass

from scviz.tasks.tested import SelfTest

TITLE = "Self-test of weights"
HEAVY = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which weights."""

    checkpoint: str


Result = SelfTest
