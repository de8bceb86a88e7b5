"""Wait for what must come true, and no longer than that."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil

from scviz.jobs.queue import RunQueue
from scviz.workspace.database import Run


def wait_for(condition: Callable[[], object], what: str, seconds: float = 240.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"Within {seconds} s it did not come true: {what}.")
        time.sleep(0.05)


def wait_for_end(queue: RunQueue, run: str, seconds: float = 240.0) -> Run:
    wait_for(lambda: queue.get(run).ended, f"{queue.get(run)} ends", seconds)
    return queue.get(run)


def wait_until_done(queue: RunQueue, run: str) -> None:
    ended = wait_for_end(queue, run)
    assert ended.state == "done", f"{ended.message}\n{queue.log(run)}"


def wait_for_units(queue: RunQueue, run: str, units: int) -> None:
    wait_for(lambda: queue.get(run).done >= units, f"{units} units of {queue.get(run)} are done")


def processes_of(queue: RunQueue, run: str) -> list[int]:
    """Process ids of the child that counts and of the Dask worker above it."""
    file = queue.workspace.run_folder(run) / "processes.txt"
    wait_for(lambda: file.exists() and file.read_text(), "the task says who carries it out")
    return [int(pid) for pid in file.read_text().split()]


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
