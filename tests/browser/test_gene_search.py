"""The search for a gene in a real browser, with keys and with the mouse."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Serve
from tests.browser.steps import settled

APP = "tests/browser/search_app.py"

pytestmark = pytest.mark.slow


@pytest.fixture
def opened(page: Page, serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The page with the search, 390 pixels wide."""
    home = tmp_path_factory.getbasetemp() / "search-home"
    page.set_viewport_size({"width": 390, "height": 700})
    page.goto(serve(APP, {"SCVIZ_HOME": str(home)}))
    page.get_by_text("The page has no gene.").wait_for()
    settled(page)
    return page


def box(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Gene", exact=True)


def offers(page: Page) -> Locator:
    return page.get_by_role("listbox").get_by_role("option")


def test_genes_are_offered_while_one_types_and_the_page_waits(opened: Page) -> None:
    run = opened.get_by_text(re.compile(r"^Run \d+\.$")).text_content() or ""
    box(opened).press_sequentially("cd79", delay=20)
    expect(offers(opened).first).to_contain_text(re.compile(r"CD79[AB].*\d cells"))
    expect(box(opened)).to_have_attribute("aria-expanded", "true")
    expect(opened.get_by_text(run, exact=True)).to_be_visible()
    listed = opened.get_by_role("listbox").bounding_box()
    assert listed is not None
    assert listed["x"] >= 0
    assert listed["x"] + listed["width"] <= 390


def test_an_alias_finds_its_gene_and_enter_takes_it(opened: Page) -> None:
    box(opened).press_sequentially("cd20", delay=20)
    expect(offers(opened).first).to_contain_text("CD20 → MS4A1")
    box(opened).press("Enter")
    opened.get_by_text("The page has MS4A1.").wait_for()
    expect(box(opened)).to_have_value("MS4A1")
    expect(opened.get_by_role("listbox")).to_have_count(0)


def test_enter_before_the_answer_takes_the_first_offer(opened: Page) -> None:
    box(opened).fill("ENSG00000156738.12")
    box(opened).press("Enter")
    opened.get_by_text("The page has MS4A1.").wait_for()


def test_arrows_move_and_escape_leaves(opened: Page) -> None:
    box(opened).press_sequentially("hla", delay=20)
    expect(offers(opened).nth(1)).to_be_visible()
    second = offers(opened).nth(1).locator("b").text_content() or ""
    box(opened).press("ArrowDown")
    expect(offers(opened).nth(1)).to_have_attribute("aria-selected", "true")
    box(opened).press("Escape")
    expect(opened.get_by_role("listbox")).to_have_count(0)
    box(opened).press("Escape")
    expect(box(opened)).to_have_value("")
    box(opened).press_sequentially("hla", delay=20)
    offers(opened).nth(1).click()
    opened.get_by_text(f"The page has {second}.").wait_for()


def test_nothing_found_is_said(opened: Page) -> None:
    box(opened).press_sequentially("qqq", delay=20)
    expect(offers(opened)).to_contain_text("No gene of this dataset is called qqq")
    box(opened).press("Enter")
    expect(opened.get_by_text("The page has no gene.")).to_be_visible()
