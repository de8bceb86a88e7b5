"""A server of the dashboard on loopback, a proxy in front of it that offers it below a path, and what one may ask."""

from __future__ import annotations

import http.client
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from scviz.jobs.engine import importable
from scviz.settings import ROOT
from tests.jobs.waiting import wait_for

HERE = "127.0.0.1"


def free_port() -> int:
    with socket.socket() as free:
        free.bind((HERE, 0))
        return int(free.getsockname()[1])


@contextmanager
def dashboard(home: Path, *options: str, **env: str) -> Iterator[int]:
    """Start the web server as `serve` does; gives its port."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "dashboard.py"), "--server.address", HERE]
    known = {name: value for name, value in os.environ.items() if not name.startswith("SCVIZ_")}
    process = subprocess.Popen(
        [*command, "--server.port", str(port), *options],
        env=importable({**known, "SCVIZ_HOME": str(home), "SCVIZ_SPARE": "0", **env}),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: answers(port), "the server answers", 120)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def answers(port: int) -> bool:
    with suppress(OSError, http.client.HTTPException):
        return ask(port, "/healthz")[0] == 200
    return False


def ask(port: int, path: str, **headers: str) -> tuple[int, Mapping[str, str], bytes]:
    """Ask for a page; gives status, headers and body as they came."""
    with closing(http.client.HTTPConnection(HERE, port, timeout=20)) as connection:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def message(**fields: Any) -> bytes:
    """A message as a browser sends it."""
    from streamlit.proto.BackMsg_pb2 import BackMsg

    return bytes(BackMsg(**fields).SerializeToString())


def talk_with(port: int, place: str = f"{HERE}", origin: str = f"http://{HERE}") -> ClientConnection:
    """Open the stream of a browser that has called a name, and a path below it."""
    return connect(
        f"ws://{place}/_stcore/stream",
        sock=socket.create_connection((HERE, port)),
        origin=origin,  # type: ignore[arg-type]
        subprotocols=["streamlit"],  # type: ignore[list-item]
        proxy=None,
        max_size=None,
    )


def page_of(talk: ClientConnection, until: str) -> str:
    """Run the first page until something is written there; gives what came, as text."""
    talk.send(message(rerun_script={"query_string": ""}))
    came = b""
    while until.encode() not in came:
        part = talk.recv(60)
        came += part if isinstance(part, bytes) else part.encode()
    return came.decode("utf-8", "ignore")


def session_of(talk: ClientConnection) -> str:
    """Run the page once more, and read the id of its session."""
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    talk.send(message(rerun_script={"query_string": ""}))
    found = ""
    while not found:
        part = talk.recv(60)
        found = ForwardMsg.FromString(bytes(part)).new_session.initialize.session_id
    return str(found)


def put(port: int, path: str, size: int) -> int:
    """Upload so many bytes in pieces, their size unsaid, as a page of the server does; gives the status.

    0 where the server has closed the connection before all was sent, and its answer was lost with it.
    """
    folder = path.partition("/_stcore")[0]
    cookie = ask(port, f"{folder}/_stcore/health")[1]["set-cookie"].partition(";")[0]
    head = b'--x\r\nContent-Disposition: form-data; name="a"; filename="a.h5ad"\r\n\r\n'
    pieces = [head, *[b"0" * 500_000] * (size // 500_000), b"\r\n--x--\r\n"]
    with closing(http.client.HTTPConnection(HERE, port, timeout=60)) as connection:
        headers = {"Cookie": cookie, "X-Xsrftoken": cookie.partition("=")[2]}
        headers["Content-Type"] = "multipart/form-data; boundary=x"
        with suppress(BrokenPipeError, ConnectionResetError):  # the server has heard enough
            connection.request("PUT", path, body=iter(pieces), headers=headers, encode_chunked=True)
        try:
            return connection.getresponse().status
        except (ConnectionError, http.client.BadStatusLine):
            return 0


class Proxy:
    """Passes on what is asked below a path, its head unchanged; all else is not there. One request a connection."""

    def __init__(self, path: str, upstream: int) -> None:
        self.path, self.upstream = path.encode(), upstream
        self._socket = socket.create_server((HERE, 0))
        self.port = int(self._socket.getsockname()[1])
        threading.Thread(target=self._take, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _take(self) -> None:
        with suppress(OSError):
            while True:
                call, _ = self._socket.accept()
                threading.Thread(target=self._pass_on, args=(call,), daemon=True).start()

    def _pass_on(self, call: socket.socket) -> None:
        with call, suppress(OSError):
            head = call.recv(65536)
            if not head.split(b" ", 2)[1].startswith(self.path):
                call.sendall(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                return
            with socket.create_connection((HERE, self.upstream)) as onward:
                onward.sendall(head)
                while True:
                    for one in select.select([call, onward], [], [], 60)[0]:
                        part = one.recv(65536)
                        if not part:
                            return
                        (onward if one is call else call).sendall(part)
