"""The table of runs in PostgreSQL, where a server is installed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from scviz.errors import DatabaseError
from scviz.workspace.database import Database, Run
from tests.workspace.postgres import Server
from tests.workspace.test_schema import differences

pytest.importorskip("psycopg", reason="the driver of PostgreSQL is not installed")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.remove()


@pytest.fixture
def database(server: Server) -> Iterator[Database]:
    database = Database(server.url)
    for run in database.runs():
        database.delete(run.id)
    yield database
    database.close()


def test_many_may_open_a_new_database_at_once_and_its_tables_are_those_of_the_code(server: Server) -> None:
    with ThreadPoolExecutor(6) as threads:
        for database in threads.map(lambda _: Database(server.url), range(6)):
            database.close()
    assert differences(server.url) == []


def test_a_run_comes_back_as_it_was_added(database: Database) -> None:
    run = Run(id="a", task="qc", request={"layers": [1, 2]}, values={"loss": 0.5}, created=1795558456.789086)
    database.add(run)
    assert database.get("a") == run


def test_of_many_threads_one_takes_a_run(database: Database) -> None:
    database.add(Run(id="a", task="qc"))
    with ThreadPoolExecutor(8) as threads:
        took = list(
            threads.map(lambda _: database.update("a", only_if=["queued"], state="running"), range(32))
        )
    assert sum(took) == 1


def test_a_writer_waits_for_a_server_that_is_restarted(server: Server, database: Database) -> None:
    database.add(Run(id="a", task="qc"))
    server.stop()
    back = threading.Timer(1.5, server.start)
    back.start()
    asked = time.monotonic()
    assert database.update("a", done=7)
    assert time.monotonic() - asked > 1
    back.join()
    assert database.get("a").done == 7


def test_a_server_that_is_away_is_told_in_words(server: Server, database: Database) -> None:
    server.stop()
    try:
        with pytest.raises(DatabaseError, match="cannot be used now: its server does not answer") as told:
            database.within(0).runs()
        assert told.value.hint == "Nothing is lost: runs wait for it and go on by themselves."
    finally:
        server.start()
    assert database.runs() == []
