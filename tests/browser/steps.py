"""What a user does, for tests with a browser: wait for states, never for seconds."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil
from playwright.sync_api import Locator, Page, TimeoutError, expect

from scviz.settings import ROOT

PICTURES = ROOT / "assets" / "screenshots" if os.environ.get("SCREENSHOTS") else None
SLOW = 900_000
"""Milliseconds that a run may take on a busy machine."""

PATIENT = (2_000, 4_000, 8_000, 16_000, 32_000, 64_000)
"""Milliseconds that a click is waited for before it is tried again: a slow machine gets its time."""

FRAME = 6
"""Pixels of a map at its edges that belong to its rounded frame."""

COUNT_BYTES = """
window.traffic = {down: 0, up: 0};
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (message) {
  window.traffic.up += message.byteLength ?? message.size ?? message.length;
  return send.call(this, message);
};
const Socket = window.WebSocket;
window.WebSocket = class extends Socket {
  constructor(...args) {
    super(...args);
    this.addEventListener("message", ({data}) => {
      window.traffic.down += data.byteLength ?? data.size ?? data.length;
    });
  }
};
"""
"""Script for a new page: adds up the bytes of its web sockets."""


NOT_STALE = (
    ":not([data-stale=true], [data-stale=true] *, :has([data-stale=true]):not(:has([data-stale=false])))"
)
"""What Streamlit has drawn in its present run: it keeps elements of the last one on the page while it runs again."""


def keyed(page: Page, key: str, inner: str = "") -> Locator:
    """Return what has a key, or what lies within it, but never what the page is about to drop."""
    box = f".st-key-{key}{NOT_STALE}"
    return page.locator(f"{box} {inner}{NOT_STALE}" if inner else box)


def settled(page: Page) -> None:
    """Wait until the server has run the page to its end."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def visit(page: Page, name: str) -> None:
    """Go to a page by its link."""
    follow(page, page.get_by_role("link", name=name, exact=True), to=name.lower())


def follow(page: Page, link: Locator, *, to: str) -> None:
    """Click a link until its page is there; a click is lost now and then while the page still changes."""
    link.first.wait_for(timeout=SLOW)
    for patience in PATIENT:
        settled(page)
        link.first.click()
        try:
            page.wait_for_url(re.compile(rf"/{to}(\?|$)"), timeout=patience, wait_until="commit")
        except TimeoutError:
            continue
        settled(page)
        return
    raise AssertionError(f"The link to {to!r} leads nowhere.")


def press(page: Page, key: str) -> None:
    """Press a button of a page that has run to its end."""
    settled(page)
    keyed(page, key, "button:visible").first.click()


def draw_model_map(page: Page) -> None:
    """Ask for the map of the model on the Explore page; its form is folded at first."""
    settled(page)
    for patience in PATIENT:
        keyed(page, "model_map", "summary").first.click()  # published weights open within it
        try:
            keyed(page, "run", "button:visible").first.wait_for(timeout=patience)
        except TimeoutError:
            continue
        press(page, "run")
        return
    raise AssertionError("The form of the model's map does not open.")


def upload(page: Page, *paths: Path) -> None:
    """Give files of one's own computer to the Data page; they are lost now and then while the page still changes."""
    taken = keyed(page, "upload").get_by_text(paths[0].name, exact=True)
    for patience in PATIENT[4:]:  # given twice, they would be two files
        settled(page)
        page.get_by_role("tab", name="From my computer").click()
        keyed(page, "upload", "input[type=file]").set_input_files(paths)
        try:
            taken.first.wait_for(timeout=patience)
        except TimeoutError:
            continue
        settled(page)
        return
    raise AssertionError(f"The page does not take {paths[0].name}.")


def picture(page: Page, name: str) -> None:
    """Keep the page in light and in dark."""
    if PICTURES is None:
        return
    PICTURES.mkdir(parents=True, exist_ok=True)
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        settled(page)
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("r")  # run again: figures get the colors of a page that is dark from the start
        page.wait_for_timeout(700)  # the page fades into its colors
        settled(page)
        page.screenshot(path=PICTURES / f"{name}-{scheme}.png")


def choose(page: Page, key: str, option: str) -> None:
    """Choose an option of a select box; a click is lost now and then while the page still changes."""
    for patience in PATIENT:
        settled(page)
        keyed(page, key).get_by_role("combobox").click()
        try:
            page.get_by_role("option", name=option, exact=True).click(timeout=patience)
        except TimeoutError:
            page.keyboard.press("Escape")
            continue
        return
    raise AssertionError(f"There is no option {option!r} in {key!r}.")


def choose_first(page: Page, key: str) -> str:
    """Choose what a select box offers first, tried again like `choose`; returns its name."""
    for patience in PATIENT:
        settled(page)
        keyed(page, key).get_by_role("combobox").click()
        option = page.get_by_role("option").first
        try:
            name = option.inner_text(timeout=patience)
            option.click(timeout=patience)
        except TimeoutError:
            page.keyboard.press("Escape")
            continue
        return name
    raise AssertionError(f"There is nothing to choose in {key!r}.")


