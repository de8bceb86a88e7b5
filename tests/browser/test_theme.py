"""The page turns dark, and figures drawn by the server with it; a narrow page is not under its side bar."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from scviz.datasets.demo import open_demo
from scviz.jobs.queue import RunQueue
from scviz.progress import silent
from scviz.settings import Settings
from scviz.tasks import back, qc
from scviz.tasks.context import Context
from scviz.workspace import Workspace
from scviz.workspace.database import Run
from scviz.workspace.records import to_json, write_record
from tests.browser.conftest import Serve, end_engine
from tests.browser.steps import picture, settled

pytestmark = pytest.mark.slow

TICK = ".js-plotly-plot .ytick text"


@pytest.fixture(scope="module")
def address(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server whose workspace holds the demo cells and how good they are."""
    home = tmp_path_factory.mktemp("theme") / "home"
    workspace = Workspace(home)
    request = qc.Request(dataset=open_demo(workspace, silent).id, doublets=False)
    context = Context(workspace=workspace, report=silent, folder=workspace.run_folder("measured"))
    write_record(back("qc").run(request, context), context.result)
    asked = {"task": "qc", "request": to_json(request)}
    (context.folder / "request.json").write_text(json.dumps(asked))
    queue = RunQueue(Settings.from_env({"SCVIZ_HOME": str(home)}))
    queue.database.add(Run(id="measured", state="done", started=1.0, ended=2.0, **asked))  # type: ignore[arg-type]
    queue.close()
    yield serve("app.py", {"SCVIZ_HOME": str(home), "SCVIZ_SPARE": "0"})
    end_engine(home)


def test_figures_of_the_server_turn_dark_with_the_page(page: Page, address: str) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(f"{address}/qc")
    expect(page.locator(TICK).first).to_have_css("fill", "rgb(49, 51, 63)")
    page.emulate_media(color_scheme="dark")
    expect(page.locator(TICK).first).to_have_css("fill", "rgb(230, 232, 236)")
    settled(page)
    picture(page, "qc-turned-dark")
    page.emulate_media(color_scheme="light")
    expect(page.locator(TICK).first).to_have_css("fill", "rgb(49, 51, 63)")


def test_a_narrow_page_is_not_under_its_side_bar(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{address}/qc")
    settled(page)
    expect(page.get_by_test_id("stSidebar")).to_have_attribute("data-collapsed", "true")
    heading = page.get_by_role("heading", name="QC").bounding_box()
    assert heading is not None
    assert 0 <= heading["x"] < 60
    picture(page, "qc-narrow")
    page.get_by_test_id("stExpandSidebarButton").click()
    expect(page.get_by_role("link", name="Runs")).to_be_visible()
