"""A simulated screen in a real browser: opened from the Data page, and named as simulated wherever it is shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page, expect

from scviz.jobs import engine
from scviz.settings import ROOT
from tests.browser.conftest import Serve
from tests.browser.steps import choose, settled

pytestmark = pytest.mark.slow


@pytest.fixture
def url(serve: Serve, tmp_path: Path) -> Iterator[str]:
    """The dashboard on an empty workspace; the engine that a run starts there ends with the test."""
    home = tmp_path / "home"
    yield serve(ROOT / "app.py", {"SCVIZ_HOME": str(home)})
    if engine.address_file(home).exists():
        psutil.Process(engine.read_address(home)["pid"]).terminate()


def test_a_simulated_screen_opens_and_says_so_on_the_next_page(page: Page, url: str) -> None:
    page.goto(f"{url}/data")
    settled(page)
    page.get_by_text("Simulated perturbation screen").click()
    choose(page, "simulated_preset", "tiny · 840 cells of 230 genes: over in a second")
    settled(page)
    page.locator(".st-key-open_simulated button").click()
    expect(page.get_by_text("These cells are simulated")).to_be_visible(timeout=120_000)
    expect(page.locator(".st-key-pick_dataset")).to_contain_text("simulated")
    page.get_by_role("link", name="Draw the map").click()
    expect(page.get_by_role("heading", name="Explore")).to_be_visible()
    expect(page.locator(".st-key-pick_dataset")).to_contain_text("simulated")
