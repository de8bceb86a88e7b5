"""Naming, renaming, undo and redo on maps, in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Serve
from tests.browser.steps import keyed, lasso, map_drawn, picture, press, selected, settled, stage

pytestmark = pytest.mark.slow

APP = "tests/browser/names_app.py"
NAME = "<b>Activated</b> *T*"
LEFT_HALF = [(0.02, 0.02), (0.5, 0.02), (0.5, 0.98), (0.02, 0.98)]
LOWER_LEFT = [(0.02, 0.5), (0.5, 0.5), (0.5, 0.98), (0.02, 0.98)]
LOWER_HALF = [(0.02, 0.5), (0.98, 0.5), (0.98, 0.98), (0.02, 0.98)]


@pytest.fixture
def opened(page: Page, serve: Serve, tmp_path: Path) -> Page:
    """The page with its two maps, drawn."""
    home = tmp_path / "home"
    page.goto(serve(APP, {"SCVIZ_HOME": str(home), "SCVIZ_DATA_ROOTS": str(home)}))
    map_drawn(page, "left")
    map_drawn(page, "right")
    settled(page)
    return page


def both(page: Page, n: int) -> None:
    """Wait until both maps and the server have so many cells selected."""
    for key in ("left", "right"):
        expect(keyed(page, key, ".scviz-map")).to_have_attribute("data-selected", str(n))
    if n:
        page.get_by_text(f"{n} cells selected (", exact=False).first.wait_for()
    else:
        page.get_by_text("Draw around cells on a map to count them.", exact=False).first.wait_for()
    settled(page)


def chip(page: Page, text: str) -> None:
    """Wait for the chip of a group."""
    expect(keyed(page, "groups_chosen").get_by_text(text, exact=True)).to_be_visible()
    settled(page)


def named(page: Page) -> int:
    """Select the left half and give it a name of signs that mean something in HTML and markdown."""
    lasso(page, LEFT_HALF, "left")
    n = selected(page, "left")
    both(page, n)
    keyed(page, "group_name", "input").fill(NAME)
    press(page, "name_it")
    chip(page, f"{NAME} · {n}")
    return n


def rename(page: Page, n: int) -> None:
    """Rename the group; Ctrl+Z in the field is the field's own."""
    field = page.get_by_label("Rename it")
    field.fill("Activated T")
    field.press("Control+z")
    expect(field).not_to_have_value("Activated T")
    chip(page, f"{NAME} · {n}")
    field.fill("Activated T")
    field.press("Enter")
    settled(page)
    press(page, "rename")
    chip(page, f"Activated T · {n}")


def test_names_and_selections_are_taken_back_and_done_again_by_keys(opened: Page) -> None:
    n = named(opened)
    picture(opened, "named-groups")
    rename(opened, n)
    lasso(opened, LOWER_LEFT, "right")
    expect(keyed(opened, "right", ".scviz-map")).not_to_have_attribute("data-selected", str(n))
    m = selected(opened, "right")
    both(opened, m)

    stage(opened, "right").focus()
    opened.keyboard.press("Control+z")
    both(opened, n)
    opened.keyboard.press("Control+z")
    chip(opened, f"{NAME} · {n}")
    opened.keyboard.press("Control+z")
    expect(keyed(opened, "groups_chosen")).to_have_count(0)
    both(opened, n)
    opened.keyboard.press("Control+z")
    both(opened, 0)
    expect(keyed(opened, "undo_change", "button").first).to_be_disabled()

    opened.keyboard.press("Control+Shift+z")
    both(opened, n)
    opened.keyboard.press("Control+Shift+z")
    chip(opened, f"{NAME} · {n}")
    opened.keyboard.press("Control+y")
    chip(opened, f"Activated T · {n}")
    opened.keyboard.press("Control+Shift+z")
    both(opened, m)
    expect(keyed(opened, "redo_change", "button").first).to_be_disabled()


def test_a_group_is_selected_again_on_both_maps_and_grows_by_a_lasso(opened: Page) -> None:
    n = named(opened)
    stage(opened, "left").focus()
    opened.keyboard.press("Escape")
    both(opened, 0)
    press(opened, "group_select")
    both(opened, n)
    opened.keyboard.down("Shift")
    lasso(opened, LOWER_HALF, "left")
    opened.keyboard.up("Shift")
    more = selected(opened, "left")
    assert more > n
    both(opened, more)
    press(opened, "group_add")
    chip(opened, f"{NAME} · {more}")
