"""A network in a real browser: found, drawn, asked after one of its genes, and taken away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import networkx
import pytest
from playwright.sync_api import Page, expect

from scviz.plots.network import HEIGHT, WIDTH
from scviz.settings import ROOT
from scviz.tasks.enrichment import Result as EnrichmentResult
from scviz.tasks.modules import SOURCES
from scviz.tasks.modules import Result as ModulesResult
from scviz.workspace.records import RECORD, read_record
from tests.browser.conftest import Serve, end_engine
from tests.browser.steps import (
    PATIENT,
    SLOW,
    choose,
    follow,
    keyed,
    open_tiny,
    picture,
    press,
    settled,
    visit,
)

pytestmark = pytest.mark.slow

LEFT, TOP, RIGHT, BOTTOM = 40, 48, 70, 20
"""Pixels that the picture leaves free."""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """An empty workspace; the engine that a run starts there ends with the test."""
    home = tmp_path / "home"
    yield home
    end_engine(home)


def place(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a gene at (x, y) of a drawing stands on the screen."""
    canvas = keyed(page, "network", "canvas").first
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
    visit(page, "Regulons")
    choose(page, "scenic_method", "Plain correlation")
    press(page, "run")
    canvas = keyed(page, "network", "canvas").first
    canvas.wait_for(timeout=SLOW)
    settled(page)
    expect(page.get_by_text("known links as a random ranking", exact=False).first).to_be_visible()

    run = run_of(page)
    record = home / "runs" / run / "result" / RECORD
    drawing = json.loads(record.read_text("utf-8"))["drawing"]
    first = drawing["sources"][0]
    gene = drawing["genes"][first]
    chosen = keyed(page, "network_gene", "input")
    for patience in PATIENT[2:]:  # a click is lost now and then while the picture still moves
        page.mouse.click(*place(page, drawing["x"][first], drawing["y"][first]))
        with suppress(AssertionError):
            expect(chosen).to_have_value(gene, timeout=patience)
            break
    expect(chosen).to_have_value(gene)
    n_links = [*drawing["sources"], *drawing["targets"]].count(first)
    expect(page.get_by_text(f"{n_links} links of those that are drawn")).to_be_visible(timeout=SLOW)
    assert len(downloaded(page, "network_chosen_neighbors_csv").splitlines()) == 1 + n_links
    keyed(page, "network", "canvas").first.scroll_into_view_if_needed()
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


def test_interferon_shows_in_stimulated_blood_without_labels(
    page: Page, serve: Serve, home: Path, shared: Path
) -> None:
    """A module that is found without labels separates stimulated cells, and holds the genes of interferon."""
    kang = shared / "data" / "kang_ifnb_2000"
    url = serve(ROOT / "app.py", {"SCVIZ_HOME": str(home), "SCVIZ_DATA_ROOTS": str(kang)})
    page.goto(f"{url}/data")
    choose(page, "server_file", "kang_ifnb_2000.h5ad")
    press(page, "open_file")
    expect(keyed(page, "pick_dataset", "input")).to_have_value("kang_ifnb_2000 · 2,000 cells", timeout=SLOW)
    visit(page, "Modules")
    choose(page, "modules_source", SOURCES["expression"])
    choose(page, "modules_label_key", "condition")
    press(page, "run")
    keyed(page, "modules_tabs").wait_for(timeout=SLOW)
    settled(page)
    result = read_record(ModulesResult, home / "runs" / run_of(page) / "result")
    separation = result.auroc[result.types.index("stim")]
    module = result.modules[int(separation.argmax())]
    place = result.facts[int(separation.argmax())].type_place
    assert (
        separation.max() > 0.9 > place.low
    )  # random sets are compared by their best of all types and modules
    assert place.p <= 0.05
    assert {"ISG15", "IFIT1", "IFIT3", "MX1"} <= set(module.genes)
    choose(page, "one_module", module.name)
    settled(page)
    keyed(page, "module_links").scroll_into_view_if_needed()
    follow(page, keyed(page, "module_links").get_by_role("link", name="Enrich"), to="enrich")
    box = page.get_by_role("combobox", name="Gene set of the run")
    expect(box).to_have_value(f"{module.name} · {len(module.genes)} genes", timeout=SLOW)
    press(page, "run")
    page.get_by_text("First: Interferon", exact=False).wait_for(timeout=SLOW)
    settled(page)
    picture(page, "enrich-module")
    found = read_record(EnrichmentResult, home / "runs" / run_of(page) / "result")
    assert found.terms[0].name.startswith("Interferon")
    assert found.terms[0].fdr <= 0.05
    assert found.outcome == "better"


def run_of(page: Page) -> str:
    """Id of the run that a page shows."""
    (run,) = parse_qs(urlparse(page.url).query)["run"]
    return run
