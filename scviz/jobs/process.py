"""A child process of a supervisor: what it says comes line by line, what it is told goes to its standard input."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from scviz.jobs.processes import is_held

GRACE_SECONDS = 3.0
"""How long a run may take to stop by itself, and a child to end that has said its last word."""


class Child:
    """One process `python -m scviz.jobs.worker`.

    Parameters
    ----------
    arguments
        What the worker is called with.
    env
        Its whole environment.
    log
        File that takes what libraries print; None = that of this process.
    """

    def __init__(self, *arguments: str, env: Mapping[str, str], log: Path | None = None) -> None:
        self._process = _start(arguments, env, log)
        self._lines: queue.Queue[bytes] = queue.Queue()
        self.own_code: int | None = None
        """The exit code with which it had ended by itself when `end` was called; None if it had not."""
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    @property
    def is_held(self) -> bool:
        """Whether it is suspended by a signal."""
        return is_held(self._process.pid)

    @property
    def code(self) -> int | None:
        """The exit code; None while it lives."""
        return self._process.poll()

    def next_line(self, seconds: float) -> bytes | None:
        """Return the next line it says; None when there is none within that time, b"" when there will be none."""
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:  # a process that the child left behind may hold the pipe open
            return None if self.code is None else b""
        if line == b"":
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=GRACE_SECONDS)
        return line

    def tell(self, line: str) -> None:
        """Write a line to its standard input; nobody may be there to read it."""
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.write(line.encode() + b"\n")
                self._process.stdin.flush()

    def end(self) -> None:
        """Kill it and all it started."""
        self.own_code = self.code
        if hasattr(os, "killpg"):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.close()

    def _read(self) -> None:
        """Hand on what the child says; an empty line is the end."""
        if self._process.stdout is not None:
            with self._process.stdout as pipe:
                for line in pipe:
                    self._lines.put(line)
        self._lines.put(b"")


def _start(arguments: tuple[str, ...], env: Mapping[str, str], log: Path | None) -> subprocess.Popen[bytes]:
    stderr = None if log is None else os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "scviz.jobs.worker", *arguments],
            env=env,
            start_new_session=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
        )
    finally:
        if stderr is not None:
            os.close(stderr)
