"""Whoever looks at a page comes before what trains: all threads of a run step back, and its session does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from scviz.jobs.engine import importable, read_engine
from scviz.jobs.priority import HEAVY_STEPS, LAST, OWN_GROUP, QUICK_STEPS
from scviz.jobs.queue import RunQueue
from tests.jobs.example_tasks import counting
from tests.jobs.waiting import wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="priorities are read from /proc")

LOOK = """
import os, sys, threading, time
from scviz.jobs.priority import step_back
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
for word in sys.argv[1:]:
    step_back(heavy=word == "heavy")
    print(*(os.getpriority(os.PRIO_PROCESS, int(task)) for task in sorted(os.listdir("/proc/self/task"))))
"""


MINE = os.getpriority(os.PRIO_PROCESS, 0)
"""The tests themselves may have another priority than most."""
QUICK, HEAVY = min(LAST, MINE + QUICK_STEPS), min(LAST, MINE + HEAVY_STEPS)


def seen(*words: str, own_session: bool = True) -> list[list[int]]:
    """Return the priorities of all threads after each word."""
    done = subprocess.run(
        [sys.executable, "-c", LOOK, *words],
        env=importable(dict(os.environ)),
        start_new_session=own_session,
        capture_output=True,
        text=True,
        check=True,
    )
    return [[int(one) for one in line.split()] for line in done.stdout.splitlines()]


def test_threads_that_were_there_before_step_back_too() -> None:
    assert seen("quick", "heavy") == [[QUICK] * 2, [HEAVY] * 2]


def test_a_run_never_comes_forward_again() -> None:
    assert seen("heavy", "quick")[1] == [HEAVY] * 2


def test_a_process_of_a_shell_leaves_the_others_of_its_group_alone() -> None:
    seen("heavy", own_session=False)
    assert os.getpriority(os.PRIO_PROCESS, 0) == MINE


def test_a_run_at_work_is_behind_the_server_and_the_engine(new_queue: Callable[..., RunQueue]) -> None:
    queue = new_queue()
    run = queue.submit("example_tasks.counting", counting.Request(total=400)).run
    told = queue.workspace.run_folder(run) / "processes.txt"
    wait_for(lambda: any(event["done"] for event in queue.events(run)), "it counts")
    child, engine = int(told.read_text().split()[0]), read_engine(queue.workspace.home)
    assert engine is not None
    assert psutil.Process(child).nice() == HEAVY
    assert psutil.Process(engine.pid).nice() == MINE
    group = Path(f"/proc/{child}/autogroup")
    if group.exists():
        assert group.read_text().split()[-1] == str(HEAVY_STEPS)
        assert OWN_GROUP.read_text() != group.read_text()
    queue.stop(run)
