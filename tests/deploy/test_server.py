"""A server behind a proxy, below a path of it and under its name; what machines ask it; what no browser can do."""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection

from tests.deploy.served import Proxy, ask, dashboard, message, page_of, put, session_of, talk_with

NAME = "cells.example.org"
STATS_SECONDS = 5.5
"""Streamlit counts what its caches hold no more often."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    home = tmp_path_factory.mktemp("served") / "home"
    with dashboard(
        home, "--server.baseUrlPath", "cells", SCVIZ_HOSTS=NAME, SCVIZ_METRICS="1", SCVIZ_UPLOAD_GB="0.003"
    ) as port:
        yield port


@pytest.fixture(scope="module")
def proxy(server: int) -> Iterator[int]:
    with closing(Proxy("/cells/", server)) as proxy:
        yield proxy.port


def stream(port: int, origin: str = f"https://{NAME}") -> ClientConnection:
    return talk_with(port, f"{NAME}/cells", origin)


def test_pages_scripts_and_stream_come_through_a_proxy_below_its_path(proxy: int) -> None:
    status, _, body = ask(proxy, "/cells/", Host=NAME)
    assert status == 200
    script = re.search(rb'src="\.?/?(?:cells/)?(static/js/[^"]+\.js)"', body)
    assert script is not None
    status, headers, packed = ask(
        proxy, f"/cells/{script[1].decode()}", Host=NAME, **{"Accept-Encoding": "gzip"}
    )
    assert (status, headers["content-encoding"]) == (200, "gzip")
    assert len(gzip.decompress(packed)) > 2 * len(packed)
    with stream(proxy) as talk:
        assert "Nothing is open yet" in page_of(talk, "Use the demo data")


def test_a_proxy_offers_nothing_beside_its_path_and_the_server_no_other_name(proxy: int, server: int) -> None:
    assert ask(proxy, "/healthz", Host=NAME)[0] == 404
    assert ask(proxy, "/cells/", Host="evil.example")[0] == 421
    assert ask(server, "/", Host=NAME)[0] == 404


def test_a_page_of_another_server_gets_no_stream(proxy: int) -> None:
    for origin in ("https://evil.example", "http://6.6.6.6", f"https://{NAME}.evil.example", "null"):
        with pytest.raises(InvalidStatus):
            stream(proxy, origin)


def test_machines_are_told_of_health_readiness_and_numbers(server: int) -> None:
    assert ask(server, "/healthz")[::2] == (200, b"ok\n")
    assert ask(server, "/readyz")[::2] == (200, b"ready\n")
    status, headers, body = ask(server, "/metrics")
    assert (status, headers["content-type"].split(";")[0]) == (200, "text/plain")
    numbers = dict(re.findall(r"^(\w+(?:\{.*\})?) ([\d.e+]+)$", body.decode(), re.MULTILINE))
    assert float(numbers["scviz_memory_web_bytes"]) > 5e7
    assert numbers['scviz_runs_waiting{line="heavy"}'] == "0"


def test_an_upload_that_is_too_large_is_refused_while_it_comes(server: int) -> None:
    with stream(server) as talk:
        page_of(talk, "Use the demo data")
        session = session_of(talk)
        statuses = [
            put(server, f"/cells/_stcore/upload_file/{session}/a", size) for size in (2_000_000, 9_000_000)
        ]
    assert statuses[0] == 204
    assert statuses[1] in (413, 0)


def caches(port: int) -> set[str]:
    """Names of what Streamlit keeps loaded for all sessions."""
    time.sleep(STATS_SECONDS)
    said = ask(port, "/cells/_stcore/metrics")[2].decode()
    return set(re.findall(r'cache_type="st_cache_resource",cache="([^"]+)"', said))


def test_a_browser_cannot_have_the_server_forget_what_it_has_loaded(server: int) -> None:
    with stream(server) as talk:
        page_of(talk, "Use the demo data")
        before = caches(server)
        assert {name.rpartition(".")[2].strip("_") for name in before} >= {"queue", "workspace", "settings"}
        talk.send(message(clear_cache=True))
        assert before <= caches(server)
