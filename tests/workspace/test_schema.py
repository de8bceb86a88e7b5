"""Workspaces of earlier and of newer versions, and tables that are made by steps."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sql
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from scviz.errors import SettingsError
from scviz.jobs.queue import RunQueue
from scviz.settings import Settings
from scviz.workspace.database import Database, Run, sqlite_url
from scviz.workspace.records import fingerprint
from scviz.workspace.schema import HEAD, METADATA, STEPS

FIRST = """
CREATE TABLE runs (
    id VARCHAR(64) NOT NULL, task VARCHAR(120) NOT NULL, title TEXT NOT NULL, request JSON NOT NULL,
    fingerprint VARCHAR(64) NOT NULL, owner VARCHAR(255) NOT NULL, state VARCHAR(16) NOT NULL, stage TEXT NOT NULL,
    done INTEGER NOT NULL, total INTEGER NOT NULL, rate FLOAT NOT NULL, "values" JSON NOT NULL, note TEXT NOT NULL,
    message TEXT NOT NULL, hint TEXT NOT NULL, created FLOAT NOT NULL, started FLOAT NOT NULL, ended FLOAT NOT NULL,
    heartbeat FLOAT NOT NULL, engine VARCHAR(255) NOT NULL, stop_requested BOOLEAN NOT NULL, attempt INTEGER NOT NULL,
    PRIMARY KEY (id)
)
"""
"""The table of runs as the first version made it."""
LAST = [
    "ALTER TABLE runs ADD COLUMN fraction FLOAT NOT NULL DEFAULT 0",
    "ALTER TABLE runs ADD COLUMN line VARCHAR(16) NOT NULL DEFAULT ''",
    "ALTER TABLE runs ADD COLUMN place FLOAT NOT NULL DEFAULT 0",
    "ALTER TABLE runs ADD COLUMN expected FLOAT NOT NULL DEFAULT 0",
]
"""What was added before there were steps."""
OLD_ROW = """
INSERT INTO runs (id, task, title, request, fingerprint, owner, state, stage, done, total, rate, "values", note,
    message, hint, created, started, ended, heartbeat, engine, stop_requested, attempt)
VALUES (?, 'qc', 'Quality', '{"dataset": "demo"}', ?, 'local', ?, '', 3, 4, 0, '{}', '', '', '', 1, 2, 3, 4, 'x', 0, 1)
"""


def make_old(path: Path, *changes: str) -> None:
    """Write the database of an earlier version."""
    connection = sqlite3.connect(path)
    with connection:
        for statement in (FIRST, *changes):
            connection.execute(statement)
        asked = fingerprint("qc", {"dataset": "demo"}, "0.2.0")
        connection.execute(OLD_ROW, ("finished", asked, "done"))
        connection.execute(OLD_ROW, ("broken", "of 0.1", "failed"))
    connection.close()


@pytest.mark.parametrize("changes", [[], LAST[:2], LAST])
def test_the_runs_of_an_earlier_version_are_there_after_the_upgrade(
    tmp_path: Path, changes: list[str]
) -> None:
    make_old(tmp_path / "scviz.db", *changes)
    database = Database(sqlite_url(tmp_path / "scviz.db"))
    finished, broken = database.get("finished"), database.get("broken")
    assert (finished.state, finished.request, finished.done) == ("done", {"dataset": "demo"}, 3)
    assert (broken.line, broken.place, broken.expected, broken.trouble) == ("", 0.0, 0.0, "")
    if changes != LAST:  # the last version wrote it itself
        assert (finished.fraction, broken.fraction) == (1.0 if not changes else 0.0, 0.0)
    database.close()


def test_a_finished_run_of_the_last_version_still_answers_its_question(tmp_path: Path) -> None:
    make_old(tmp_path / "scviz.db", *LAST)
    database = Database(sqlite_url(tmp_path / "scviz.db"))
    asked = fingerprint("qc", {"dataset": "demo"}, 1)
    assert [run.id for run in database.runs(["done"], fingerprint=asked)] == ["finished"]
    assert database.get("broken").fingerprint == "of 0.1"
    database.close()


def test_an_old_workspace_opens_with_its_runs(tmp_path: Path) -> None:
    make_old(tmp_path / "scviz.db", *LAST)
    queue = RunQueue(Settings.from_env({"SCVIZ_HOME": str(tmp_path), "SCVIZ_SPARE": "0"}))
    assert {run.id for run in queue.runs()} == {"finished", "broken"}
    queue.database.add(Run(id="new", task="qc", trouble="Its disk is full."))
    assert queue.get("new").trouble == "Its disk is full."
    queue.close()


def test_a_newer_workspace_is_refused_in_words_and_left_alone(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "scviz.db")
    Database(url).close()
    connection = sqlite3.connect(tmp_path / "scviz.db")
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = 'v99'")
        connection.execute("ALTER TABLE runs ADD COLUMN later TEXT NOT NULL DEFAULT ''")
    before = list(connection.execute("SELECT sql FROM sqlite_master"))
    with pytest.raises(
        SettingsError, match=r"newer scviz: its tables are 'v99', this one knows 'v\d+'"
    ) as no:
        Database(url)
    assert "newer version" in no.value.hint
    assert list(connection.execute("SELECT sql FROM sqlite_master")) == before
    connection.close()


def test_an_engine_of_earlier_code_goes_on_in_tables_that_a_newer_version_has_added_to(
    tmp_path: Path,
) -> None:
    url = sqlite_url(tmp_path / "scviz.db")
    database = Database(url)
    database.add(Run(id="a", task="qc"))
    connection = sqlite3.connect(tmp_path / "scviz.db")
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = 'v99'")
        connection.execute("ALTER TABLE runs ADD COLUMN later TEXT NOT NULL DEFAULT ''")
    connection.close()
    database.close()
    earlier = Database(url, as_it_is=True)
    assert earlier.update("a", state="running")
    assert earlier.get("a").state == "running"
    earlier.close()


def test_many_may_bring_an_old_database_up_to_date_at_once(tmp_path: Path) -> None:
    make_old(tmp_path / "scviz.db", *LAST)

    def count(_: int) -> int:
        database = Database(sqlite_url(tmp_path / "scviz.db"))
        runs = database.runs()
        database.close()
        return len(runs)

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(count, range(16))) == [2] * 16


def test_an_upgrade_that_breaks_off_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_old(tmp_path / "scviz.db")
    connection = sqlite3.connect(tmp_path / "scviz.db")
    before = list(connection.execute("SELECT sql FROM sqlite_master"))
    monkeypatch.setattr("scviz.workspace.records.json.dumps", lambda *_, **__: 1 / 0)  # within the last step
    with pytest.raises(ZeroDivisionError):
        Database(sqlite_url(tmp_path / "scviz.db"))
    monkeypatch.undo()
    assert list(connection.execute("SELECT sql FROM sqlite_master")) == before
    connection.close()
    database = Database(sqlite_url(tmp_path / "scviz.db"))
    assert database.get("finished").fraction == 1.0
    database.close()


def differences(url: str) -> list[object]:
    engine = sql.create_engine(url)
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), METADATA)
    engine.dispose()
    return found


def test_the_steps_make_the_tables_that_the_code_knows(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "scviz.db")
    Database(url).close()
    assert differences(url) == []


def test_the_last_step_is_the_one_that_is_looked_for() -> None:
    config = Config()
    config.set_main_option("script_location", str(STEPS))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]
