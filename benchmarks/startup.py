"""Time from a server that answers to a page that can be read: `python -m benchmarks.startup`.

Starts the dashboard with the demo data five times and opens a page in a fresh browser: the first page of a cold
server, and the second tab.
"""

from __future__ import annotations

import os
import signal
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from scviz.datasets.demo import open_demo
from scviz.settings import ROOT
from scviz.workspace import Workspace
from tests.browser.conftest import QUIET, start_server

N_STARTS = 5


def seconds_to_read(browser: Browser, url: str) -> float:
    """Open a page in a new context and wait for its header and for the name of the dataset."""
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    start = time.perf_counter()
    page.goto(url)
    page.get_by_text("PBMC demo", exact=False).first.wait_for()
    seconds = time.perf_counter() - start
    page.context.close()
    return seconds


def main() -> None:
    """Print medians."""
    with tempfile.TemporaryDirectory() as home, sync_playwright() as driver:
        open_demo(Workspace(Path(home)))
        browser = driver.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=list(QUIET)
        )
        warm_up(browser)
        first, second = [], []
        for _ in range(N_STARTS):
            process, url = start_server(ROOT / "app.py", {"SCVIZ_HOME": home}, Path(home) / "log.txt")
            first.append(seconds_to_read(browser, url))
            second.append(seconds_to_read(browser, url))
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=20)
        for name, values in {"first page of a cold server": first, "second tab": second}.items():
            print(
                f"{name:<28} {statistics.median(values):.2f} s  (from {min(values):.2f} to {max(values):.2f})"
            )
        browser.close()


def warm_up(browser: Browser) -> None:
    """Let the browser warm up, so that its own start does not count."""
    page = browser.new_page()
    page.goto("about:blank")
    page.close()


if __name__ == "__main__":
    main()
