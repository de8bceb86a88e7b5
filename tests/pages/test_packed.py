"""Scripts of the dashboard are packed on their way to the browser, once."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from pages.components.packed import Packed

SCRIPT = "let a = 1;\n" * 1000
FOREVER = {"cache-control": "public, immutable, max-age=31536000"}


def client(asked: list[str], headers: dict[str, str], body: str = SCRIPT) -> TestClient:
    """A browser of a server with one file."""

    def answer(request: Request) -> Response:
        asked.append(request.url.path)
        return Response(body, media_type="text/javascript", headers=headers)

    return TestClient(Packed(Starlette(routes=[Route("/{path:path}", answer)])))  # type: ignore[arg-type]


def test_a_script_is_packed_once_and_unpacks_to_itself() -> None:
    asked: list[str] = []
    browser = client(asked, FOREVER)
    for _ in range(2):
        got = browser.get("/static/js/index.1.js")
        assert got.headers["content-encoding"] == "gzip"
        assert int(got.headers["content-length"]) < len(SCRIPT) / 10
        assert got.text == SCRIPT
    assert asked == ["/static/js/index.1.js"]


def test_what_may_change_is_asked_for_each_time() -> None:
    asked: list[str] = []
    browser = client(asked, {"cache-control": "no-cache"})
    for _ in range(2):
        assert "content-encoding" not in browser.get("/static/js/index.js").headers
    assert len(asked) == 2


def test_a_browser_that_cannot_unpack_gets_it_as_it_is() -> None:
    got: Any = client([], FOREVER).get("/static/js/index.1.js", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in got.headers
    assert got.text == SCRIPT


def test_a_part_of_a_file_and_what_is_no_file_of_the_dashboard_are_left_alone() -> None:
    browser = client([], FOREVER)
    assert (
        "content-encoding" not in browser.get("/static/js/index.1.js", headers={"range": "bytes=0-9"}).headers
    )
    assert "content-encoding" not in browser.get("/media/figure.svg").headers


def test_a_small_file_is_not_packed() -> None:
    assert "content-encoding" not in client([], FOREVER, body="1;").get("/static/js/a.1.js").headers
