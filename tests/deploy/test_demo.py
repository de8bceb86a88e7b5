"""A demo server as its visitors meet it."""

from __future__ import annotations

from pathlib import Path

import pytest

from scviz.settings import Settings
from scviz.workspace import Workspace
from scviz.workspace.database import Database
from scviz.workspace.people import SERVER, owner_of
from tests.deploy.served import dashboard, page_of, talk_with
from tests.jobs.waiting import wait_for


@pytest.mark.slow
def test_two_visitors_find_the_finished_examples_and_are_two(tmp_path: Path) -> None:
    settings = Settings.from_env({"SCVIZ_HOME": str(tmp_path / "home"), "SCVIZ_DEMO": "1"})
    with dashboard(settings.home, SCVIZ_DEMO="1") as port:
        for _ in range(2):
            with talk_with(port) as talk:
                page = page_of(talk, "Ask these cells")
            assert "is deleted after an hour" in page
            assert "Nothing is open yet" not in page
        (dataset,) = (settings.home / "datasets").iterdir()
        assert owner_of(dataset) == SERVER
        visitors = list((settings.home / "people").iterdir())
        assert len(visitors) == 2
        database = Database.from_settings(settings)
        wait_for(
            lambda: len({run.owner for run in database.runs(["done"])}) == 2, "both have the finished runs"
        )
    assert Workspace.from_settings(settings).datasets()[0].n_cells == 700
