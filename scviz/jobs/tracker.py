"""What the events of a child mean for the row of its run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from scviz.jobs.course import Course
from scviz.jobs.endings import ended

SMOOTHING_SECONDS = 10.0
"""How fast the rate forgets."""


class Tracker:
    """Turns events of the child into fields of the row."""

    def __init__(self, shares: Mapping[str, float] | None = None) -> None:
        self._course = Course(shares or {})
        self.fields: dict[str, Any] = {}
        self.ending: dict[str, Any] = {}
        self._time = 0.0

    def take(self, event: Mapping[str, Any]) -> None:
        """Take one event in."""
        if "state" in event:
            self.ending = ended(event["state"], event["message"], event["hint"])
            if event["state"] == "done":
                self.ending["fraction"] = 1.0
            return
        old = self.fields
        new = {"stage": event["stage"], "done": event["done"], "total": event["total"]}
        new["rate"] = self._rate(old, new, now=event["time"])
        new["fraction"] = self._course.take(event["stage"], event["done"], event["total"])
        finite = {name: value for name, value in event["values"].items() if math.isfinite(value)}
        new["values"] = {**old.get("values", {}), **finite}  # JSON has no NaN
        notes = old.get("note", "").splitlines()
        if event["note"] and event["note"] not in notes:
            notes.append(event["note"])
        new["note"] = "\n".join(notes)
        self.fields = new

    def note(self, sentence: str) -> None:
        """Keep a sentence that the user should read."""
        notes = self.fields.get("note", "").splitlines()
        self.fields = {**self.fields, "note": "\n".join(dict.fromkeys((*notes, sentence)))}

    def _rate(self, old: Mapping[str, Any], new: Mapping[str, Any], *, now: float) -> float:
        """Units per second, newer ones weighing more; a new stage starts afresh."""
        if old.get("stage") != new["stage"] or new["done"] < old["done"]:
            self._time = now
            return 0.0
        seconds, rate = now - self._time, float(old["rate"])
        if new["done"] == old["done"] or seconds <= 0:
            return rate
        self._time = now
        latest = float((new["done"] - old["done"]) / seconds)
        weight = 1 - math.exp(-seconds / SMOOTHING_SECONDS)
        return rate + weight * (latest - rate) if rate else latest
