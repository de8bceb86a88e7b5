"""In which line a run waits on the engine of this machine, at which place, and for how long.

Four lines go on beside each other, so that no short work waits behind long: heavy runs take turns; a short one, heavy
by its kind and estimated to be small and soon done, has a place of its own beside them; light runs have four; and
estimates have theirs. Two heavy runs at once could exhaust the memory: what nobody has estimated, or what needs more
than a quarter of the memory that was free then, takes its turn.

Owners take turns within a line, and one may bring a run of their own forward: it then changes places with runs of
the same owner alone.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from scviz.errors import RequestError
from scviz.tasks import front
from scviz.tasks.pricing import Result as Estimate
from scviz.workspace.database import Run, time_left

HEAVY, SHORT, LIGHT, QUICK = "heavy", "short", "light", "quick"

SHORT_SECONDS = 30.0
SHORT_SHARE = 0.25
"""Most of the free memory that a run may need which goes on beside a heavy one."""
SURE = 0.1
"""A run that has done less of itself says nothing about when it ends."""


def places(workers: int) -> dict[str, int]:
    """Tell how many runs of each line go on at a time."""
    return {HEAVY: workers, SHORT: 1, LIGHT: 4, QUICK: 2}


def line_of(task: str, estimate: Estimate | None) -> str:
    """Tell in which line a run waits, by the estimate that was made of it, if one was."""
    if not front(task).HEAVY:
        return QUICK if getattr(front(task), "QUICK", False) else LIGHT
    if estimate is None:
        return HEAVY
    small = estimate.price.gigabytes <= SHORT_SHARE * estimate.available_gb
    return SHORT if small and estimate.price.seconds < SHORT_SECONDS else HEAVY


def is_heavy(task: str) -> bool:
    """Tell whether runs of a task take their turns; one of another version is none."""
    try:
        return bool(front(task).HEAVY)
    except RequestError:
        return False


def next_place(line: Iterable[Run], owner: str) -> float:
    """Return the place of a run that is handed in: behind the owner's last one, a round later.

    Parameters
    ----------
    line
        Runs of its line that have not ended.
    owner
        Whose run it is.

    Examples
    --------
    >>> line = [Run(id="a", task="qc", owner="ada", place=place) for place in (2.0, 3.0)]
    >>> next_place(line, "ada"), next_place(line, "ben")
    (4.0, 1.0)
    """
    line = list(line)
    round_now = max((run.place for run in line if run.state == "running"), default=0.0)
    return max([round_now, *(run.place for run in line if run.owner == owner)]) + 1.0


def in_order(runs: Iterable[Run], line: str) -> list[Run]:
    """List the runs of a line that wait, the next one first."""
    waiting = (run for run in runs if run.state == "queued" and run.line == line)
    return sorted(waiting, key=lambda run: (run.place, run.created))


def brought_forward(runs: Iterable[Run], run: Run) -> dict[str, float]:
    """Tell which runs of its owner get which places, so that a run comes before the others; empty if it does already.

    Examples
    --------
    >>> runs = [Run(id=name, task="qc", line="heavy", place=place) for name, place in zip("abc", (1.0, 2.0, 3.0))]
    >>> brought_forward(runs, runs[2])
    {'c': 1.0, 'a': 2.0, 'b': 3.0}
    """
    own = [one for one in in_order(runs, run.line) if one.owner == run.owner]
    fresh = sorted(own, key=lambda one: one.id != run.id)
    return {one.id: old.place for one, old in zip(fresh, own, strict=True) if one.id != old.id}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """How a run waits."""

    place: int
    """1 for the next one."""
    seconds: float | None
    """Until it starts; None where that cannot be said."""
    own_before: int
    """Runs of the same owner that come before."""


def waits(runs: Sequence[Run], workers: int) -> Mapping[str, Wait]:
    """Tell of each run that waits its place and when it starts, by its id.

    Parameters
    ----------
    runs
        All that have not ended.
    workers
        Heavy runs at a time.
    """
    found: dict[str, Wait] = {}
    for line, n_places in places(workers).items():
        found |= _waits(in_order(runs, line), [run for run in runs if _is_at_work(run, line)], n_places)
    return found


def _is_at_work(run: Run, line: str) -> bool:
    return run.state == "running" and run.line == line


def _waits(queued: Sequence[Run], at_work: Sequence[Run], n_places: int) -> dict[str, Wait]:
    """Let the runs of a line take their turns: an end that nobody knows is never."""
    free_at = [seconds_left(run) for run in at_work] + [0.0] * max(0, n_places - len(at_work))
    heapq.heapify(free_at)
    found: dict[str, Wait] = {}
    for i, run in enumerate(queued):
        start = heapq.heappop(free_at)
        heapq.heappush(free_at, start + (run.expected or float("inf")))
        found[run.id] = Wait(
            place=i + 1,
            seconds=start if start < float("inf") else None,
            own_before=sum(one.owner == run.owner for one in queued[:i]),
        )
    return found


def seconds_left(run: Run) -> float:
    """Tell how long a run at work still takes: by its estimate, else by how far it is; infinite where neither says.

    Examples
    --------
    >>> now = time.time()
    >>> round(seconds_left(Run(id="a", task="qc", state="running", started=now - 60, expected=100)))
    40
    >>> round(seconds_left(Run(id="a", task="qc", state="running", started=now - 60, fraction=0.5)))
    60
    >>> seconds_left(Run(id="a", task="qc", state="running", started=now - 60))
    inf
    """
    elapsed = time.time() - run.started
    stage = time_left(run) or 0.0  # the run takes as long as its stage, at least
    if run.expected > elapsed:
        return max(stage, run.expected - elapsed)
    if run.fraction >= SURE:
        return max(stage, elapsed * (1 - run.fraction) / run.fraction)
    return float("inf")
