"""Every page with names that would be pictures, links and scripts: no other host is asked, no script runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlparse

import pytest
from playwright.sync_api import Page, Request

from scviz.jobs.queue import RunQueue
from scviz.plots.network_file import network_page
from scviz.settings import Settings
from scviz.tasks.modules.files import graphml
from tests.browser.conftest import Serve, end_engine
from tests.browser.hostile import DATASET, HOST, hostile_workspace
from tests.browser.steps import settled

pytestmark = pytest.mark.slow

RESULTS = {
    "qc": ("qc",),
    "explore": (),
    "groups": ("group_genes", "markers"),
    "annotate": ("annotation", "transfer"),
    "conditions": ("conditions",),
    "in_silico": ("in_silico",),
    "modules": ("modules",),
    "attention": ("attention_network",),
    "regulons": ("scenic",),
    "enrich": ("enrichment",),
}
"""Pages that show a finished run, and of which tasks."""
PLAIN = ("", "data", "models", "pretrain", "compare", "perturb", "enhance", "runs")
MADE = """(host) => {
    const found = [];
    const strange = (one, name) => {
        const value = one.getAttribute(name) || "";
        if (!value.includes(host)) return false;
        if (name !== "href" || !one.href || !one.pathname) return true;
        return one.hostname !== location.hostname || one.pathname.includes(host);  // our own links may carry a name
    };
    const look = (root) => root.querySelectorAll("*").forEach((one) => {
        if (one.shadowRoot) look(one.shadowRoot);
        for (const name of ["src", "href", "xlink:href", "srcdoc", "data", "action", "style", "onerror", "onload"])
            if (strange(one, name)) found.push(one.outerHTML.slice(0, 200));
    });
    look(document);
    return found;
}"""
"""Elements that were made from a name."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    """The workspace, and what is in it."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "data").mkdir()
    yield folder, hostile_workspace(folder / "home", folder / "data")
    end_engine(folder / "home")


@pytest.fixture
def asked(page: Page) -> list[str]:
    """Requests to anything but this server."""
    found: list[str] = []

    def look(request: Request) -> None:
        at = urlparse(request.url)
        if HOST in request.url or (
            at.scheme in ("http", "https", "ws", "wss") and at.hostname != "127.0.0.1"
        ):
            found.append(request.url)

    page.on("request", look)
    return found


def harmless(page: Page, asked: list[str], where: str) -> None:
    """Nothing was asked, no script ran, no element was made from a name."""
    page.wait_for_timeout(150)  # a picture would be asked for now
    assert asked == [], where
    assert [frame.evaluate("window.__hit") for frame in page.frames] == [None] * len(page.frames), where
    assert page.evaluate(MADE, HOST) == [], where


def visible(page: Page) -> str:
    """All texts, those of figures too, without what has no width; the space between words is one."""
    text = page.evaluate("[...document.querySelectorAll('body *')].map((one) => one.textContent).join('\\n')")
    return " ".join(str(text).replace("\N{WORD JOINER}", "").split())


def test_no_name_is_anything_but_text(
    page: Page, asked: list[str], serve: Serve, made: tuple[Path, dict[str, str]]
) -> None:
    folder, ids = made
    url = serve("app.py", {"SCVIZ_HOME": str(folder / "home"), "SCVIZ_DATA_ROOTS": str(folder / "data")})
    chosen = f"dataset={ids['dataset']}&checkpoint={ids['checkpoint']}"
    visits = [(name, "") for name in PLAIN] + [
        (name, run) for name, tasks in RESULTS.items() for run in ([ids[task] for task in tasks] or [""])
    ]
    said = {}
    for name, run in visits:
        page.goto(f"{url}/{name}?{chosen}" + (f"&run={run}" if run else ""))
        page.locator(".st-key-frame_header").wait_for()
        settled(page)
        where = f"{name} {run}"
        said[where] = visible(page)
        harmless(page, asked, where)
        assert page.locator("[data-testid=stException]").count() == 0, where
    assert DATASET in said["data "]


def test_files_that_are_taken_away_ask_no_host(
    page: Page, asked: list[str], made: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    folder, ids = made
    queue = RunQueue(Settings(home=folder / "home", data_roots=(folder / "data",)))
    result = queue.result(ids["modules"])
    (tmp_path / "network.html").write_bytes(network_page(result.drawing, title=DATASET))
    (tmp_path / "network.xml").write_text(graphml(result), "utf-8")
    for name in ("network.html", "network.xml"):
        page.goto((tmp_path / name).as_uri())
        page.wait_for_load_state("networkidle")
        harmless(page, asked, name)
    page.goto((tmp_path / "network.html").as_uri())
    assert DATASET in page.inner_text("body")
