"""A place on this machine from which files can be downloaded, in pieces and with interruptions."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Place:
    """What the place holds, and what was asked of it."""

    files: dict[str, bytes]
    """Content by path."""
    address: str = ""
    cut_after: int = 0
    """Bytes after which an answer is cut off, once; 0 never."""
    knows_ranges: bool = True
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    """Further headers of an answer, by path; a Location makes it a redirect, an ETag is what If-Range is held to."""
    says_size: bool = True
    asked: list[str] = field(default_factory=list)
    """Path and range of every request."""


@contextmanager
def place(files: dict[str, bytes]) -> Iterator[Place]:
    """Answer while the block runs."""
    held = Place(files)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Answers", (_Answers,), {"held": held}))
    held.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield held
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def zipped(**members: bytes) -> bytes:
    """Pack members; two underscores in a name stand for a slash."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members.items():
            archive.writestr(name.replace("__", "/"), member)
    return content.getvalue()


class _Answers(BaseHTTPRequestHandler):
    held: Place

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        asked_range = self.headers.get("Range", "") if self.held.knows_ranges else ""
        self.held.asked.append(f"{self.path} {asked_range}".strip())
        content = self.held.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        headers = self.held.headers.get(self.path, {})
        if "Location" in headers:
            self.send_response(302)
            self._send(headers | {"Content-Length": "0"})
            return
        condition = self.headers.get("If-Range")
        if condition and condition != headers.get("ETag", headers.get("Last-Modified")):
            asked_range = ""
        start = int(asked_range.removeprefix("bytes=").rstrip("-") or 0)
        if start >= len(content):
            self.send_response(416)
            self._send({"Content-Range": f"bytes */{len(content)}", "Content-Length": "0"})
            return
        self.send_response(206 if asked_range else 200)
        size = (
            {"Content-Length": str(len(content) - start)} if self.held.says_size else {"Connection": "close"}
        )
        part = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"} if asked_range else {}
        self._send(headers | size | part)
        cut, self.held.cut_after = self.held.cut_after, 0
        self.wfile.write(content[start:][:cut] if cut else content[start:])
        self.close_connection = bool(cut) or self.close_connection

    def _send(self, headers: dict[str, str]) -> None:
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
