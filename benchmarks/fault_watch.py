"""Tell a run that waits for a busy machine from one that hangs: by the processor time that it takes."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import psutil

from scviz.jobs.processes import read_processes
from scviz.workspace.database import Run

STUCK_SECONDS = 240.0
"""A run of which nothing moves for so long hangs."""
MOST_CPU_SECONDS = 400.0
"""And one that computes for longer than this goes round in a circle: each takes a minute at most."""
MOVED_SECONDS = 1.0
"""Processor time that counts as a movement; threads that only look around take less."""
LOOK_SECONDS = 3.0


class Watch:
    """Whether anything still moves in a run.

    Parameters
    ----------
    folder
        Of the run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._seen = folder, tuple[object, ...]()
        self._since = self._looked = time.monotonic()
        self._cpu, self._said = 0.0, "no process"

    def is_over(self, row: Run) -> str:
        """Say why it is waited for no more; empty while something moves."""
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return ""
        self._looked = now
        self._look()
        seen = (row.state, row.attempt, row.stage, row.done, row.trouble, int(self._cpu / MOVED_SECONDS))
        if seen != self._seen:
            self._seen, self._since = seen, now
        if self._cpu > MOST_CPU_SECONDS:
            return f"it computes without end ({self._said})"
        return (
            f"nothing has moved for {STUCK_SECONDS:.0f} s ({self._said})"
            if now - self._since > STUCK_SECONDS
            else ""
        )

    def _look(self) -> None:
        """Measure the processor time of the child, with those that it has started."""
        known = read_processes(self._folder)
        self._cpu, self._said = 0.0, "no process"
        if known is None or not known.child_is_there:
            return
        with suppress(psutil.Error):
            child = psutil.Process(known.child)
            for process in (child, *child.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    self._cpu += sum(process.cpu_times()[:4])
            self._said = f"its process is {child.status()}, {self._cpu:.0f} CPU s"
