"""What the browser sends may name an address from before a press; the press holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from scviz.jobs.queue import RunQueue
from scviz.settings import Settings
from scviz.workspace import Workspace
from tests.bad_cells import open_bad_cells
from tests.pages.test_pages import Open, visit
from tests.pages.test_qc import handed_in, measured

__all__ = ["visit"]


@pytest.fixture
def pressed(visit: Open, workspace: Workspace, tmp_path: Path) -> tuple[AppTest, str]:
    """A page with a finished run on which another question was handed in, and the id of the new run."""
    measured(workspace, dataset := open_bad_cells(workspace, tmp_path).id)
    page = visit("pages/qc.py", dataset=dataset, run="measured")
    page.checkbox(key="qc_doublets").check().run()
    page.button(key="run").click().run()
    assert not page.exception
    new = handed_in("qc").id
    assert page.query_params["run"] == new
    return page, new


def test_an_address_from_before_a_press_does_not_bring_the_former_run_back(
    pressed: tuple[AppTest, str],
) -> None:
    page, new = pressed
    page.query_params["run"] = "measured"
    page.run()
    assert page.query_params["run"] == new
    assert page.get("progress") or "queue" in str(page.main), "the run that was asked for is watched"


def test_a_link_from_another_page_leads_to_the_former_run(pressed: tuple[AppTest, str]) -> None:
    page, _ = pressed
    page.switch_page("pages/runs.py").run()
    page.query_params["run"] = "measured"
    page.switch_page("pages/qc.py").run()
    assert page.query_params["run"] == "measured"
    assert [run.id for run in RunQueue(Settings.from_env()).runs(states=("done",))] == ["measured"]


def test_after_a_while_the_address_is_what_the_browser_says(
    pressed: tuple[AppTest, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    page, _ = pressed
    monkeypatch.setattr("pages.components.state.LATE_SECONDS", 0.0)
    page.query_params["run"] = "measured"
    page.run()
    assert page.query_params["run"] == "measured"
