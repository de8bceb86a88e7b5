"""Scripts and styles of the dashboard, packed on their way to the browser: Streamlit sends them as they are."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

TEXTS = (b"javascript", b"text/css", b"image/svg", b"application/json")
"""In the content type of what is worth packing; fonts and pictures are packed already."""
LEVEL = 6
SMALLEST = 1_000
GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server answered."""

    status: int
    headers: Headers
    body: bytes

    @property
    def lasts(self) -> bool:
        """Whether the name of the file says its content, so that the answer to it never changes."""
        return self.status == 200 and b"immutable" in dict(self.headers).get(b"cache-control", b"")

    @property
    def worthwhile(self) -> bool:
        """Whether packing makes it much smaller."""
        kind = dict(self.headers).get(b"content-type", b"")
        return len(self.body) >= SMALLEST and any(text in kind for text in TEXTS)


class Packed:
    """ASGI middleware: files whose name says their content are packed once and kept."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._kept: dict[str, Answer] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if not _asks_for_file(scope):
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        answer = self._kept.get(path)
        if answer is None:
            answer = await self._asked(scope, receive)
            if answer.lasts and answer.worthwhile:
                answer = self._kept[path] = await asyncio.to_thread(packed, answer)
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _asked(self, scope: Scope, receive: Receive) -> Answer:
        """Ask the server for all of a file."""
        start: Message = {}
        parts: list[bytes] = []

        async def take(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                parts.append(message.get("body", b""))

        await self.app(scope, receive, take)
        return Answer(status=start["status"], headers=list(start["headers"]), body=b"".join(parts))


def packed(answer: Answer) -> Answer:
    """Pack an answer with gzip."""
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
    body = packer.compress(answer.body) + packer.flush()
    kept = [(name, value) for name, value in answer.headers if name not in (b"content-length", b"etag")]
    more = [
        (b"content-encoding", b"gzip"),
        (b"content-length", str(len(body)).encode()),
        (b"vary", b"Accept-Encoding"),
    ]
    return Answer(status=answer.status, headers=kept + more, body=body)


def _asks_for_file(scope: Scope) -> bool:
    """Tell whether a browser that unpacks asks for all of a file of the dashboard."""
    if scope["type"] != "http" or scope["method"] != "GET" or "/static/" not in scope["path"]:
        return False
    headers = dict(scope["headers"])
    return b"gzip" in headers.get(b"accept-encoding", b"") and not headers.keys() & {
        b"range",
        b"if-none-match",
        b"if-modified-since",
    }
