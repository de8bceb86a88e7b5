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
        start = int(asked_range.removeprefix("bytes=").rstrip("-") or 0)
        if start >= len(content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if asked_range else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        cut, self.held.cut_after = self.held.cut_after, 0
        self.wfile.write(content[start:][:cut] if cut else content[start:])
        self.close_connection = bool(cut) or self.close_connection
