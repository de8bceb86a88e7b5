"""Servers at which a page is opened first: every page, and a deep link to one that asks for a login."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Response, expect

from benchmarks.first_picture import SECONDS_SINCE_FIRST_BYTE, serve
from pages.components.packed import SMALLEST
from scviz.datasets.demo import open_demo
from scviz.progress import silent
from scviz.settings import ROOT
from scviz.workspace import Workspace
from tests.browser.conftest import PATIENCE, end_engine, start_server
from tests.browser.steps import keyed, map_drawn, picture, settled

pytestmark = pytest.mark.slow

LONGEST_TO_MAP = 60
"""Seconds; 3 are wanted of a machine that does nothing else (`benchmarks/first_picture.py`)."""
PAGES = ["", *sorted(path.stem for path in (ROOT / "pages").glob("*.py") if path.stem != "__init__")]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace with the demo cells; the engine that a server starts there ends with the tests."""
    home = tmp_path_factory.mktemp("first") / "home"
    open_demo(Workspace(home), silent)
    yield home
    end_engine(home)


@pytest.mark.parametrize("name", PAGES)
def test_every_page_can_be_the_first_one_that_is_opened(
    page: Page, name: str, server_logs: Path, home: Path
) -> None:
    process, address = start_server(
        ROOT / "app.py", {"SCVIZ_HOME": str(home)}, server_logs / f"first-{name}.log"
    )
    try:
        page.goto(f"{address}/{name}")
        settled(page)
        links = page.locator("[data-testid=stSidebar] [data-testid=stPageLink]")
        expect(links).to_have_count(len(PAGES))
        page.get_by_role("heading").first.wait_for()
        picture(page, f"first-{name or 'home'}")
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=PATIENCE)


def test_a_fresh_workspace_shows_a_map_without_a_click(page: Page, server_logs: Path, tmp_path: Path) -> None:
    process, address = serve(tmp_path / "home", server_logs / "fresh.log")
    came: list[Response] = []
    page.on("response", lambda one: came.append(one))
    try:
        page.goto(address)
        map_drawn(page, "home_map")
        assert page.evaluate(SECONDS_SINCE_FIRST_BYTE) <= LONGEST_TO_MAP
        expect(page.get_by_text("Came with scviz: made with scviz").first).to_be_visible()
        settled(page)
        scripts = [one for one in came if one.url.endswith(".js")]
        plain = [one for one in scripts if one.headers.get("content-encoding") != "gzip"]
        assert len(plain) < len(scripts)
        assert not [one.url for one in plain if int(one.headers["content-length"]) >= SMALLEST]
        assert not [one.url for one in scripts if "Plotly" in one.url]
        picture(page, "home")
        page.get_by_role("link", name="Color, circle and name cells").click()
        map_drawn(page, "map_model")
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=PATIENCE)
        end_engine(tmp_path / "home")


def test_a_server_with_a_login_shows_nothing_by_deep_link(page: Page, server_logs: Path, home: Path) -> None:
    env = {"SCVIZ_HOME": str(home), "SCVIZ_LOGIN": "1"}
    process, address = start_server(ROOT / "app.py", env, server_logs / "login.log")
    try:
        page.goto(f"{address}/annotate")
        keyed(page, "login", "button").wait_for()
        settled(page)
        assert page.locator("[data-testid=stPageLink]").count() == 0
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=PATIENCE)
