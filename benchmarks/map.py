"""Measure the map of cells in a browser: `python benchmarks/map.py [number of cells]`.

Prints seconds and bytes of the first drawing, two new colorings and a lasso (from the release of the
mouse until the server's answer is on the page). Needs chromium.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT))

from tests.browser.conftest import QUIET, start_server  # noqa: E402
from tests.browser.steps import COUNT_BYTES, choose, lasso, map_drawn, selected, settled, traffic  # noqa: E402

APP = PROJECT / "tests" / "browser" / "map_app.py"
PATIENCE = 120_000


def opened(browser: Browser, url: str) -> Page:
    """Open the page and wait until its map is drawn."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(PATIENCE)
    page.add_init_script(COUNT_BYTES)
    page.goto(url)
    map_drawn(page)
    settled(page)
    return page


def measure(browser: Browser, url: str) -> list[tuple[str, float, dict[str, int]]]:
    """Carry out the three steps; each gives its name, seconds and bytes."""
    opened(browser, url).close()  # the first visit makes the cells
    rows: list[tuple[str, float, dict[str, int]]] = []

    began = time.monotonic()
    page = opened(browser, url)
    rows.append(("first drawing", time.monotonic() - began, traffic(page)))

    for option in ("Donor", "INS"):
        before = map_drawn(page)
        began = time.monotonic()
        choose(page, "color_by", option)
        map_drawn(page, after=before)
        settled(page)
        rows.append((f"color by {option}", time.monotonic() - began, traffic(page)))

    lasso(page, [(0.3, 0.2), (0.65, 0.3), (0.6, 0.8), (0.25, 0.7)])
    began = time.monotonic()  # the mouse was just let go
    page.get_by_text(f"The server sees {selected(page)} cells.", exact=True).wait_for()
    rows.append((f"lasso of {selected(page):,} cells", time.monotonic() - began, traffic(page)))
    return rows


def main(n_cells: int) -> None:
    """Start a server and a browser, measure, print a table."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        server, url = start_server(APP, {"MAP_CELLS": str(n_cells)}, Path(folder) / "server.log")
        try:
            path = os.environ.get("CHROMIUM") or shutil.which("chromium")
            browser = driver.chromium.launch(executable_path=path, args=list(QUIET))
            print(f"| {n_cells:,} cells | seconds | received, bytes | sent, bytes |\n|---|---|---|---|")
            for name, seconds, seen in measure(browser, url):
                print(f"| {name} | {seconds:.2f} | {seen['down']:,} | {seen['up']:,} |")
            browser.close()
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(timeout=20)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
