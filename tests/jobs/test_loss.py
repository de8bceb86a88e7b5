"""What becomes of runs when an engine or a worker is lost, and runs on a cluster that is there already."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from distributed import Client
from example_tasks import counting

from scviz.errors import JobError
from scviz.jobs import queue as queues
from scviz.jobs.engine import address_file, find, read_engine
from scviz.jobs.keys import make_key, security_of
from scviz.jobs.queue import RunQueue
from scviz.jobs.signs import NOT_BEGUN
from scviz.jobs.supervisor import CUT_OFF
from scviz.workspace.database import Run
from tests.jobs.cluster import Cluster
from tests.jobs.waiting import is_gone, processes_of, wait_for, wait_for_end, wait_for_units, wait_until_done

COUNTING = "example_tasks.counting"
NewQueue = Callable[..., RunQueue]


def start(queue: RunQueue, total: int = 60) -> str:
    run = queue.submit(COUNTING, counting.Request(total=total, label=str(time.time()))).run
    wait_for_units(queue, run, 3)
    return run


def pid_of_engine(queue: RunQueue) -> int:
    return read_engine(queue.settings.home).pid


@pytest.mark.slow
def test_a_killed_engine_leaves_no_orphan_and_its_run_can_be_resumed(new_queue: NewQueue) -> None:
    queue = new_queue()
    run = start(queue)
    child, dask_worker = processes_of(queue, run)
    engine = pid_of_engine(queue)
    os.kill(engine, signal.SIGKILL)
    wait_for(lambda: is_gone(child) and is_gone(dask_worker), "child and Dask worker are gone", 10)
    ended = wait_for_end(queue, run)
    assert (ended.state, ended.message) == ("lost", "The compute engine was restarted.")
    assert ended.hint == "Press Resume to go on from where it was."
    queue.resume(run)
    wait_until_done(queue, run)
    assert pid_of_engine(queue) != engine


@pytest.mark.slow
def test_a_killed_dask_worker_loses_its_run_only(new_queue: NewQueue) -> None:
    queue = new_queue()
    run = start(queue)
    child, dask_worker = processes_of(queue, run)
    os.kill(dask_worker, signal.SIGKILL)
    ended = wait_for_end(queue, run)
    assert (ended.state, ended.message) == ("lost", "The worker process that had this run ended.")
    assert is_gone(child)
    queue.resume(run)
    wait_until_done(queue, run)


@pytest.mark.slow
def test_a_new_web_server_sees_the_run_of_the_old_one_go_on(new_queue: NewQueue) -> None:
    old = new_queue()
    run = start(old)
    old.close()
    new = new_queue()
    assert new.get(run).state == "running"
    wait_until_done(new, run)


@pytest.mark.slow
def test_a_run_is_not_lost_because_it_waits_long(new_queue: NewQueue) -> None:
    queue = new_queue()
    running = start(queue, total=220)
    waiting = queue.submit(COUNTING, counting.Request(total=1, label="patient")).run
    wait_for_end(queue, running)
    wait_until_done(queue, waiting)
    assert queue.get(waiting).started - queue.get(waiting).created > 8


@pytest.mark.slow
def test_an_engine_ends_when_its_address_is_taken_away(new_queue: NewQueue) -> None:
    queue = new_queue()
    wait_for_end(queue, start(queue, total=3))
    engine = pid_of_engine(queue)
    address_file(queue.settings.home).unlink()
    wait_for(lambda: is_gone(engine), "the engine has ended")


def test_a_run_that_failed_inside_dask_is_none_it_has(new_queue: NewQueue) -> None:
    queue = new_queue()
    wait_for_end(queue, queue.submit(COUNTING, counting.Request(total=1, label="first")).run)
    client = queue.connection.client()
    failed = client.submit(divmod, 1, 0, key="waits-1", pure=False)
    wait_for(lambda: failed.status == "error", "Dask knows that it failed")
    here = client.scheduler_info()["id"]
    queue.database.add(
        Run(id="waits", task=COUNTING, state="queued", attempt=1, engine=here, heartbeat=time.time() - 60)
    )
    wait_for(lambda: queue.get("waits").state == "lost", "it is looked for")
    assert queue.get("waits").message == NOT_BEGUN


def test_a_run_of_an_engine_that_is_gone_is_lost(new_queue: NewQueue) -> None:
    queue = new_queue()
    old = Run(id="old", task=COUNTING, state="running", engine="Scheduler-1", heartbeat=time.time() - 60)
    queue.database.add(old)
    assert queue.get("old").state == "lost"


def test_a_run_that_is_being_handed_in_is_not_lost(new_queue: NewQueue) -> None:
    queue = new_queue()
    queue.database.add(Run(id="new", task=COUNTING, state="queued", heartbeat=time.time() - 20))
    assert queue.get("new").state == "queued"


def test_a_run_whose_web_server_ended_before_it_was_handed_in_says_so(new_queue: NewQueue) -> None:
    queue = new_queue()
    queue.database.add(Run(id="new", task=COUNTING, state="queued", heartbeat=time.time() - 600))
    row = queue.get("new")
    assert (row.state, row.message) == ("lost", NOT_BEGUN)


@pytest.mark.slow
def test_an_engine_that_goes_away_while_a_run_is_handed_in_is_replaced(
    new_queue: NewQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue, engines = new_queue(), list[int]()
    resources = queues.resources_of

    def end_it_once(*given: Any) -> Any:
        engines.append(pid_of_engine(queue))
        if len(engines) == 1:
            address_file(queue.settings.home).unlink()
            wait_for(lambda: is_gone(engines[0]), "the engine has ended")
        return resources(*given)

    monkeypatch.setattr(queues, "resources_of", end_it_once)
    run = queue.submit(COUNTING, counting.Request(total=3, label=str(time.time()))).run
    wait_until_done(queue, run)
    assert len(set(engines)) == 2


def test_a_stale_address_is_no_engine(tmp_path: Path) -> None:
    address_file(tmp_path).write_text('{"address": "tcp://127.0.0.1:1", "pid": 1}')
    assert find(tmp_path) is None


@pytest.mark.slow
def test_a_cluster_that_does_not_answer_is_named_and_the_run_is_kept(
    new_queue: NewQueue, tmp_path: Path
) -> None:
    make_key(tmp_path / "key")
    queue = new_queue(SCVIZ_SCHEDULER="tls://127.0.0.1:1", SCVIZ_SCHEDULER_KEY=str(tmp_path / "key"))
    with pytest.raises(JobError, match=r"scheduler at tls://127.0.0.1:1 does not answer"):
        queue.submit(COUNTING, counting.Request())
    assert [row.state for row in queue.runs()] == ["lost"]


@pytest.mark.parametrize("key", ["", "nowhere"])
def test_a_cluster_whose_key_is_missing_says_which_setting(
    new_queue: NewQueue, tmp_path: Path, key: str
) -> None:
    folder = {"SCVIZ_SCHEDULER_KEY": str(tmp_path / key)} if key else {}
    queue = new_queue(SCVIZ_SCHEDULER="tls://127.0.0.1:1", **folder)
    with pytest.raises(JobError) as refusal:
        queue.submit(COUNTING, counting.Request())
    assert "SCVIZ_SCHEDULER_KEY" in f"{refusal.value} {refusal.value.hint}"


@pytest.mark.slow
def test_who_has_not_the_key_of_a_cluster_is_not_let_in(cluster: Cluster, tmp_path: Path) -> None:
    make_key(tmp_path / "other")
    for address, how in (
        (cluster.address.replace("tls://", "tcp://"), {}),
        (cluster.address, {"security": security_of(tmp_path / "other")}),
    ):
        with pytest.raises((OSError, ValueError)):
            Client(address, timeout=3, set_as_default=False, **how)


@pytest.mark.slow
def test_runs_go_to_a_cluster_by_its_address(new_queue: NewQueue, cluster: Cluster) -> None:
    queue = new_queue(**cluster.env)
    worker = cluster.start_worker()
    run = start(queue)
    assert processes_of(queue, run)[1] == worker.pid
    assert not address_file(queue.settings.home).exists()
    wait_until_done(queue, run)


@pytest.mark.slow
def test_a_killed_worker_of_a_cluster_is_noticed(new_queue: NewQueue, cluster: Cluster) -> None:
    queue = new_queue(**cluster.env)
    worker = cluster.start_worker()
    run = start(queue)
    worker.kill()
    ended = wait_for_end(queue, run)
    assert (ended.state, ended.message) == ("lost", CUT_OFF)
    cluster.start_worker()
    queue.resume(run)
    wait_until_done(queue, run)
