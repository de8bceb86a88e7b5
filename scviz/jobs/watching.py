"""A run at work, as its supervisor keeps it: its row is written and a stop is looked for at every beat.

A database that is locked, full or away for a while is no reason to end a run: it goes on, and the row is written later.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from scviz.errors import DatabaseError
from scviz.jobs.process import GRACE_SECONDS, Child
from scviz.jobs.protocol import STOP
from scviz.jobs.tracker import Tracker

if TYPE_CHECKING:  # Dask's scheduler imports this file too, and stays small
    from scviz.workspace.database import Database, Run

BEAT_SECONDS = 0.5
"""How often the row is written and a stop is looked for."""
NOTED_SECONDS = 5.0
"""A database that was away for longer is told in the notes of the run."""
HELD = "The process that computes is suspended by a signal; it goes on when it gets the signal to continue."


class Watched:
    """One attempt of a run, whatever child carries it out."""

    def __init__(self, database: Database, row: Run, tracker: Tracker) -> None:
        self.row, self.tracker = row, tracker
        self.deadline = math.inf
        """When a child that was told to stop is ended."""
        self._database, self._due = database.within(0.0), 0.0
        self._away_since, self._reason = 0.0, ""

    def goes_on(self, child: Child | None, trouble: str = "") -> bool:
        """Write the row, once every beat.

        Parameters
        ----------
        child
            That computes, if one does now; it is told to stop.
        trouble
            What holds the run up.

        Returns
        -------
        False when the run was given up, goes on elsewhere, or does not heed a stop.
        """
        if time.monotonic() < self._due:
            return True
        self._due = time.monotonic() + BEAT_SECONDS
        try:
            return self._beat(child, trouble or (HELD if child is not None and child.is_held else ""))
        except DatabaseError as error:
            self._away_since = self._away_since or time.monotonic()
            self._reason = str(error)
            return time.monotonic() <= self.deadline

    def _beat(self, child: Child | None, trouble: str) -> bool:
        run, attempt = self.row.id, self.row.attempt
        if not self._database.update(
            run,
            only_if=["running"],
            only_attempt=attempt,
            **self.tracker.fields,
            heartbeat=time.time(),
            trouble=trouble,
        ):
            return False
        self._is_back()
        if self.deadline == math.inf and self._database.get(run).stop_requested:
            self.deadline = time.monotonic() + GRACE_SECONDS
            if child is not None:
                child.tell(STOP)
        return time.monotonic() <= self.deadline

    def _is_back(self) -> None:
        """Note for how long the database was away, if it was."""
        away = time.monotonic() - self._away_since
        if self._away_since and away > NOTED_SECONDS:
            self.tracker.note(f"{self._reason} That was so for {away:.0f} s; the run went on meanwhile.")
        self._away_since = 0.0
