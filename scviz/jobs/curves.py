"""The values that a run reports, as curves of few points: read from where the last look ended, once for all viewers."""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from scviz.workspace.plain_json import parse_plain

MOST_POINTS = 500
"""Points of a curve; when there are more, two neighbors become one."""
MOST_RUNS = 64
"""Runs whose curves are held; those that nobody has looked at longest go first."""
EMPTY = b'"values": {}'
"""Most events carry a count alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A curve of n points."""

    x: tuple[float, ...] = ()
    """(n,) units that were done, the last one of those that a point stands for."""
    y: tuple[float, ...] = ()
    """(n,) means of the reported values."""
    each: int = 1
    """Reported values that a point stands for, but for the last point of a run that has ended."""


class _Series:
    """Gathers values into at most MOST_POINTS means of equally many."""

    def __init__(self) -> None:
        self._x: list[float] = []
        self._y: list[float] = []
        self._each, self._sum, self._pending, self._last = 1, 0.0, 0, 0.0

    def add(self, x: float, y: float) -> bool:
        """Take a value; tell whether there is a new point."""
        self._sum, self._pending, self._last = self._sum + y, self._pending + 1, x
        if self._pending < self._each:
            return False
        if len(self._x) == MOST_POINTS:
            self._halve()
            return False
        self._append()
        return True

    def line(self, *, ended: bool) -> Line:
        """Return the curve, with values that make no whole point yet where the run has ended."""
        rest = ended and self._pending > 0
        x = [*self._x, self._last] if rest else self._x
        y = [*self._y, self._sum / self._pending] if rest else self._y
        return Line(x=tuple(x), y=tuple(y), each=self._each)

    def _append(self) -> None:
        self._x.append(self._last)
        self._y.append(self._sum / self._pending)
        self._sum, self._pending = 0.0, 0

    def _halve(self) -> None:
        self._x = self._x[1::2]
        self._y = [(one + other) / 2 for one, other in zip(self._y[::2], self._y[1::2], strict=True)]
        self._each *= 2


class Curve:
    """Follows the events of one run.

    Parameters
    ----------
    path
        Its `events.jsonl`, which need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._forget()

    def look(self) -> int:
        """Read what came since the last look; returns a number that changes when a curve does."""
        with self._lock, suppress(FileNotFoundError):
            size = self._path.stat().st_size
            if size < self._offset:  # another file by now
                self._forget()
            if size > self._offset:
                with self._path.open("rb") as file:
                    file.seek(self._offset)
                    for line in file:
                        if not line.endswith(b"\n"):  # is being written
                            break
                        self._offset += len(line)
                        self._take(line)
        return self._version

    def line(self, name: str) -> Line:
        """Return the curve of a value, as of the last look; no point if it was never reported."""
        with self._lock:
            series = self._series.get(name)
            return Line() if series is None else series.line(ended=self._ended)

    def _forget(self) -> None:
        self._offset, self._version, self._ended = 0, 0, False
        self._series: dict[str, _Series] = {}

    def _take(self, line: bytes) -> None:
        if EMPTY in line:
            return
        try:
            event = parse_plain(line, name="events.jsonl")
        except ValueError:  # its writer was killed within the line
            return
        if "state" in event or self._ended:
            self._ended = "state" in event
            self._version += 1
        for name, value in event.get("values", {}).items():
            self._version += self._series.setdefault(name, _Series()).add(event["done"], value)


class Curves:
    """Holds the curves of the runs that are looked at."""

    def __init__(self) -> None:
        self._held: OrderedDict[Path, Curve] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, folder: Path) -> Curve:
        """Return the curve of the run of a folder; the same one for all who ask."""
        with self._lock:
            curve = self._held.setdefault(folder, Curve(folder / "events.jsonl"))
            self._held.move_to_end(folder)
            if len(self._held) > MOST_RUNS:
                self._held.popitem(last=False)
            return curve
