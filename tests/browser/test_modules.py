"""Gene modules in a real browser: found, judged, drawn, taken away, and handed to a sweep."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from scviz.datasets.demo import open_demo
from scviz.settings import ROOT
from scviz.workspace import Workspace
from tests.browser.conftest import Serve, end_engine
from tests.browser.steps import (
    SLOW,
    choose,
    draw_model_map,
    follow,
    keyed,
    map_drawn,
    picture,
    press,
    settled,
    visit,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def url(serve: Serve, tmp_path: Path) -> Iterator[str]:
    """The dashboard on a workspace with the demo cells; the engine that a run starts there ends with the test."""
    home = tmp_path / "home"
    open_demo(Workspace(home))
    yield serve(ROOT / "app.py", {"SCVIZ_HOME": str(home)})
    end_engine(home)


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()
    settled(page)


def test_modules_are_found_judged_drawn_and_handed_on(page: Page, url: str) -> None:
    page.set_default_timeout(SLOW)
    page.goto(f"{url}/explore?checkpoint=scgpt/scgpt-blood")
    draw_model_map(page)
    map_drawn(page, "map_model")
    visit(page, "Modules")
    keyed(page, "modules_source").wait_for()
    choose(page, "modules_source", "What the model knows of each gene")
    settled(page)
    expect(page.get_by_text("About ", exact=False).first).to_be_visible(timeout=SLOW)
    press(page, "run")
    keyed(page, "modules_tabs").wait_for(timeout=SLOW)
    settled(page)
    expect(page.get_by_text("agree with those of co-expression", exact=False).first).to_be_visible()
    picture(page, "modules")
    with page.expect_download() as download:
        press(page, "modules_gmt_modules")
    first = Path(download.value.path()).read_text("utf-8").splitlines()[0].split("\t")
    assert first[0] == "Module 1"
    open_tab(page, "Network")
    keyed(page, "network", "canvas").first.wait_for()
    picture(page, "modules-network")
    open_tab(page, "Types")
    keyed(page, "heat", ".js-plotly-plot").wait_for()
    picture(page, "modules-types")
    open_tab(page, "Map")
    choose(page, "map_module", "Module 2")
    map_drawn(page, "module_map")
    picture(page, "modules-map")
    open_tab(page, "Stability")
    keyed(page, "stability", ".js-plotly-plot").wait_for()
    picture(page, "modules-stability")
    open_tab(page, "Modules")
    follow(page, page.get_by_role("link", name="Knock out its genes one by one"), to="in_silico")
    expect(page.get_by_role("heading", name="In-silico")).to_be_visible()
    settled(page)
    expect(keyed(page, "scope", "input")).to_have_value("One by one")
    expect(page.get_by_role("combobox", name="Gene set", exact=True)).to_have_value(
        re.compile(r"^Module 1 · \d+ genes$")
    )
    expect(keyed(page, "run", "button:visible").first).to_be_enabled()
