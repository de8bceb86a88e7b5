"""What pages say where the database of runs cannot be used."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from scviz.jobs.queue import RunQueue
from scviz.settings import Settings
from scviz.tasks import qc
from tests.conftest import Opened
from tests.pages.test_pages import Open, visit  # noqa: F401 - a fixture


def test_a_workspace_of_a_newer_scviz_is_told_on_the_page(
    visit: Open,  # noqa: F811
    tmp_path: Path,
) -> None:
    RunQueue(Settings.from_env()).close()
    connection = sqlite3.connect(tmp_path / "home" / "scviz.db")
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = 'v99'")
    connection.close()
    page = visit("pages/runs.py")
    assert not page.exception
    assert ["newer scviz" in error.value for error in page.error] == [True]


def test_a_database_that_cannot_be_used_is_told_on_the_page_and_asked_again(
    visit: Open,  # noqa: F811
    tmp_path: Path,
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "scviz.db").write_bytes(b"no database " * 100)
    page = visit("app.py")
    assert not page.exception
    assert ["its file is damaged" in error.value for error in page.error] == [True]
    (tmp_path / "home" / "scviz.db").unlink()
    page.button(key="database_again").click().run()
    assert not page.exception
    assert not page.error


def test_what_holds_a_run_up_is_told_beside_it(
    visit: Open,  # noqa: F811
    opened: Opened,
) -> None:
    queue = RunQueue(Settings.from_env())
    run = queue.submit("qc", qc.Request(dataset=opened.dataset)).run
    queue.database.update(
        run, state="running", heartbeat=time.time() + 5, trouble="The disk of the workspace is full."
    )
    page = visit("pages/qc.py", dataset=opened.dataset, run=run)
    assert not page.exception
    assert ["is full" in warning.value for warning in page.warning] == [True]
    queue.close()
