"""A click on a square of the confusion matrix opens what is behind it, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import SLOW, follow, keyed, map_drawn, picture, press, settled

pytestmark = pytest.mark.slow


def test_a_click_on_a_square_lights_its_cells(page: Page, url: str) -> None:
    page.goto(url)
    press(page, "open_demo")
    follow(page, page.get_by_role("link", name="Which type is each cell?"), to="annotate")
    keyed(page, "confusion").wait_for(timeout=SLOW)
    settled(page)
    chart = keyed(page, "confusion", ".js-plotly-plot")
    expect(chart.locator(".scatterlayer .point").first).to_be_attached()
    settled(page)
    points = chart.locator(".scatterlayer .point")
    place = chart.evaluate(
        """plot => { const shown = plot.data[1];
             const at = shown.customdata.findIndex((one, i) => one[0] > 0 && shown.x[i] !== shown.y[i]);
             return {at, true: shown.y[at], named: shown.x[at], cells: shown.customdata[at][0]}; }"""
    )
    box = points.nth(place["at"]).bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    said = page.get_by_text(f"cells of {place['true']} are named {place['named']}", exact=False)
    expect(said.first).to_contain_text(f"{place['cells']} of")
    map_drawn(page, "door_map")
    settled(page)
    picture(page, "annotate-square")
    page.get_by_role("tab", name="Confidence", exact=True).click()
    expect(keyed(page, "reliability", ".js-plotly-plot")).to_be_visible()
    expect(keyed(page, "abstaining", ".js-plotly-plot")).to_be_visible()
    picture(page, "annotate-confidence")
