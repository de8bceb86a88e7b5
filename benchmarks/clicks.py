"""Measure from a click to the answer in a browser: `python -m benchmarks.clicks`.

A knock-out of one gene on the In-silico page as it begins: 200 cells of the demo, drawn from all, Geneformer's demo
weights, 199 expression-matched random genes in 3 cells each. Seconds from the press of Run, right after a gene is
chosen, until the arrows are drawn; the first click draws a map too, the others find one there. And seconds from the
choice of a gene until time and memory of the run are shown. Needs chromium, and quiet cores to mean anything.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from scviz.datasets.demo import open_demo
from scviz.progress import silent
from scviz.workspace import Workspace
from tests.browser.conftest import QUIET, end_engine, start_server
from tests.browser.steps import SLOW, choose, choose_gene, map_drawn, press, settled

PRICED = ("LYZ", "S100A9", "CD74")
READING = 20.0
"""Seconds in which a user looks at the page; a process that has imported all waits for a run by then."""
GENES = ("FTL", "CST3", "AIF1", "TYROBP")


def price(page: Page, url: str, gene: str) -> float:
    """Choose a gene and return the seconds until a price is shown."""
    look_at_page(page, url)
    begun = time.monotonic()
    choose_gene(page, gene)
    page.get_by_text("on this machine").first.wait_for()
    return time.monotonic() - begun


def click(page: Page, url: str, gene: str) -> float:
    """Knock a gene out and return the seconds until its arrows are drawn."""
    look_at_page(page, url)
    choose_gene(page, gene)
    begun = time.monotonic()
    press(page, "run")
    page.get_by_text(f"Removing {gene} moves", exact=False).first.wait_for(timeout=SLOW)
    page.locator(".st-key-arrows .js-plotly-plot").wait_for(timeout=SLOW)
    return time.monotonic() - begun


def look_at_page(page: Page, url: str) -> None:
    """Open the page, which begins with all cells, and look at it."""
    page.goto(f"{url}/in_silico")
    settled(page)
    time.sleep(READING)


def main() -> None:
    """Start a server and a browser, and print seconds of each click."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        home = Path(folder) / "home"
        open_demo(Workspace(home), silent)
        server, url = start_server(Path("app.py"), {"SCVIZ_HOME": str(home)}, Path(folder) / "server.log")
        try:
            browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=list(QUIET))
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.set_default_timeout(SLOW)
            page.goto(f"{url}/in_silico")
            choose(page, "pick_checkpoint", "Geneformer demo")
            print(f"first click, no map: {click(page, url, GENES[0]):.1f} s", flush=True)
            page.goto(f"{url}/explore")
            press(page, "run")
            page.locator(".st-key-map_model .scviz-map[data-drawn]").wait_for()
            map_drawn(page, "map_model")
            for gene in GENES[1:]:
                print(f"click, map there: {click(page, url, gene):.1f} s", flush=True)
            for gene in PRICED:
                print(f"price: {price(page, url, gene):.1f} s", flush=True)
            browser.close()
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(timeout=20)
            end_engine(home)


if __name__ == "__main__":
    main()
