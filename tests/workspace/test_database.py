"""The table of runs, from one process and from many."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sql

from scviz.errors import DatabaseError, JobError
from scviz.settings import ROOT, Settings
from scviz.workspace import connecting
from scviz.workspace.connecting import patiently
from scviz.workspace.database import Database, Run, sqlite_url, time_left


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "scviz.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = Database(sqlite_url(path))
    yield database
    database.close()


def test_a_run_comes_back_as_it_was_added(database: Database) -> None:
    run = Run(
        id="a",
        task="embedding",
        title="Embedding",
        request={"dataset": "pbmc", "layers": [1, 2]},
        values={"loss": 0.5},
        created=1795558456.789086,
    )
    database.add(run)
    assert database.get("a") == run


def test_a_missing_run_is_named(database: Database) -> None:
    with pytest.raises(JobError, match="no run 'gone'") as caught:
        database.get("gone")
    assert caught.value.hint


def test_runs_are_listed_newest_first_and_can_be_chosen(database: Database) -> None:
    database.add(Run(id="a", task="embedding", owner="ada", created=1, fingerprint="x"))
    database.add(Run(id="b", task="embedding", owner="ben", created=2, state="done"))
    database.add(Run(id="c", task="embedding", owner="ada", created=3, state="done", fingerprint="x"))
    assert [run.id for run in database.runs()] == ["c", "b", "a"]
    assert [run.id for run in database.runs(["done"])] == ["c", "b"]
    assert [run.id for run in database.runs(owner="ada", limit=1)] == ["c"]
    assert [run.id for run in database.runs(["queued"], fingerprint="x")] == ["a"]


def test_a_change_is_made_only_in_the_state_it_is_meant_for(database: Database) -> None:
    database.add(Run(id="a", task="embedding"))
    assert database.update("a", only_if=["queued"], state="running")
    assert not database.update("a", only_if=["queued"], state="stopped")
    assert database.get("a").state == "running"


def test_a_change_is_made_only_to_the_attempt_it_is_meant_for(database: Database) -> None:
    database.add(Run(id="a", task="embedding", attempt=2))
    assert not database.update("a", only_attempt=1, done=5)
    assert database.update("a", only_attempt=2, done=7)
    assert database.get("a").done == 7


def test_a_change_to_a_missing_run_is_none(database: Database) -> None:
    assert not database.update("gone", done=1)


def test_only_a_run_in_a_given_state_is_deleted(database: Database) -> None:
    database.add(Run(id="a", task="embedding"))
    assert not database.delete("a", only_if=["done"])
    assert database.delete("a", only_if=["queued"])
    assert database.runs() == []


def test_of_many_threads_one_takes_a_run(database: Database) -> None:
    database.add(Run(id="a", task="embedding"))
    with ThreadPoolExecutor(8) as threads:
        took = list(
            threads.map(lambda _: database.update("a", only_if=["queued"], state="running"), range(32))
        )
    assert sum(took) == 1


COUNT = """
import sys
from scviz.workspace.database import Database
database, done = Database(sys.argv[1]), 0
while done < 40:
    row = database.get("a")
    done += database.update("a", only_attempt=row.attempt, attempt=row.attempt + 1)
"""


def test_changes_of_many_processes_do_not_overwrite_each_other(database: Database) -> None:
    database.add(Run(id="a", task="embedding", attempt=0))
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", COUNT, database.url], env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        for _ in range(3)
    ]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert database.get("a").attempt == 120


def test_many_may_open_a_new_database_at_once(path: Path) -> None:
    def open_and_add(number: int) -> None:
        database = Database(sqlite_url(path))
        database.add(Run(id=str(number), task="embedding"))
        database.close()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(open_and_add, range(16)))
    database = Database(sqlite_url(path))
    assert len(database.runs()) == 16
    database.close()


def test_the_settings_may_name_another_database(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "elsewhere.db")
    settings = Settings.from_env({"SCVIZ_HOME": str(tmp_path / "home"), "SCVIZ_DATABASE": url})
    Database.from_settings(settings).close()
    assert (tmp_path / "elsewhere.db").exists()
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({"state": "running", "done": 20, "total": 100, "rate": 8.0}, 10.0),
        ({"state": "running", "done": 120, "total": 100, "rate": 8.0}, 0.0),
        ({"state": "running", "done": 20, "total": 0, "rate": 8.0}, None),
        ({"state": "running", "done": 0, "total": 100, "rate": 0.0}, None),
        ({"state": "stopped", "done": 20, "total": 100, "rate": 8.0}, None),
    ],
)
def test_the_time_left_is_what_remains_at_the_present_rate(fields: dict, seconds: float | None) -> None:
    assert time_left(Run(id="a", task="embedding", **fields)) == seconds


def lock(path: Path) -> sqlite3.Connection:
    """Keep the database from being written, as a backup or another program may."""
    other = sqlite3.connect(path, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    return other


def test_a_writer_waits_for_a_database_that_is_locked_and_readers_do_not(
    database: Database, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "BUSY_SECONDS", 0.05)
    database.add(Run(id="a", task="embedding"))
    database.close()  # the next connection has the short wait
    other = lock(path)
    assert database.get("a").done == 0
    free = threading.Timer(0.6, other.rollback)
    free.start()
    assert database.update("a", done=5)
    free.join()
    assert database.get("a").done == 5
    other.close()


def test_a_database_that_stays_locked_is_told_in_words(
    database: Database, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "BUSY_SECONDS", 0.05)
    database.add(Run(id="a", task="embedding"))
    database.close()
    other = lock(path)
    with pytest.raises(DatabaseError, match="cannot be used now: another process keeps it locked") as told:
        database.within(0.1).update("a", done=5)
    assert "Nothing is lost" in told.value.hint
    other.close()
    assert database.update("a", done=6)


def test_a_full_disk_is_told_in_words_and_what_was_there_stays(database: Database, path: Path) -> None:
    database.add(Run(id="a", task="embedding"))
    database.close()
    pages = sqlite3.connect(path).execute("PRAGMA page_count").fetchone()[0]
    full = Database(database.url)
    sql.event.listen(full._engine, "connect", lambda one, _: one.execute(f"PRAGMA max_page_count = {pages}"))
    full._engine.dispose()
    with pytest.raises(DatabaseError, match="cannot be used now: its disk is full"):
        full.within(0.1).add(Run(id="b", task="embedding", note="x" * 100_000))
    assert [run.id for run in full.runs()] == ["a"]
    full.close()


def test_a_damaged_file_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "scviz.db").write_bytes(b"no database at all " * 100)
    with pytest.raises(DatabaseError, match="its file is damaged") as told:
        Database(sqlite_url(tmp_path / "scviz.db"))
    assert "backup" in told.value.hint


def test_a_wrong_question_is_not_asked_again(database: Database) -> None:
    asked = time.monotonic()
    with pytest.raises(sql.exc.OperationalError, match="no such table"):
        patiently(lambda: database._engine.connect().exec_driver_sql("SELECT 1 FROM nowhere"), 10)
    assert time.monotonic() - asked < 1


def test_a_run_whose_first_try_got_through_unheard_is_added_once(database: Database) -> None:
    run = Run(id="a", task="embedding", created=5.0)
    database.add(run)
    database.add(run)
    with pytest.raises(sql.exc.IntegrityError):
        database.add(Run(id="a", task="embedding", created=6.0))
    assert len(database.runs()) == 1
