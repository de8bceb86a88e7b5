"""A browser and servers for the tests of this folder."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psutil
import pytest

from scviz.jobs import engine

collect_ignore = [
    "map_app.py",
    "search_app.py",
    "names_app.py",
]  # pages for the tests, not modules with doctests

PROJECT = Path(__file__).parents[2]
OUTPUT = PROJECT / "test-output"
QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
PATIENCE = 240
"""Seconds that anything may take on a slow machine."""
Serve = Callable[..., str]


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """One browser for all tests."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.skip("needs a browser: chromium not found")
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="needs a browser: playwright not installed"
    )
    playwright.expect.set_options(timeout=PATIENCE * 1000)
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=path, args=list(QUIET))
        yield running
        running.close()


@pytest.fixture(scope="session")
def server_logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with what the servers write."""
    return tmp_path_factory.mktemp("servers")


@pytest.fixture(scope="session")
def serve(server_logs: Path) -> Iterator[Serve]:
    """Give a function that runs a script and returns its address; equal calls share a server."""
    servers: dict[object, tuple[subprocess.Popen[bytes], str]] = {}

    def start(script: str | Path, env: Mapping[str, str] | None = None) -> str:
        name = (str(script), *sorted((env or {}).items()))
        if name not in servers:
            log = server_logs / f"server-{len(servers)}-{Path(script).stem}.log"
            servers[name] = start_server(PROJECT / script, env or {}, log)
        return servers[name][1]

    yield start
    for process, _ in servers.values():
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=PATIENCE)


def start_server(script: Path, env: Mapping[str, str], log: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Start a server in a session of its own and wait until it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ("--server.headless=true", "--server.fileWatcherType=none", "--browser.gatherUsageStats=false")
    command = [sys.executable, "-m", "streamlit", "run", str(script), f"--server.port={port}", *options]
    python_path = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")]))
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, "--server.address=127.0.0.1"],
            cwd=PROJECT,
            env={**os.environ, "PYTHONPATH": python_path, **env},
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + PATIENCE
    while not healthy(url):
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"The server did not start:\n{log.read_text('utf-8', 'replace')}")
        time.sleep(0.1)
    return process, url


def end_engine(home: Path) -> None:
    """End the engine of a workspace, if one was started there."""
    if found := engine.read_engine(home):
        psutil.Process(found.pid).terminate()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty workspace for the tests of a file; the engine that a run starts there ends with them."""
    home = tmp_path_factory.mktemp("server") / "home"
    yield home
    end_engine(home)


@pytest.fixture
def url(serve: Serve, home: Path) -> str:
    """The dashboard on that workspace."""
    return serve("app.py", {"SCVIZ_HOME": str(home), "SCVIZ_DATA_ROOTS": str(home / "data")})


def healthy(url: str) -> bool:
    """Whether the server answers."""
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture
def page(browser: object, server_logs: Path, request: pytest.FixtureRequest) -> Iterator[object]:
    """A fresh page, 1280 x 800; its picture and the logs of the servers are kept if the test fails."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)  # type: ignore[attr-defined]
    context.set_default_timeout(PATIENCE * 1000)
    opened = context.new_page()
    yield opened
    outcome = getattr(request.node, "outcome_of_call", None)
    if outcome is not None and outcome.failed:
        OUTPUT.mkdir(exist_ok=True)
        opened.screenshot(path=OUTPUT / f"{re.sub(r'[^a-z0-9]+', '-', request.node.name.lower())}.png")
        for log in server_logs.glob("*.log"):
            shutil.copy(log, OUTPUT / log.name)
    context.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Let the fixtures see how the test ended."""
    report = yield
    if report.when == "call":
        item.outcome_of_call = report  # type: ignore[attr-defined]
    return report
