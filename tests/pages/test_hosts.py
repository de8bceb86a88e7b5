"""A server answers to its own names alone, on pages and on web sockets."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from pages.components.hosts import KnownHosts


async def answer(_: object) -> PlainTextResponse:
    return PlainTextResponse("the page")


async def talk(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("the stream")
    await socket.close()


def client(host: str) -> TestClient:
    routes = [Route("/", answer), WebSocketRoute("/stream", talk)]
    app = KnownHosts(Starlette(routes=routes), names=("Cells.example.org",))  # type: ignore[arg-type]
    return TestClient(app, base_url=f"http://{host}")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "host", ["localhost:8501", "127.0.0.1", "[::1]:8501", "10.0.0.7:80", "cells.example.org", "LOCALHOST."]
)
def test_its_own_names_and_addresses_in_digits_are_answered(host: str) -> None:
    with client("localhost") as known:
        assert known.get("/", headers={"host": host}).text == "the page"
        with known.websocket_connect("/stream", headers={"host": host}) as stream:
            assert stream.receive_text() == "the stream"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example:8501",
        "",
        "cells.example.org@evil",
    ],
)
def test_other_names_are_refused(host: str) -> None:
    with client("localhost") as unknown:
        refused = unknown.get("/", headers={"host": host})
        assert refused.status_code == 421
        assert "SCVIZ_HOSTS" in refused.text
        with (
            pytest.raises(WebSocketDisconnect),
            unknown.websocket_connect("/stream", headers={"host": host}) as stream,
        ):
            stream.receive_text()


@pytest.mark.parametrize(
    ("origin", "answered"),
    [
        ("https://cells.example.org", True),
        ("http://cells.example.org:8443", True),
        ("https://evil.example", False),
        ("http://6.6.6.6", False),
        ("http://localhost", False),
        ("null", False),
        ("", False),
    ],
)
def test_only_its_own_pages_open_a_stream(origin: str, *, answered: bool) -> None:
    headers = {"host": "cells.example.org", "origin": origin}
    with client("localhost") as server:
        assert server.get("/", headers=headers).text == "the page"
        if answered:
            with server.websocket_connect("/stream", headers=headers) as stream:
                assert stream.receive_text() == "the stream"
            return
        with (
            pytest.raises(WebSocketDisconnect),
            server.websocket_connect("/stream", headers=headers) as stream,
        ):
            stream.receive_text()
