"""Processes that are suspended: the child that computes, the Dask worker that watches it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from example_tasks import counting

from scviz.jobs import signs
from scviz.jobs.engine import read_engine
from scviz.jobs.queue import RunQueue
from tests.jobs.waiting import is_gone, processes_of, wait_for, wait_for_end, wait_for_units, wait_until_done

COUNTING = "example_tasks.counting"
NewQueue = Callable[..., RunQueue]


def begun(queue: RunQueue, label: str = "") -> str:
    run = queue.submit(COUNTING, counting.Request(total=60, label=label)).run
    wait_for_units(queue, run, 3)
    return run


@pytest.mark.slow
def test_a_suspended_child_is_told_and_a_stop_ends_it(new_queue: NewQueue) -> None:
    queue = new_queue()
    run = begun(queue)
    child, _ = processes_of(queue, run)
    os.kill(child, signal.SIGSTOP)
    wait_for(lambda: "is suspended by a signal" in queue.trouble(queue.get(run)), "it is told", 10)
    queue.stop(run)
    assert wait_for_end(queue, run, 10).state == "stopped"
    wait_for(lambda: is_gone(child), "the child is gone", 5)
    queue.resume(run)
    wait_until_done(queue, run)


@pytest.mark.slow
def test_a_suspended_child_that_is_let_go_goes_on(new_queue: NewQueue) -> None:
    queue = new_queue()
    run = begun(queue)
    child, _ = processes_of(queue, run)
    os.kill(child, signal.SIGSTOP)
    wait_for(lambda: queue.get(run).trouble, "it is told", 10)
    os.kill(child, signal.SIGCONT)
    wait_until_done(queue, run)
    assert (queue.get(run).attempt, queue.get(run).trouble) == (1, "")


@pytest.mark.slow
def test_a_stop_that_a_suspended_dask_worker_does_not_hear_is_carried_out_from_here(
    new_queue: NewQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signs, "TOLD_SECONDS", 3.0)
    monkeypatch.setattr(signs, "IGNORED_SECONDS", 4.0)
    queue = new_queue()
    run = begun(queue)
    child, dask_worker = processes_of(queue, run)
    os.kill(dask_worker, signal.SIGSTOP)
    wait_for(lambda: queue.trouble(queue.get(run)).startswith("No sign of life for"), "it is told", 20)
    queue.stop(run)
    ended = wait_for_end(queue, run, 30)
    assert (ended.state, ended.message) == (
        "stopped",
        "It did not heed the stop, and was ended from outside.",
    )
    wait_for(lambda: is_gone(child) and is_gone(dask_worker), "both are gone", 10)
    queue.resume(run)
    wait_until_done(queue, run)


@pytest.mark.slow
def test_a_run_whose_dask_worker_stays_suspended_is_given_up_with_the_reason(
    new_queue: NewQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signs, "HELD_SECONDS", 4.0)
    queue = new_queue()
    run = begun(queue)
    os.kill(processes_of(queue, run)[1], signal.SIGSTOP)
    ended = wait_for_end(queue, run, 30)
    assert (ended.state, ended.message) == ("lost", signs.HELD)
    queue.resume(run)
    if (
        wait_for_end(queue, run).message == signs.NOT_BEGUN
    ):  # given to the very worker that was being ended: it says so
        queue.resume(run)
    wait_until_done(queue, run)


@pytest.mark.slow
def test_two_servers_of_one_workspace_share_one_engine(new_queue: NewQueue) -> None:
    one, other = new_queue(), new_queue()
    with ThreadPoolExecutor(2) as threads:
        runs = list(threads.map(lambda queue: begun(queue, label=str(id(queue))), (one, other)))
    engine = read_engine(one.settings.home)
    assert engine is not None
    for run in runs:
        wait_until_done(other, run)
        wait_until_done(one, run)
    assert read_engine(one.settings.home) == engine
