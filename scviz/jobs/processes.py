"""Which processes carry a run out on this machine, so that the web side can end them where nobody else does."""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from scviz.jobs.engine import began, boot
from scviz.workspace.plain_json import parse_plain

FILE = "processes.json"
LONGEST_FILE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """The child that computes, and the Dask worker that watches it."""

    child: int
    child_began: str
    watcher: int
    watcher_began: str
    boot: str
    """Since which start of the machine they are; tells other machines, too."""

    @property
    def child_is_there(self) -> bool:
        """Whether the child has not ended."""
        return self._is_there(self.child, self.child_began)

    @property
    def watcher_is_held(self) -> bool:
        """Whether the Dask worker is suspended by a signal."""
        return self._is_there(self.watcher, self.watcher_began) and is_held(self.watcher)

    def end(self) -> None:
        """Kill the child with all that it started, and a suspended Dask worker, whose nanny then starts another."""
        if self.child_is_there and hasattr(os, "killpg"):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.child, signal.SIGKILL)  # each leads a group of its own
        if self.watcher_is_held:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(self.watcher, signal.SIGKILL)

    def _is_there(self, pid: int, since: str) -> bool:
        return bool(since) and self.boot == boot() and began(pid) == since


def write_processes(folder: Path, child: int) -> None:
    """Write down that this process watches a child; nothing where the disk takes nothing."""
    own = os.getpid()
    known = Processes(
        child=child, child_began=began(child), watcher=own, watcher_began=began(own), boot=boot()
    )
    with suppress(OSError):
        draft = folder / f"{FILE}.draft"
        draft.write_text(json.dumps(asdict(known)), encoding="utf-8")
        draft.replace(folder / FILE)


def read_processes(folder: Path) -> Processes | None:
    """Read what was written down last; None where nothing was."""
    try:
        with (folder / FILE).open("rb") as file:
            content = parse_plain(file.read(LONGEST_FILE), (dict, list), name=FILE)
        return Processes(**{name: content[name] for name in Processes.__dataclass_fields__})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def is_held(pid: int) -> bool:
    """Tell whether a process is suspended by a signal."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    except psutil.Error:
        return False
