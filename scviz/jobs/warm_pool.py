"""A worker process that has imported what models need and waits for a run: a click is answered seconds sooner.

There is at most one beside the runs, on an engine of this machine. A quick run, such as a price, gives it back;
a heavy one ends with it. It ends by itself when nothing comes.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from scviz.jobs.process import GRACE_SECONDS, Child

PATIENCE_SECONDS = 600.0
"""How long a spare process waits; it takes some 700 MB while it does."""
MARGIN_SECONDS = 30.0
"""One that is about to end is not handed a run."""
WAIT = "--wait"
READY = b"ready\n"


class Spare:
    """Holds the process that waits, if there is one."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._child: Child | None = None
        self._lent = False
        self._env: dict[str, str] = {}
        self._since = 0.0

    def prepare(self, env: Mapping[str, str]) -> None:
        """Start a process for runs with these environment variables, if none waits or is lent."""
        with self._changed:
            if not self._lent:
                self._waiting(env)

    def hand_over(
        self, run: str, log: Path, env: Mapping[str, str], *, quick: bool = False, patience: float = 0.0
    ) -> Child | None:
        """Give a process that waits a run, which it begins once it has imported all; if none waits, one is started.

        Parameters
        ----------
        run
            Id of the run.
        log
            File that takes what libraries print.
        env
            The environment variables it needs; a process with others is not the right one.
        quick
            Whether the process stays for the next run. Whoever watches this one then calls `give_back`.
        patience
            Seconds to wait for a process that is lent to a quick run.

        Returns
        -------
        The process; None while it is lent for longer.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: not self._lent, patience):
                return None
            child = self._waiting(env)
            self._child, self._lent = None, quick
        child.tell(json.dumps({"run": run, "log": str(log), "stays": quick}))
        return child

    def give_back(self, child: Child) -> None:
        """Take the process back after a quick run, once it says that it is ready; one that ends is let go."""
        threading.Thread(target=self._take_back, args=(child,), daemon=True).start()

    def _take_back(self, child: Child) -> None:
        stays = child.next_line(GRACE_SECONDS) == READY
        if not stays:
            child.end()
        with self._changed:
            self._lent = False
            if stays:
                self._child, self._since = child, time.monotonic()
            self._changed.notify_all()

    def close(self) -> None:
        """End the process that waits."""
        with self._changed:
            self._end()

    def _waiting(self, env: Mapping[str, str]) -> Child:
        """Find the process that waits, or start one."""
        waited = time.monotonic() - self._since
        if self._child is not None and (
            self._child.code is None and self._env == env and waited < PATIENCE_SECONDS - MARGIN_SECONDS
        ):
            return self._child
        self._end()
        self._child, self._env, self._since = Child(WAIT, env=env), dict(env), time.monotonic()
        return self._child

    def _end(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None
