"""A real server with a login: what the page of one person offers to download, nobody else gets."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME
from websockets.sync.client import connect

from scviz.jobs.engine import importable
from tests.deploy.served import HERE, ask, free_port, message
from tests.jobs.waiting import wait_for

SECRET = "of the test " * 4
CONTENT = "cell,type\nA,B cell\n"
SERVER = """
import streamlit as st
from starlette.middleware import Middleware
from pages.components.own_files import OwnFiles, note_holders
note_holders()
app = st.App("page.py", middleware=[Middleware(OwnFiles, login=True)])
"""
PAGE = f"""
import streamlit as st
st.download_button("Table", data=lambda: {CONTENT!r}, file_name="a.csv", mime="text/csv", on_click="ignore")
st.download_button("At once", data={CONTENT.upper()!r}, file_name="b.csv", mime="text/csv")
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A page with two downloads behind the door of the dashboard."""
    folder = tmp_path_factory.mktemp("downloads")
    (folder / "server.py").write_text(SERVER)
    (folder / "page.py").write_text(PAGE)
    (folder / "secrets.toml").write_text(
        f'[auth]\nredirect_uri = "http://{HERE}/oauth2callback"\ncookie_secret = "{SECRET}"\n'
        'client_id = "a"\nclient_secret = "b"\nserver_metadata_url = "http://127.0.0.1:9/nobody"\n'
    )
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(folder / "server.py"),
        "--server.port",
        str(port),
    ]
    command += ["--server.address", HERE, "--browser.gatherUsageStats", "false"]
    command += [
        "--server.headless",
        "true",
        "--secrets.files",
        str(folder / "secrets.toml"),
    ]
    process = subprocess.Popen(command, env=importable(dict(os.environ)), cwd=folder)
    try:
        wait_for(lambda: _answers(port), "the server answers", 120)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _answers(port: int) -> bool:
    try:
        return ask(port, "/_stcore/health")[0] == 200
    except OSError:
        return False


def logged_in(name: str) -> str:
    """The cookie of somebody's browser."""
    said = {"iss": "https://id.example", "sub": name, "is_logged_in": True, "origin": f"http://{HERE}"}
    return f"{USER_COOKIE_NAME}={create_signed_value(SECRET, USER_COOKIE_NAME, json.dumps(said)).decode()}"


def downloads(port: int, cookie: str) -> list[str]:
    """Open the page as somebody, press the first button, and read where both files are."""
    xsrf = ask(port, "/_stcore/health")[1]["set-cookie"].partition(";")[0]
    with connect(
        f"ws://{HERE}/_stcore/stream",
        sock=socket.create_connection((HERE, port)),
        origin=f"http://{HERE}",  # type: ignore[arg-type]
        subprotocols=["streamlit", xsrf.partition("=")[2]],  # type: ignore[list-item]
        additional_headers={"Cookie": f"{cookie}; {xsrf}"},
        proxy=None,
    ) as talk:
        talk.send(message(rerun_script={"query_string": ""}))
        found: dict[str, str] = {}
        session = ""
        while len(found) < 2:
            part = ForwardMsg.FromString(bytes(talk.recv(60)))
            session = part.new_session.initialize.session_id or session
            button = part.delta.new_element.download_button
            if button.deferred_file_id:
                asked = {
                    "request_id": "1",
                    "session_id": session,
                    "deferred_file": {"file_id": button.deferred_file_id},
                }
                talk.send(message(backend_operation_request=asked))
            elif button.url:
                found["at once"] = button.url
            if part.backend_operation_response.request_id:
                found["pressed"] = part.backend_operation_response.deferred_file.url
        return [found["pressed"], found["at once"]]


def test_a_download_is_there_for_whose_page_offers_it_and_nobody_else(port: int) -> None:
    ada, ben = logged_in("ada"), logged_in("ben")
    urls = downloads(port, ada)
    for url, content in zip(urls, (CONTENT, CONTENT.upper()), strict=True):
        status, _, came = ask(port, url, Cookie=ada)
        assert (status, came) == (200, content.encode())
        for headers in ({}, {"Cookie": ben}, {"Cookie": ada[:-3]}):
            assert ask(port, url, **headers)[0] == 404
    assert downloads(port, ben) == urls  # of equal content, so of the same address
    for cookie in (ada, ben):
        assert ask(port, urls[1], Cookie=cookie)[0] == 200
