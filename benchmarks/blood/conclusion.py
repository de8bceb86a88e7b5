"""What the numbers of a judged network come to, in plain words: worse, better, or it cannot be told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.blood.judge import HELD_OUT

FIRST, TRAINED, OWN = (
    "first vectors, untrained",
    "principal components of the training cells",
    "principal components of these cells",
)
"""Methods of `judged.json` beside random weights."""
BETTER = "Better than"
WORDS = {
    TRAINED: "principal components of its training cells",
    FIRST: "its own first vectors, before training",
}


def conclusion(judged: Mapping[str, Any]) -> str:
    """Say whether plain principal components and the network's own start are better, on each held-out part."""
    plain, start = (_outcomes(judged, rival) for rival in (TRAINED, FIRST))
    lead = f"{_stands(set(plain.values()))} plain principal components"
    against_start = _stands(set(start.values()))
    if against_start != BETTER:
        lead += f", and {against_start.lower()} its own untrained start"
    return f"{lead}. {_compared(judged, TRAINED, plain)} {_compared(judged, FIRST, start)}"


def gap(gain: Mapping[str, float]) -> str:
    """Write a difference with its interval."""
    return f"{gain['difference']:+.3f}, 95 % interval {gain['low']:+.3f} to {gain['high']:+.3f}"


def _outcomes(judged: Mapping[str, Any], rival: str) -> dict[str, str]:
    return {part: _outcome(judged[part]["gains"][rival]) for part in HELD_OUT}


def _outcome(gain: Mapping[str, float]) -> str:
    if gain["low"] > 0:
        return "better"
    return "worse" if gain["high"] < 0 else "cannot be told"


def _stands(outcomes: set[str]) -> str:
    if "worse" in outcomes and "better" not in outcomes:
        return "Worse than"
    if "better" in outcomes and "worse" not in outcomes:
        return BETTER
    return "Not shown to be better than"


def _compared(judged: Mapping[str, Any], rival: str, outcomes: Mapping[str, str]) -> str:
    found = [
        f"{outcomes[part]} on {what} (macro-F1 {judged[part]['named']['model']:.3f} and "
        f"{judged[part]['named'][rival]:.3f}; {gap(judged[part]['gains'][rival])})"
        for part, what in HELD_OUT.items()
    ]
    return f"Compared with {WORDS[rival]}: {'; '.join(found)}."
