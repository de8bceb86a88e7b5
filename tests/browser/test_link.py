"""A link is the view: the same address in a second browser shows the same picture; filters are taken back by keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Page, expect

from scviz.datasets.demo import open_demo
from scviz.jobs.queue import RunQueue
from scviz.jobs.shipped import Shelf, take_in
from scviz.progress import silent
from scviz.settings import Settings
from scviz.workspace import Workspace
from tests.browser.conftest import Serve, end_engine
from tests.browser.steps import (
    choose_first,
    keyed,
    lasso,
    map_drawn,
    picture,
    press,
    selected,
    settled,
    stage,
    stage_pixels,
)

pytestmark = pytest.mark.slow

AROUND = [(0.15, 0.15), (0.7, 0.15), (0.7, 0.8), (0.15, 0.8)]


@pytest.fixture(scope="module")
def opened(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A server with the demo cells and their finished map; its address, and the id of the dataset."""
    home = tmp_path_factory.mktemp("link") / "home"
    workspace = Workspace(home)
    dataset = open_demo(workspace, silent).id
    queue = RunQueue(Settings.from_env({"SCVIZ_HOME": str(home)}))
    take_in(Shelf(workspace=workspace, database=queue.database, owner="local"))
    queue.close()
    yield serve("app.py", {"SCVIZ_HOME": str(home), "SCVIZ_SPARE": "0"}), dataset
    end_engine(home)


def said(page: Page) -> dict[str, str]:
    """What the address says."""
    return {name: values[0] for name, values in parse_qs(urlparse(page.url).query).items()}


def says(page: Page, name: str, *, gone: bool = False) -> str:
    """Wait until the address says something of this name, or no more."""
    wanted = "false" if gone else "true"
    page.wait_for_function(f"new URLSearchParams(location.search).has('{name}') === {wanted}")
    return said(page).get(name, "")


def test_an_address_is_the_same_picture_in_another_browser(page: Page, opened: tuple[str, str]) -> None:
    server, dataset = opened
    page.goto(f"{server}/explore?dataset={dataset}&color=gene:CD3D&scale=5,95,linear")
    map_drawn(page, "map_model")
    settled(page)
    lasso(page, AROUND, "map_model")
    n = selected(page, "map_model")
    assert 0 < n < 700
    says(page, "selection")
    stage(page, "map_model").focus()
    page.keyboard.press("+")
    page.keyboard.press("ArrowLeft")
    assert says(page, "zoom").startswith("map_model:1.25,")
    settled(page)
    address, seen = page.url, stage_pixels(page, "map_model")
    assert said(page)["scale"] == "5,95,linear"
    context = page.context.browser.new_context(viewport={"width": 1280, "height": 800})  # type: ignore[union-attr]
    try:
        other = context.new_page()
        other.set_default_timeout(240_000)
        other.goto(address)
        map_drawn(other, "map_model")
        expect(keyed(other, "map_model", ".scviz-map")).to_have_attribute("data-selected", str(n))
        expect(other.get_by_text(f"{n} cells selected").first).to_be_visible()
        assert stage_pixels(other, "map_model") == seen
        settled(other)
        assert said(other) == said(page)
        expect(keyed(other, "undo_change", "button").first).to_be_disabled()
        picture(other, "link")
    finally:
        context.close()


def test_a_filter_is_taken_back_and_done_again_by_keys(page: Page, opened: tuple[str, str]) -> None:
    server, dataset = opened
    page.goto(f"{server}/explore?dataset={dataset}")
    map_drawn(page, "map_model")
    settled(page)
    passing = keyed(page, "map_model", ".scviz-map")
    expect(passing).to_have_attribute("data-passing", "700")
    keyed(page, "cell_filter", "summary").click()
    name = choose_first(page, f"filters_{dataset}_column")
    settled(page)
    assert json.loads(says(page, "filters"))[0][1] == name
    pills = page.locator(f"[class*='st-key-filter_{dataset}_category'] button")
    pills.nth(1).click()
    expect(passing).not_to_have_attribute("data-passing", "700")
    fewer = passing.get_attribute("data-passing")
    settled(page)
    page.locator("body").press("Control+z")
    expect(passing).to_have_attribute("data-passing", "700")
    settled(page)
    page.locator("body").press("Control+Shift+z")
    expect(passing).to_have_attribute("data-passing", str(fewer))
    settled(page)
    press(page, "filter_clear")
    says(page, "filters", gone=True)


def test_the_selected_cells_lead_to_their_genes(page: Page, opened: tuple[str, str]) -> None:
    server, dataset = opened
    page.goto(f"{server}/explore?dataset={dataset}&selection=000000000000")
    map_drawn(page, "map_model")
    expect(page.get_by_text("names a selection that this dataset does not have").first).to_be_visible()
    settled(page)
    lasso(page, AROUND, "map_model")
    says(page, "selection")
    press(page, "selection_genes")
    page.wait_for_url("**/groups?*")
    settled(page)
    expect(page.get_by_text("A: Selected cells").first).to_be_visible()
