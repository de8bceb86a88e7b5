"""The first picture of a fresh workspace, without a click: `python -m benchmarks.first_picture`.

Starts the dashboard on an empty folder as `make run` does, opens its address in a browser that has nothing in its
cache, and waits until the map of the demo cells is drawn: seconds from the first byte of the page, and bytes that came
over the wire, the largest files by name. `--plain` starts `app.py` without the packing of scripts, to compare.
"""

from __future__ import annotations

import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from scviz.settings import ROOT
from tests.browser.conftest import PATIENCE, QUIET, end_engine, healthy, start_server
from tests.browser.steps import COUNT_BYTES, map_drawn, traffic

N_VISITS = 3
SECONDS_SINCE_FIRST_BYTE = """
() => (performance.now() - performance.getEntriesByType('navigation')[0].responseStart) / 1000
"""
LARGEST = 6


def serve(home: Path, log: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Start the dashboard as `make run` does and wait until it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {**os.environ, "SCVIZ_HOME": str(home), "STREAMLIT_SERVER_ADDRESS": "127.0.0.1"}
    command = [sys.executable, "-m", "scviz", "serve", "--port", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=out, stderr=out, start_new_session=True)
    url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + PATIENCE
    while not healthy(url):
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit(log.read_text("utf-8", "replace"))
        time.sleep(0.1)
    return process, url


def visit(browser: Browser, url: str) -> tuple[float, Counter[str]]:
    """Open the page with an empty cache; returns seconds from its first byte to the map, and bytes by file."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE * 1000)
    page = context.new_page()
    page.add_init_script(COUNT_BYTES)
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    names: dict[str, str] = {}
    came: Counter[str] = Counter()
    network.on("Network.responseReceived", lambda e: names.update({e["requestId"]: e["response"]["url"]}))
    network.on(
        "Network.loadingFinished",
        lambda e: came.update({names.get(e["requestId"], "?"): round(e["encodedDataLength"])}),
    )
    page.goto(url)
    map_drawn(page, "home_map")
    seconds = page.evaluate(SECONDS_SINCE_FIRST_BYTE)
    came["what the page says (web socket)"] = traffic(page)["down"]
    context.close()
    return seconds, came


def main(*, plain: bool) -> None:
    """Print seconds and bytes."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        home, log = Path(folder) / "home", Path(folder) / "log.txt"
        start = time.perf_counter()
        process, url = serve(home, log)
        print(f"fresh workspace until the server answers  {time.perf_counter() - start:.1f} s")
        if plain:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=PATIENCE)
            process, url = start_server(ROOT / "app.py", {"SCVIZ_HOME": str(home)}, log)
        browser = driver.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=list(QUIET)
        )
        try:
            visits = [visit(browser, url) for _ in range(N_VISITS)]
        finally:
            browser.close()
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=PATIENCE)
            end_engine(home)
    (first, came), later = visits[0], [seconds for seconds, _ in visits[1:]]
    print(f"first byte to the map, cold server        {first:.2f} s")
    print(f"the same, later visits (median)           {statistics.median(later):.2f} s")
    print(f"bytes over the wire                       {sum(came.values()) / 1e6:.2f} MB")
    for name, size in came.most_common(LARGEST):
        print(f"  {size / 1000:8,.0f} kB  {name.rpartition('/')[2]}")


if __name__ == "__main__":
    main(plain="--plain" in sys.argv[1:])
