"""A database that is locked, or whose server is restarted, while a run is at work."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator

import pytest
from example_tasks import counting

from scviz.jobs.queue import RunQueue
from tests.jobs.waiting import wait_for, wait_for_units, wait_until_done
from tests.workspace.postgres import Server

COUNTING = "example_tasks.counting"
NewQueue = Callable[..., RunQueue]


@pytest.fixture
def server() -> Iterator[Server]:
    pytest.importorskip("psycopg", reason="the driver of PostgreSQL is not installed")
    server = Server()
    yield server
    server.remove()


@pytest.mark.slow
def test_a_locked_database_is_told_and_ends_no_run(new_queue: NewQueue) -> None:
    queue = new_queue()
    run = queue.submit(COUNTING, counting.Request(total=500)).run
    wait_for_units(queue, run, 3)
    other = sqlite3.connect(queue.settings.home / "scviz.db")
    other.execute("BEGIN IMMEDIATE")
    wait_for(lambda: "another process keeps it locked" in queue.trouble(queue.get(run)), "it is told", 60)
    assert queue.get(run).state == "running"
    other.rollback()
    other.close()
    wait_for(lambda: "another process keeps it locked" in queue.get(run).note, "the note tells it", 30)
    wait_until_done(queue, run)
    assert (queue.get(run).attempt, queue.result(run).counted_now) == (1, 500)


@pytest.mark.slow
def test_a_restarted_server_ends_no_run(new_queue: NewQueue, server: Server) -> None:
    queue = new_queue(SCVIZ_DATABASE=server.url)
    run = queue.submit(COUNTING, counting.Request(total=100)).run
    wait_for_units(queue, run, 3)
    server.stop()
    time.sleep(7)  # the run ends meanwhile
    server.start()
    wait_until_done(queue, run)
    assert (queue.get(run).attempt, queue.result(run).counted_now) == (1, 100)