def type_gene(page: Page, text: str) -> None:
    """Type a gene into the search and take what is offered first; it waits for the answer by itself."""
    settled(page)
    box = page.get_by_role("combobox", name="Gene", exact=True)
    box.click()
    box.fill(text)
    box.press("Enter")


def choose_many(page: Page, key: str, option: str, *, starts: bool = False) -> None:
    """Choose an option of a box that takes several, and leave it.

    Parameters
    ----------
    starts
        The option begins with this text, and is one more; otherwise it takes the place of what was chosen.
    """
    box = keyed(page, key)
    box.wait_for()
    chips = box.locator("[data-tag]:visible")
    if not starts:
        chips.first.wait_for()
    while not starts and chips.count():  # a click is lost now and then
        box.get_by_role("button", name="Clear all").click()
        with suppress(TimeoutError):
            chips.first.wait_for(state="detached", timeout=PATIENT[0])
        settled(page)
    box.locator("input").fill(option)
    found = (
        page.get_by_role("option", name=f"{option} ·")
        if starts
        else page.get_by_role("option", name=option, exact=True)
    )
    found.first.click()
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    settled(page)


def choose_gene(page: Page, gene: str) -> None:
    """Choose one more gene; while a page is still coming in, its list of genes may be replaced under the mouse."""
    chosen = keyed(page, "genes").locator("[data-tag]:visible").filter(has_text=f"{gene} ·")
    for patience in PATIENT:
        page.set_default_timeout(patience)
        try:
            choose_many(page, "genes", gene, starts=True)
            break
        except TimeoutError:
            page.keyboard.press("Escape")
            if chosen.count():  # the click was slow, and the list offers it no more
                break
        finally:
            page.set_default_timeout(SLOW)
    else:
        raise AssertionError(f"There is no gene {gene!r} to choose.")
    settled(page)


def open_tiny(page: Page, url: str) -> None:
    """Open the tiny simulated screen from the Data page."""
    page.goto(f"{url}/data")
    settled(page)
    page.get_by_text("Simulated perturbation screen").click()
    choose(page, "simulated_preset", "tiny · 840 cells of 230 genes: over in a second")
    settled(page)
    keyed(page, "open_simulated", "button").click()
    expect(page.get_by_text("These cells are simulated").first).to_be_visible(timeout=SLOW)


def map_drawn(page: Page, key: str = "map", *, after: str | None = None) -> str:
    """Wait until a map is drawn (with other cells or colors than `after`); returns what it shows."""
    other = f':not([data-drawn="{after}"])' if after else ""
    box = keyed(page, key, f".scviz-map[data-drawn]{other}")
    box.wait_for()
    return box.get_attribute("data-drawn") or ""


def stage(page: Page, key: str = "map") -> Locator:
    """Return the part of a map that shows the cells."""
    return keyed(page, key, ".scviz-map .stage")


def stage_pixels(page: Page, key: str = "map") -> bytes:
    """Picture of the part of a map that shows the cells, inside its frame; nothing has pointer or focus."""
    part = stage(page, key)
    part.scroll_into_view_if_needed()
    part.evaluate("(it) => it.blur()")
    page.mouse.move(1, 1)
    settled(page)
    page.wait_for_timeout(500)  # the name of a cell fades
    box = part.bounding_box()
    assert box is not None
    inside = {name: round(box[name]) + FRAME for name in ("x", "y")}
    inside |= {name: round(box[name]) - 2 * FRAME for name in ("width", "height")}
    return page.screenshot(clip=inside, animations="disabled")  # type: ignore[arg-type]


def lasso(page: Page, corners: Sequence[tuple[float, float]], key: str = "map") -> None:
    """Drag along corners, given as shares of the stage's width and height."""
    stage(page, key).scroll_into_view_if_needed()
    box = stage(page, key).bounding_box()
    assert box is not None
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=6)
    page.mouse.up()


def selected(page: Page, key: str = "map") -> int:
    """How many cells the browser shows as selected."""
    return int(keyed(page, key, ".scviz-map").get_attribute("data-selected") or 0)


def traffic(page: Page) -> dict[str, int]:
    """Bytes received and sent since the last call; needs `COUNT_BYTES` in the page."""
    seen: dict[str, int] = page.evaluate(
        "() => { const seen = window.traffic; window.traffic = {down: 0, up: 0}; return seen; }"
    )
    return seen


def workers_of(run: str) -> list[psutil.Process]:
    """Processes that carry a run out: they hold its files open."""
    workers = [
        p for p in psutil.process_iter(["cmdline"]) if "scviz.jobs.worker" in (p.info["cmdline"] or [])
    ]
    return [p for p in workers if any(run in file.path for file in p.open_files())]
