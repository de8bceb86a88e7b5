"""A simulated screen in a real browser: opened from the Data page, and named as simulated wherever it is shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from scviz.settings import ROOT
from tests.browser.conftest import Serve, end_engine
from tests.browser.steps import SLOW, choose, follow, keyed, open_tiny, picture, press, settled, visit

pytestmark = pytest.mark.slow


@pytest.fixture
def url(serve: Serve, tmp_path: Path) -> Iterator[str]:
    """The dashboard on an empty workspace; the engine that a run starts there ends with the test."""
    home = tmp_path / "home"
    yield serve(ROOT / "app.py", {"SCVIZ_HOME": str(home)})
    end_engine(home)


def test_a_simulated_screen_opens_and_says_so_on_the_next_page(page: Page, url: str) -> None:
    open_tiny(page, url)
    picture(page, "data-simulated")
    expect(keyed(page, "pick_dataset")).to_contain_text("simulated")
    follow(page, page.get_by_role("link", name="See the map"), to="explore")
    expect(page.get_by_role("heading", name="Explore")).to_be_visible()
    expect(keyed(page, "pick_dataset")).to_contain_text("simulated")


def test_a_screen_is_divided_predicted_and_judged(page: Page, url: str) -> None:
    open_tiny(page, url)
    visit(page, "Perturb")
    keyed(page, "methods").wait_for()
    settled(page)
    picture(page, "perturb")
    choose(page, "perturbation_split", "Unseen genes, alone and in pairs")
    for method in ("GEARS", "Linear, gene terms"):
        keyed(page, "methods", "input").fill(method)
        page.get_by_role("option", name=method, exact=True).click()
        page.keyboard.press("Escape")
        settled(page)
    expect(page.get_by_text("About ", exact=False).first).to_be_visible(timeout=SLOW)
    press(page, "run")
    keyed(page, "ranking", ".js-plotly-plot").wait_for(timeout=SLOW)
    settled(page)
    expect(page.get_by_text("best baseline", exact=False).first).to_be_visible()
    said = page.get_by_test_id("stCaptionContainer").filter(has_text="simulated")
    expect(said.first).to_be_visible()  # the mark of the verdict, not that of the dataset
    labels = keyed(page, "ranking", ".yaxislayer-above text").all_text_contents()
    names = {label.partition(", n = ")[0] for label in labels}
    assert {"No change", "Mean of perturbations", "Linear", "GEARS", "Linear, gene terms"} < names
    picture(page, "perturb-ranking")
    choose(page, "shown_method", "GEARS")
    settled(page)
    keyed(page, "cells", ".js-plotly-plot").scroll_into_view_if_needed()
    expect(keyed(page, "perturbation", "input")).to_have_value("P1R4+P3R4")
    marked = keyed(page, "changes", ".js-plotly-plot .scatterlayer .trace").nth(1)
    assert marked.locator(".point").count() == 20
    picture(page, "perturb-pair")
    with page.expect_download() as download:
        press(page, "changes_svg")
    assert "GEARS" in Path(download.value.path()).read_text("utf-8")
    with page.expect_download() as download:
        press(page, "interactions_csv")
    assert "P1R4+P3R4" in Path(download.value.path()).read_text("utf-8")
