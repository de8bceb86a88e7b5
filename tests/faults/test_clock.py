"""A clock that is set by an hour, to and fro, while runs are at work; others keep theirs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from example_tasks import counting

from scviz.jobs import engine
from scviz.jobs.queue import RunQueue
from tests.faults.clock import NoClockError, WrongClock
from tests.jobs.waiting import wait_for, wait_for_units, wait_until_done

COUNTING = "example_tasks.counting"
NewQueue = Callable[..., RunQueue]


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WrongClock:
    """The clock of every engine that is started here."""
    try:
        clock = WrongClock(tmp_path)
    except NoClockError as why:
        pytest.skip(str(why))
    real = engine.importable
    monkeypatch.setattr(engine, "importable", lambda env: real({**env, **clock.env}))
    return clock


@pytest.mark.parametrize("hour", [3600, -3600])
def test_a_process_has_the_clock_and_waits_as_long_as_ever(clock: WrongClock, hour: int) -> None:
    code = (
        "import threading, time; begun = time.monotonic(); threading.Event().wait(0.2); time.sleep(0.2);"
        "print(time.time(), time.monotonic() - begun)"
    )
    clock.set(hour)
    call, env = [sys.executable, "-c", code], {**os.environ, **clock.env}
    said = subprocess.run(call, env=env, capture_output=True, text=True, check=True).stdout.split()
    assert float(said[0]) - time.time() == pytest.approx(hour, abs=60)
    assert 0.4 <= float(said[1]) < 60


@pytest.mark.slow
def test_a_clock_that_is_set_ends_no_run_and_is_told(new_queue: NewQueue, clock: WrongClock) -> None:
    queue = new_queue()
    run = queue.submit(COUNTING, counting.Request(total=100)).run
    wait_for_units(queue, run, 3)
    clock.set(3600)
    wait_for(lambda: "60 min ahead" in queue.trouble(queue.get(run)), "it is told", 60)
    clock.set(-3600)
    wait_for(lambda: queue.get(run).heartbeat < time.time() - 3000, "it is set back", 60)
    other = new_queue()  # a page that sees the run for the first time, with a sign that is an hour old
    assert other.get(run).state == "running"
    wait_until_done(other, run)
    assert queue.get(run).attempt == 1


@pytest.mark.slow
@pytest.mark.parametrize("hour", [3600, -3600])
def test_an_engine_whose_clock_is_an_hour_off_from_the_start_carries_runs_out(
    new_queue: NewQueue, clock: WrongClock, hour: int
) -> None:
    clock.set(hour)
    queue = new_queue()
    wait_until_done(queue, queue.submit(COUNTING, counting.Request(total=3)).run)
