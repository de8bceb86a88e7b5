"""The steps themselves: what Streamlit is about to drop is never taken for what it has drawn."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import keyed

TWICE = """
<div class="st-key-curve" data-stale="true"><p>old</p></div>
<div class="st-key-curve" data-stale="false"><p>new</p></div>
<div class="st-key-box"><div data-stale="true"><p>old</p></div></div>
<div class="st-key-box"><div data-stale="false"><p>new</p></div><div data-stale="true"><p>old</p></div></div>
<div class="st-key-plain"><p>new</p></div>
"""


@pytest.mark.parametrize("key", ["curve", "box", "plain"])
def test_a_stale_element_is_not_found_beside_its_new_one(page: Page, key: str) -> None:
    page.set_content(TWICE)
    expect(keyed(page, key)).to_have_count(1)
    expect(keyed(page, key, "p")).to_have_text("new")


def test_what_is_stale_alone_is_waited_for(page: Page) -> None:
    page.set_content('<div class="st-key-curve" data-stale="true"><p>old</p></div>')
    expect(keyed(page, "curve")).to_have_count(0)
    page.evaluate("document.querySelector('.st-key-curve').dataset.stale = 'false'")
    keyed(page, "curve").wait_for()
