"""A worker process that has imported what heavy runs need and waits for one: a click is answered seconds sooner.

There is at most one beside the runs, on an engine of this machine. It ends by itself when nothing comes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

PATIENCE_SECONDS = 600.0
"""How long a spare process waits; it takes some 700 MB while it does."""
MARGIN_SECONDS = 30.0
"""One that is about to end is not handed a run."""
WAIT = "--wait"
READY = b"ready\n"


class Spare:
    """Holds the process that waits, if there is one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._env: dict[str, str] = {}
        self._since = 0.0
        self._warm = threading.Event()

    def prepare(self, env: Mapping[str, str]) -> None:
        """Start a process for runs with these environment variables, if none waits."""
        with self._lock:
            if self._is_there(env):
                return
            self._end()
            self._env, self._since, self._warm = dict(env), time.monotonic(), threading.Event()
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-m", "scviz.jobs.worker", WAIT],
                env=self._env,
                start_new_session=True,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            threading.Thread(target=_hear, args=(self._child, self._warm), daemon=True).start()

    def hand_over(self, run: str, log: Path, env: Mapping[str, str]) -> subprocess.Popen[bytes] | None:
        """Give the process that waits a run; None where none fits, and a new one must be started."""
        with self._lock:
            if not (self._is_there(env) and self.is_warm()):
                return None
            child, self._child = self._child, None
        if child is None or child.stdin is None:
            return None
        try:
            child.stdin.write(json.dumps({"run": run, "log": str(log)}).encode() + b"\n")
            child.stdin.flush()
        except OSError:  # it was killed
            with suppress(OSError), child:
                pass
            return None
        return child

    def is_warm(self) -> bool:
        """Tell whether a process waits that has imported all."""
        return self._warm.is_set()

    def close(self) -> None:
        """End the process that waits."""
        with self._lock:
            self._end()

    def _is_there(self, env: Mapping[str, str]) -> bool:
        waited = time.monotonic() - self._since
        alive = self._child is not None and self._child.poll() is None
        return alive and self._env == env and waited < PATIENCE_SECONDS - MARGIN_SECONDS

    def _end(self) -> None:
        if self._child is not None:
            self._child.kill()
            with self._child:  # waits, and closes its pipes
                self._child = None


def _hear(child: subprocess.Popen[bytes], warm: threading.Event) -> None:
    """Wait until a process says that it has imported all."""
    if child.stdout is not None and child.stdout.readline() == READY:
        warm.set()
