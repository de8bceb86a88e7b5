"""What a worker process is told on its standard input: the next run, or to stop the one at work."""

from __future__ import annotations

import os
import queue
import signal
import threading
from typing import Any

from scviz.workspace.plain_json import parse_plain

STOP = "stop"


class Orders:
    """Listens in a thread. When nobody watches any more, the process ends with all that it started."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        """Whether the run at work must stop."""
        self._runs: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def next(self, seconds: float) -> dict[str, Any] | None:
        """Wait for the next run; None when none comes within that time."""
        try:
            return self._runs.get(timeout=seconds)
        except queue.Empty:
            return None

    def _listen(self) -> None:
        rest = b""
        while text := os.read(0, 4096):  # not sys.stdin: its lock would disturb the end of the interpreter
            *lines, rest = (rest + text).split(b"\n")
            for line in lines:
                if line == STOP.encode():
                    self.stop.set()
                else:
                    self.stop.clear()  # what was said came too late for an earlier run
                    self._runs.put(parse_plain(line, name="what the engine says"))
        if hasattr(os, "killpg") and os.getpgrp() == os.getpid():  # never the group of whoever started it
            os.killpg(os.getpgrp(), signal.SIGKILL)
        os._exit(1)
