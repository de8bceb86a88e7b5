"""How far a run is as a whole: over stages that nobody lists beforehand, from how long they took last time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from scviz.workspace.plain_json import parse_plain

UNKNOWN_SHARE = 0.5
"""A stage that no earlier run had gets so much of what is left."""
NEARLY = 0.99
"""Only the end is the end."""

ESTIMATING = "Estimating time and memory"
"""The first stage of a run that nobody has asked the price of, before its task begins; no part of its course."""


def read_events(folder: Path) -> list[dict[str, Any]]:
    """Read what the run of a folder has reported, oldest first, its end included."""
    return list(each_event(folder))


def each_event(folder: Path) -> Iterator[dict[str, Any]]:
    """Give what the run of a folder has reported one by one: a long run reports more than should be held at a time."""
    path = folder / "events.jsonl"
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            with suppress(ValueError):  # a line that is being written, or was when its writer was killed
                yield parse_plain(line, name="events.jsonl")


def shares_of_stages(events: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Tell which share of its time a finished run spent in each stage, in their order.

    Parameters
    ----------
    events
        What it reported, oldest first: time and stage.

    Examples
    --------
    >>> shares_of_stages([{"time": 0, "stage": "A"}, {"time": 1, "stage": "B"}, {"time": 4, "state": "done"}])
    {'A': 0.25, 'B': 0.75}
    """
    seconds: dict[str, float] = {}
    stage, begun = "", 0.0
    for event in events:
        if stage not in ("", ESTIMATING):
            seconds[stage] = seconds.get(stage, 0.0) + max(0.0, event["time"] - begun)
        stage, begun = event.get("stage", ""), event["time"]
    total = sum(seconds.values())
    return {name: length / total for name, length in seconds.items()} if total else {}


class Course:
    """Follows one attempt of a run; its fraction never falls.

    Parameters
    ----------
    shares
        Share of its time that an earlier run of the task spent in each stage, in their order; may be empty.
    """

    def __init__(self, shares: Mapping[str, float]) -> None:
        self.fraction = 0.0
        self._spans: dict[str, tuple[float, float]] = {}
        self._expected: dict[str, tuple[float, float]] = {}
        begin = 0.0
        for stage, share in shares.items():
            self._expected[stage] = (begin, begin + share)
            begin += share

    def take(self, stage: str, done: int, total: int) -> float:
        """Take one report; returns the fraction of the run that is done, from 0 to 0.99."""
        if stage == ESTIMATING:
            return self.fraction
        if stage not in self._spans:
            self._spans[stage] = self._span(stage)
        begin, end = self._spans[stage]
        within = min(1.0, max(0.0, done / total)) if total > 0 else 0.0
        self.fraction = max(self.fraction, min(NEARLY, begin + (end - begin) * within))
        return self.fraction

    def _span(self, stage: str) -> tuple[float, float]:
        """Find where a stage that begins lies between 0 and 1."""
        begin, end = self._expected.get(stage, (0.0, self.fraction + UNKNOWN_SHARE * (1 - self.fraction)))
        return max(begin, self.fraction), max(end, self.fraction)
