"""Signs of life of runs, as the web side sees them: since when there is none, why, and what is done about it.

A sign of life is a time that a supervisor writes, by a clock of its own that may be wrong, or be set while a run goes
on. So it counts when it changes, by the clock of this process that nobody sets.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from scviz.errors import DatabaseError
from scviz.jobs import disk
from scviz.jobs.processes import Processes
from scviz.settings import Settings
from scviz.workspace.database import Database, Run

TOLD_SECONDS = 15.0
"""A run that gave no sign of life for so long is told on its page."""
WATCHED_SECONDS = 3.0
"""And only once it was watched for so long: the clock of its machine may be another one."""
IGNORED_SECONDS = 15.0
"""A run without a sign of life for so long that was told to stop is stopped from here."""
HELD_SECONDS = 60.0
"""A run whose Dask worker is suspended for so long is given up."""
AHEAD_SECONDS = 30.0
"""A clock that is ahead by more is told."""

IGNORED = "It did not heed the stop, and was ended from outside."
RESTARTED = "The compute engine was restarted."
NOT_BEGUN = "It had not begun when the web server that handed it in, or the worker that it waited for, ended."
NO_WORKER = "No worker is connected to the scheduler now. It begins by itself as soon as one is."
HELD = "The process that watched this run was suspended and did not go on."


class Signs:
    """When the signs of life of runs changed last."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[float, float, float]] = {}
        self.held_up = ""
        """Why no run that waits can begin, a sentence; empty as far as is known."""

    def silent_for(self, run: Run) -> float:
        """Tell for how many seconds a run gave no sign of life.

        The first look believes the clock of the run's machine, as far as its time is past.
        """
        return time.monotonic() - self._look(run)[1]

    def watched_for(self, run: Run) -> float:
        """Tell for how many seconds its last sign of life has been seen here."""
        return time.monotonic() - self._look(run)[2]

    def forget_others(self, runs: Iterable[Run]) -> None:
        """Remember nothing of runs but these."""
        kept = {run.id for run in runs}
        self._seen = {run: seen for run, seen in self._seen.items() if run in kept}

    def _look(self, run: Run) -> tuple[float, float, float]:
        """Return the last sign, since when there is none, and since when it is known here."""
        now, seen = time.monotonic(), self._seen.get(run.id)
        if seen is None or seen[0] != run.heartbeat:
            age = max(0.0, time.time() - run.heartbeat) if seen is None else 0.0
            seen = self._seen[run.id] = (run.heartbeat, now - age, now)
        return seen


def trouble_of(run: Run, signs: Signs, *, settings: Settings, database: Database) -> str:
    """Say in sentences what holds up a run that waits or is at work; empty while nothing does."""
    if run.state != "running":
        return signs.held_up if run.state == "queued" else ""
    silent = signs.silent_for(run)
    if silent >= TOLD_SECONDS and signs.watched_for(run) >= WATCHED_SECONDS:
        return f"No sign of life for {silent:.0f} s. {_reason(settings, database)}"
    ahead = run.heartbeat - time.time()
    if ahead > AHEAD_SECONDS:
        clock = f"The clock of the machine that computes is {_minutes(ahead)} ahead of this one's, or this one was set"
        return f"{clock}: times of this run are not to be trusted. {run.trouble}".rstrip()
    return run.trouble


def _reason(settings: Settings, database: Database) -> str:
    """Look for what may keep a supervisor from writing its signs."""
    try:
        database.within(0.0).try_to_write()
    except DatabaseError as error:
        return f"{error} The run goes on meanwhile."
    if not settings.database and disk.is_filled(settings.home):
        return disk.full_in_words(settings.home)
    return "It may go on by itself; if it does not, press Stop, then Resume."


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def must_be_stopped(run: Run, signs: Signs) -> bool:
    """Tell whether a run was told to stop and nobody is there to hear it."""
    return run.state == "running" and run.stop_requested and signs.silent_for(run) > IGNORED_SECONDS


def is_given_up(run: Run, signs: Signs, known: Processes | None) -> bool:
    """Tell whether a run is watched by a process of this machine that has been suspended for long."""
    silent = run.state == "running" and signs.silent_for(run) > HELD_SECONDS
    return silent and known is not None and known.watcher_is_held
