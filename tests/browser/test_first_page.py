"""Servers at which a page is opened first: every page, and a deep link to one that asks for a login."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from scviz.datasets.demo import open_demo
from scviz.progress import silent
from scviz.settings import ROOT
from scviz.workspace import Workspace
from tests.browser.conftest import PATIENCE, end_engine, start_server
from tests.browser.steps import keyed, picture, settled

pytestmark = pytest.mark.slow

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
