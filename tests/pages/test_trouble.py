"""What pages say where the database of runs cannot be used."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from scviz.jobs.queue import RunQueue
from scviz.settings import Settings
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
