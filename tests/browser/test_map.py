"""The map of cells in a real browser, at 100,000 cells."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import Serve
from tests.browser.steps import (
    COUNT_BYTES,
    choose,
    keyed,
    lasso,
    map_drawn,
    selected,
    settled,
    stage,
    traffic,
)

APP = "tests/browser/map_app.py"
MIDDLE = [(0.3, 0.3), (0.6, 0.3), (0.6, 0.7), (0.3, 0.7)]
LOWER = [(0.5, 0.5), (0.9, 0.5), (0.9, 0.95), (0.5, 0.95)]
NO_WEBGL = """
const original = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
  return kind === "webgl2" ? null : original.call(this, kind, ...rest);
};
"""

pytestmark = pytest.mark.slow


@pytest.fixture
def opened(page: Page, serve: Serve) -> Iterator[Page]:
    """The page with one map, drawn; no error may reach the console."""
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.add_init_script(COUNT_BYTES)
    page.goto(serve(APP))
    map_drawn(page)
    settled(page)
    yield page
    assert problems == []


def server_sees(page: Page, n: int) -> None:
    """Wait until the server names that number of selected cells."""
    page.get_by_text(f"The server sees {n} cells.", exact=True).wait_for()
    settled(page)


def zoom(page: Page) -> float:
    return float(keyed(page, "map", ".scviz-map").get_attribute("data-zoom") or 0)


def test_first_drawing_takes_little_more_than_five_bytes_a_cell(opened: Page) -> None:
    assert traffic(opened)["down"] < 520_000
    expect(stage(opened)).to_have_attribute(
        "aria-label", re.compile("Map of 100,000 cells, colored by Cell type")
    )


def test_new_coloring_takes_at_most_150_kb_and_keeps_zoom_and_selection(opened: Page) -> None:
    before = map_drawn(opened)
    lasso(opened, MIDDLE)
    n = selected(opened)
    stage(opened).hover()
    opened.mouse.wheel(0, -400)
    expect(keyed(opened, "map", ".scviz-map")).not_to_have_attribute("data-zoom", "1.000")
    seen = zoom(opened)
    server_sees(opened, n)
    traffic(opened)
    choose(opened, "color_by", "INS")
    map_drawn(opened, after=before)
    settled(opened)
    assert traffic(opened)["down"] < 150_000
    assert zoom(opened) == seen > 1
    assert selected(opened) == n
    server_sees(opened, n)


def test_server_and_browser_select_the_same_cells_with_two_kilobytes(opened: Page) -> None:
    traffic(opened)
    lasso(opened, MIDDLE)
    first = selected(opened)
    assert first > 1000
    server_sees(opened, first)
    assert traffic(opened)["up"] < 2000
    opened.keyboard.down("Shift")
    lasso(opened, LOWER)
    opened.keyboard.up("Shift")
    more = selected(opened)
    assert more > first
    server_sees(opened, more)
    opened.keyboard.down("Alt")
    lasso(opened, MIDDLE)
    opened.keyboard.up("Alt")
    assert selected(opened) == more - first
    server_sees(opened, more - first)
    opened.keyboard.press("Escape")
    server_sees(opened, 0)


def test_outline_far_beyond_the_cells_selects_all(opened: Page) -> None:
    opened.get_by_role("button", name=re.compile("^Box")).click()
    lasso(opened, [(0.005, 0.01), (0.995, 0.99)])
    assert selected(opened) == 100_000
    server_sees(opened, 100_000)


def test_keys_move_and_zoom_the_map(opened: Page) -> None:
    stage(opened).focus()
    opened.keyboard.press("+")
    expect(keyed(opened, "map", ".scviz-map")).to_have_attribute("data-zoom", "1.250")
    opened.keyboard.press("ArrowLeft")
    opened.keyboard.press("0")
    expect(keyed(opened, "map", ".scviz-map")).to_have_attribute("data-zoom", "1.000")


def test_click_in_the_legend_hides_and_double_click_isolates(opened: Page) -> None:
    rows = keyed(opened, "map", ".legend button")
    expect(rows).to_have_count(12)
    expect(rows.first).to_contain_text("Type 0 <b>cells</b>")
    traffic(opened)
    rows.nth(1).click()
    expect(rows.nth(1)).to_have_attribute("aria-pressed", "false")
    rows.nth(1).click()
    expect(rows.nth(1)).to_have_attribute("aria-pressed", "true")
    rows.nth(2).dblclick()
    expect(keyed(opened, "map", ".legend button[aria-pressed=true]")).to_have_count(1)
    rows.nth(2).dblclick()
    expect(keyed(opened, "map", ".legend button[aria-pressed=true]")).to_have_count(12)
    assert traffic(opened) == {"down": 0, "up": 0}


def test_map_follows_a_change_to_dark(opened: Page, tmp_path: Path) -> None:
    opened.emulate_media(color_scheme="dark")
    expect(opened.get_by_text("UMAP of simulated cells", exact=False)).to_have_css(
        "color", re.compile(r"rgb\((2[0-9]{2}|1[5-9][0-9]), ")
    )
    lasso(opened, MIDDLE)
    server_sees(opened, selected(opened))
    stage(opened).screenshot(path=tmp_path / "dark.png")
    picture = Image.open(tmp_path / "dark.png").convert("L")
    assert picture.getpixel((8, 8)) < 60
    assert picture.getextrema()[1] > 100


def test_png_is_the_view_at_twice_the_size_on_white(opened: Page, tmp_path: Path) -> None:
    with opened.expect_download() as download:
        opened.get_by_role("button", name="Save this view as PNG").click()
    path = tmp_path / "map.png"
    download.value.save_as(path)
    box = stage(opened).bounding_box()
    width, _ = struct.unpack(">II", path.read_bytes()[16:24])
    picture = Image.open(path).convert("RGB")
    assert download.value.suggested_filename == "map.png"
    assert box is not None and width > 2 * box["width"]  # noqa: PT018
    assert picture.getpixel((3, 3)) == (255, 255, 255)
    assert (0, 114, 178) in {color for _, color in picture.getcolors(1 << 20) or []}


def test_svg_has_a_circle_for_each_cell_or_says_why_not(page: Page, opened: Page, tmp_path: Path) -> None:
    with opened.expect_download() as many:
        opened.get_by_role("button", name=re.compile("^Save this view as SVG")).click()
    many.value.save_as(tmp_path / "many.svg")
    assert "drawn as an image" in (tmp_path / "many.svg").read_text("utf-8")
    keyed(opened, "map", ".legend button").last.dblclick()
    with opened.expect_download() as few:
        opened.get_by_role("button", name=re.compile("^Save this view as SVG")).click()
    few.value.save_as(tmp_path / "few.svg")
    text = (tmp_path / "few.svg").read_text("utf-8")
    n = int((keyed(opened, "map", ".legend .count").last.text_content() or "").replace(",", ""))
    assert text.count("<circle") == n + 1  # and the one of the legend
    assert "<b>" not in text


def test_lost_context_can_be_drawn_again(opened: Page) -> None:
    canvas = keyed(opened, "map", ".stage canvas:not(.over)")
    canvas.evaluate("(it) => it.getContext('webgl2').getExtension('WEBGL_lose_context').loseContext()")
    opened.get_by_role("button", name="Reload map").click()
    expect(opened.get_by_role("button", name="Reload map")).to_have_count(0)
    lasso(opened, MIDDLE)
    server_sees(opened, selected(opened))
    assert selected(opened) > 1000


def test_cell_under_the_pointer_is_named(opened: Page) -> None:
    box = stage(opened).bounding_box()
    assert box is not None
    opened.mouse.move(box["x"] + 0.38 * box["width"], box["y"] + 0.36 * box["height"])
    expect(keyed(opened, "map", ".tip")).to_have_text(re.compile(r"^Type \d+ <b>cells</b>$"))


def test_a_seventh_map_puts_the_first_one_aside(page: Page, serve: Serve) -> None:
    page.goto(serve(APP, {"MAP_CELLS": "700", "MAP_COPIES": "7"}))
    drawn = page.locator(".scviz-map .stage canvas.over + .tip + .notice[hidden]")
    resting = page.get_by_role("button", name="Reload map")
    expect(resting).to_have_count(1)
    expect(drawn).to_have_count(6)
    resting.click()
    expect(resting).to_have_count(1)
    expect(drawn).to_have_count(6)


def test_maps_of_a_group_show_one_selection(page: Page, serve: Serve) -> None:
    page.goto(serve(APP, {"MAP_CELLS": "700", "MAP_PAIR": "1"}))
    for key in ("left", "right"):
        map_drawn(page, key)
    settled(page)
    lasso(page, MIDDLE, "left")
    n = selected(page, "left")
    assert 0 < n == selected(page, "right")
    server_sees(page, n)
    page.keyboard.down("Shift")
    lasso(page, [(0.01, 0.01), (0.5, 0.01), (0.5, 0.99), (0.01, 0.99)], "right")
    page.keyboard.up("Shift")
    both = selected(page, "right")
    assert n < both == selected(page, "left")
    server_sees(page, both)


@pytest.fixture
def pair(page: Page, serve: Serve) -> Page:
    """Two linked maps of 700 cells with one legend."""
    page.goto(serve(APP, {"MAP_CELLS": "700", "MAP_PAIR": "1", "MAP_TYPES": "20"}))
    for key in ("left", "right"):
        map_drawn(page, key)
    settled(page)
    return page


def test_linked_maps_have_one_legend_that_acts_on_both(pair: Page, tmp_path: Path) -> None:
    rows = keyed(pair, "legend", ".legend .rows button")
    expect(rows).to_have_count(20)
    for key in ("left", "right"):
        expect(keyed(pair, key, ".legend")).to_be_hidden()
    before = [stage(pair, key).screenshot() for key in ("left", "right")]
    rows.first.click()
    expect(rows.first).to_have_attribute("aria-pressed", "false")
    after = [stage(pair, key).screenshot() for key in ("left", "right")]
    assert all(old != new for old, new in zip(before, after, strict=True))
    rows.nth(3).click(modifiers=["Shift"])
    expect(keyed(pair, "legend", ".legend button[aria-pressed=true]")).to_have_count(1)


def test_a_long_legend_is_searched(pair: Page) -> None:
    box = keyed(pair, "legend", "input")
    box.fill("type 1")
    expect(keyed(pair, "legend", ".rows button:visible")).to_have_count(11)
    expect(keyed(pair, "legend", ".rows button:visible").first).to_contain_text("Type 1 ")
    keyed(pair, "legend", ".rows button:visible").first.click()
    expect(box).to_have_value("type 1")
    expect(keyed(pair, "legend", ".rows button:visible")).to_have_count(11)


def test_filtered_cells_are_grey_on_both_maps_and_are_not_selected(pair: Page) -> None:
    lasso(pair, MIDDLE, "left")
    n = selected(pair, "left")
    server_sees(pair, n)
    keyed(pair, "filtered", "label").click()
    expect(keyed(pair, "left", ".scviz-map")).not_to_have_attribute("data-passing", "700")
    settled(pair)
    fewer = selected(pair, "left")
    assert 0 < fewer == selected(pair, "right") < n
    server_sees(pair, fewer)


def test_two_values_at_once_have_a_square_for_a_legend(pair: Page) -> None:
    before = map_drawn(pair, "left")
    choose(pair, "color_by", "INS and GCG")
    map_drawn(pair, "left", after=before)
    square = keyed(pair, "legend", ".pair canvas")
    expect(square).to_have_attribute("aria-label", "Colors of INS, to the right, and GCG, upward")
    assert (
        len(square.evaluate("(it) => [...new Set(it.getContext('2d').getImageData(0, 0, 15, 15).data)]")) > 30
    )


def test_the_map_has_a_role_a_name_and_a_focus(pair: Page) -> None:
    canvas = keyed(pair, "left", ".stage canvas:not(.over)")
    expect(canvas).to_have_attribute("role", "img")
    expect(canvas).to_have_attribute("aria-label", re.compile("Map of 700 cells"))
    stage(pair, "left").focus()
    expect(stage(pair, "left")).to_be_focused()


def test_without_webgl_an_image_takes_its_place(page: Page, serve: Serve) -> None:
    page.add_init_script(NO_WEBGL)
    page.goto(serve(APP))
    page.get_by_text("This browser has no WebGL2", exact=False).wait_for()
    settled(page)
    expect(page.get_by_test_id("stImage").locator("img")).to_be_visible()
    expect(page.locator(".scviz-map")).to_have_count(0)
