"""What a page offers to download, and the pictures on it, are for whoever the page is for, and for nobody else.

Streamlit gives such a file to whoever names a hash of what it holds, login or not. Here it is noted for whom a page
has made it, and on a server with a login the signed cookie of the login must be hers.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import PurePosixPath
from typing import Any

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.scriptrunner_utils.script_run_context import get_script_run_ctx
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME
from streamlit.web.server.starlette.starlette_websocket import _get_signed_cookie_with_chunks

from pages.components.packed import App, Receive, Scope, Send
from scviz.workspace.people import Person
from scviz.workspace.plain_json import parse_plain

FOLDER = "/media/"
MOST_NOTED = 50_000
"""Files whose people are remembered; Streamlit forgets files long before."""


class Holders:
    """For whom each file was made, by its id, as far back as is remembered."""

    def __init__(self, most: int = MOST_NOTED) -> None:
        self._people: OrderedDict[str, frozenset[str]] = OrderedDict()
        self._most, self._lock = most, threading.Lock()

    def note(self, file: str, people: frozenset[str]) -> None:
        """Let people have a file, besides those who may already."""
        with self._lock:
            self._people[file] = self._people.pop(file, frozenset()) | people
            while len(self._people) > self._most:
                self._people.popitem(last=False)

    def of(self, file: str) -> frozenset[str]:
        """Return the ids of the people who may have a file."""
        return self._people.get(file, frozenset())


HOLDERS = Holders()


class OwnFiles:
    """ASGI middleware of a server with a login: a file is not there for whom it was not made."""

    def __init__(self, app: App, *, login: bool, holders: Holders = HOLDERS) -> None:
        self.app, self._login, self._holders = app, login, holders

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call, or say that there is nothing."""
        asked = self._login and scope["type"] == "http" and FOLDER in scope["path"]
        if asked and who_is(_claims(scope)) not in self._holders.of(file_of(scope["path"])):
            await PlainTextResponse("File not found\n", 404)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def note_holders(holders: Holders = HOLDERS) -> None:
    """Have Streamlit note, for each file that a page makes, whose page it is."""
    add, defer, carry_out = (
        MediaFileManager.add,
        MediaFileManager.add_deferred,
        MediaFileManager.execute_deferred,
    )

    @wraps(add)
    def noted(self: MediaFileManager, *args: Any, **more: Any) -> str:
        url = add(self, *args, **more)
        holders.note(file_of(url), _of_this_page())
        return url

    @wraps(defer)
    def deferred(self: MediaFileManager, *args: Any, **more: Any) -> str:
        later = defer(self, *args, **more)
        holders.note(later, _of_this_page())
        return later

    @wraps(carry_out)
    def made(self: MediaFileManager, file_id: str) -> str:
        url = carry_out(self, file_id)
        holders.note(file_of(url), holders.of(file_id))
        return url

    changed: dict[str, Callable[..., str]] = {
        "add": noted,
        "add_deferred": deferred,
        "execute_deferred": made,
    }
    for name, act in changed.items():
        setattr(MediaFileManager, name, act)


def file_of(address: str) -> str:
    """Return the id of a file from its address.

    Examples
    --------
    >>> file_of("/cells/media/0a1b.csv"), file_of("/media/0a1b")
    ('0a1b', '0a1b')
    """
    return PurePosixPath(address).stem


def who_is(claims: Mapping[str, Any]) -> str:
    """Return the id of who has logged in; empty for nobody, who holds nothing."""
    issuer, subject = claims.get("iss"), claims.get("sub")
    if claims.get("is_logged_in") is not True or not isinstance(issuer, str) or not isinstance(subject, str):
        return ""
    return Person(issuer=issuer, subject=subject).id


def _of_this_page() -> frozenset[str]:
    context = get_script_run_ctx(suppress_warning=True)
    person = who_is(context.user_info) if context is not None else ""
    return frozenset({person} if person else ())


def _claims(scope: Scope) -> Mapping[str, Any]:
    """Read what the login says of who calls, from its signed cookie; nothing where there is none."""
    cookie = _get_signed_cookie_with_chunks(HTTPConnection(scope).cookies, USER_COOKIE_NAME)
    claims: Mapping[str, Any] = parse_plain(cookie, name="the login") if cookie else {}
    return claims
