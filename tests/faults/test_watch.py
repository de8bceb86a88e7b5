"""What the benchmark of faults waits for: runs that move, be the machine as busy as it may."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks import fault_watch
from benchmarks.fault_reasons import is_true
from benchmarks.fault_watch import Watch
from scviz.jobs.processes import write_processes
from scviz.jobs.signs import RESTARTED
from scviz.workspace.database import Run

ROW = Run(id="a", task="qc", state="running", stage="Counting")


@contextmanager
def child(code: str, folder: Path) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", code])
    try:
        write_processes(folder, process.pid)
        yield
    finally:
        process.kill()
        process.wait()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fault_watch, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(fault_watch, "MOVED_SECONDS", 0.05)
    monkeypatch.setattr(fault_watch, "STUCK_SECONDS", 2.0)


def first_word(watch: Watch, rows: Callable[[], Run], seconds: float) -> str:
    """Look until it has had enough, or for so long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if said := watch.is_over(rows()):
            return said
        time.sleep(0.05)
    return ""


def test_a_run_that_computes_is_waited_for_and_one_that_sleeps_is_given_up(tmp_path: Path) -> None:
    with child("while True: pass", tmp_path):
        assert first_word(Watch(tmp_path), lambda: ROW, 5) == ""
    with child("import time; time.sleep(600)", tmp_path):
        assert first_word(Watch(tmp_path), lambda: ROW, 60).startswith("nothing has moved")


def test_a_run_that_computes_without_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fault_watch, "MOST_CPU_SECONDS", 0.2)
    with child("while True: pass", tmp_path):
        assert first_word(Watch(tmp_path), lambda: ROW, 60).startswith("it computes without end")


def test_a_run_without_a_process_is_given_up_unless_its_row_moves(tmp_path: Path) -> None:
    done = iter(range(10_000))
    moving = Watch(tmp_path)
    assert first_word(moving, lambda: Run(id="a", task="qc", state="running", done=next(done)), 4) == ""
    assert first_word(moving, lambda: ROW, 60).endswith("(no process)")


def test_a_reason_is_true_of_its_kind_alone() -> None:
    assert is_true("kill -9 of the engine", RESTARTED)
    assert not is_true("kill -9 of the child", RESTARTED)
    assert not is_true("clock one hour off", RESTARTED)
    assert is_true("clock one hour off", "")
