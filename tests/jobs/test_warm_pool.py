"""A process that waits for runs: which it takes, for which it stays, and what happens when it is gone."""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from scviz.jobs import warm_process
from scviz.jobs.engine import importable, read_engine
from scviz.jobs.process import Child
from scviz.jobs.protocol import STOP
from scviz.jobs.queue import RunQueue
from scviz.jobs.warm_pool import WAIT, Spare
from scviz.workspace import Workspace
from tests.jobs.conftest import end_engine, settings_for
from tests.jobs.example_tasks import counting
from tests.jobs.waiting import is_gone, processes_of, wait_until_done

IMPORTED = 90.0
"""Seconds in which a process has imported all, on a busy machine too."""


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return importable({**os.environ, "SCVIZ_HOME": str(tmp_path), "OMP_NUM_THREADS": "1"})


@pytest.fixture
def spare(env: dict[str, str]) -> Iterator[Spare]:
    spare = Spare()
    spare.prepare(env)
    yield spare
    spare.close()


def a_run(home: Path, name: str, **request: float) -> tuple[str, Path]:
    folder = Workspace.from_settings(settings_for(home)).run_folder(name)
    folder.mkdir(parents=True)
    asked = {"task": "example_tasks.counting", "request": {"total": 3, **request}}
    (folder / "request.json").write_text(json.dumps(asked))
    return name, folder / "log.txt"


def ending(child: Child) -> dict[str, Any]:
    deadline = time.monotonic() + IMPORTED
    while time.monotonic() < deadline and (line := child.next_line(1.0)) != b"":
        if line is not None and b'"state"' in line:
            return json.loads(line)
    raise AssertionError("It said nothing of an end.")


def waiting_processes(home: Path) -> list[int]:
    """Find the processes of an engine that wait for a run."""
    below = psutil.Process(read_engine(home).pid).children(recursive=True)
    return [process.pid for process in below if WAIT in process.cmdline()]


def pid_of(home: Path, run: str) -> int:
    return int((home / "runs" / run / "processes.txt").read_text().split()[0])


def test_it_stays_after_quick_runs_and_ends_with_another(
    spare: Spare, tmp_path: Path, env: dict[str, str]
) -> None:
    pids = set()
    for name in ("first", "second"):
        run, log = a_run(tmp_path, name)  # the first one comes while the process still imports
        child = spare.hand_over(run, log, env, quick=True, patience=IMPORTED)
        assert child is not None
        assert ending(child)["state"] == "done"
        spare.give_back(child)
        pids.add(pid_of(tmp_path, name))
    run, log = a_run(tmp_path, "last")
    child = spare.hand_over(run, log, env, patience=IMPORTED)  # waits until the process is back
    assert child is not None
    assert ending(child)["state"] == "done"
    assert pids == {pid_of(tmp_path, "last")}
    assert log.exists()
    assert child.next_line(IMPORTED) == b"", "it has ended"
    child.end()


def test_a_stop_ends_the_run_and_not_the_process(spare: Spare, tmp_path: Path, env: dict[str, str]) -> None:
    child = spare.hand_over(*a_run(tmp_path, "long", total=1000), env, quick=True)
    assert child is not None
    child.tell(STOP)
    assert ending(child)["state"] == "stopped"
    spare.give_back(child)
    assert spare.hand_over(*a_run(tmp_path, "next"), env, patience=IMPORTED) is child
    assert ending(child)["state"] == "done", "it was not told to stop again"
    child.end()


def test_a_run_does_not_wait_long_for_one_that_is_lent(
    spare: Spare, tmp_path: Path, env: dict[str, str]
) -> None:
    lent = spare.hand_over(*a_run(tmp_path, "long", total=1000), env, quick=True)
    assert lent is not None
    run, log = a_run(tmp_path, "next")
    spare.prepare(env)  # starts no second one
    assert spare.hand_over(run, log, env) is None
    lent.end()
    spare.give_back(lent)
    child = spare.hand_over(run, log, env, patience=IMPORTED)  # once the loss of that one is noticed
    assert child not in (None, lent)
    assert ending(child)["state"] == "done"
    child.end()


def test_other_settings_need_another_process(spare: Spare, tmp_path: Path, env: dict[str, str]) -> None:
    other = tmp_path / "other"
    child = spare.hand_over(*a_run(other, "run"), env | {"SCVIZ_HOME": str(other)})
    assert child is not None
    assert ending(child)["state"] == "done"  # the folder of the run lies there alone
    child.end()


def test_one_that_was_ended_is_replaced(spare: Spare, tmp_path: Path, env: dict[str, str]) -> None:
    spare.close()
    child = spare.hand_over(*a_run(tmp_path, "run"), env)
    assert child is not None
    assert ending(child)["state"] == "done"
    child.end()


@pytest.mark.parametrize(
    ("stays", "grown", "n_runs"), [(True, 0.1, 3), (False, 0.1, 1), (True, 0.6, 1)], ids=str
)
def test_it_waits_for_the_next_run_unless_it_has_grown(
    *, stays: bool, grown: float, n_runs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = iter([1.0, 1.0, *[1.0 + grown] * 9])
    logs: list[str] = []
    orders = iter([{"run": str(i), "log": f"{i}.txt", "stays": stays} for i in range(3)])
    monkeypatch.setattr(warm_process, "held_gb", lambda: next(held))
    monkeypatch.setattr(warm_process, "_print_to", logs.append)
    monkeypatch.setattr(warm_process, "_compile_maps", lambda: None)
    pipe = io.StringIO()
    runs = list(warm_process.runs_to_carry_out(SimpleNamespace(next=lambda _: next(orders, None)), pipe))
    assert runs == ["0", "1", "2"][:n_runs]
    assert logs == ["0.txt", "1.txt", "2.txt"][:n_runs]
    assert pipe.getvalue().count("ready\n") == n_runs + int(n_runs == 3)


def test_an_engine_gives_heavy_runs_to_a_process_that_waits(tmp_path: Path) -> None:
    queue = RunQueue(settings_for(tmp_path, SCVIZ_SPARE="1"))
    queue.warm_up()
    try:
        pids = []
        for label in ("cold", "warm"):
            run = queue.submit("example_tasks.counting", counting.Request(total=2, label=label)).run
            wait_until_done(queue, run)
            pids.append(processes_of(queue, run)[0])
            (waits,) = waiting_processes(tmp_path)
            assert waits not in pids
        assert is_gone(pids[0])
    finally:
        queue.close()
        end_engine(tmp_path)
