"""A network in a real browser: found, drawn, asked after one of its genes, and taken away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import networkx
import psutil
import pytest
from playwright.sync_api import Page, expect

from scviz.jobs import engine
from scviz.plots.network import HEIGHT, WIDTH
from scviz.settings import ROOT
from scviz.workspace.records import RECORD
from tests.browser.conftest import Serve
from tests.browser.steps import SLOW, choose, open_tiny, picture, press, settled

pytestmark = pytest.mark.slow

LEFT, TOP, RIGHT, BOTTOM = 40, 48, 70, 20
"""Pixels that the picture leaves free."""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """An empty workspace; the engine that a run starts there ends with the test."""
    home = tmp_path / "home"
    yield home
    if engine.address_file(home).exists():
        psutil.Process(engine.read_address(home)["pid"]).terminate()


def place(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a gene at (x, y) of a drawing stands on the screen."""
    canvas = page.locator(".st-key-network canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    width, height = box["width"] - LEFT - RIGHT, box["height"] - TOP - BOTTOM
    scale = min(width / WIDTH, height / HEIGHT)
    left, top = (width - scale * WIDTH) / 2, (height - scale * HEIGHT) / 2
    return (
        box["x"] + LEFT + left + scale * WIDTH * x,
        box["y"] + TOP + top + scale * HEIGHT * (1 - y),
    )


def downloaded(page: Page, key: str) -> str:
    """What a download button gives."""
    with page.expect_download() as download:
        press(page, key)
    return Path(download.value.path()).read_text("utf-8")


def test_regulons_are_found_drawn_clicked_and_taken_away(page: Page, serve: Serve, home: Path) -> None:
    url = serve(ROOT / "app.py", {"SCVIZ_HOME": str(home)})
    open_tiny(page, url)
    page.get_by_role("link", name="Regulons").click()
    choose(page, "links_by", "Plain correlation")
    press(page, "run")
    canvas = page.locator(".st-key-network canvas").first
    canvas.wait_for(timeout=SLOW)
    settled(page)
    expect(page.get_by_text("a random ranking with", exact=False).first).to_be_visible()

    (run,) = parse_qs(urlparse(page.url).query)["run"]
    record = home / "runs" / run / "result" / RECORD
    drawing = json.loads(record.read_text("utf-8"))["drawing"]
    first = drawing["sources"][0]
    gene = drawing["genes"][first]
    page.mouse.click(*place(page, drawing["x"][first], drawing["y"][first]))
    expect(page.locator(".st-key-network_gene input")).to_have_value(gene, timeout=SLOW)
    n_links = [*drawing["sources"], *drawing["targets"]].count(first)
    expect(page.get_by_text(f"{n_links} links of those that are drawn")).to_be_visible(timeout=SLOW)
    assert len(downloaded(page, "network_chosen_neighbors_csv").splitlines()) == 1 + n_links
    page.locator(".st-key-network canvas").first.scroll_into_view_if_needed()
    picture(page, "regulons")

    graph = networkx.parse_graphml(downloaded(page, "network_graphml"))
    assert set(graph) == set(drawing["genes"])
    assert graph.number_of_edges() == len(drawing["sources"])
    taken = downloaded(page, "network_html")
    assert all(f'"id": "{name}"' in taken for name in drawing["genes"])
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_content(taken)
    page.locator("#mynetwork canvas").wait_for()
    assert [address for address in asked if address.startswith("http")] == []
