"""Names by which a server may be called: a page elsewhere that has its name point here gets no answer.

A browser lets a page talk to the server of its own name. Whoever owns a name can have it point at this machine
after the page is loaded (DNS rebinding), and would then read what its user sees. Such calls carry that name.
A page of another server may open a web socket all the same; such calls carry the name of that page.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

from pages.components.packed import App, Receive, Scope, Send

LOCAL = ("localhost",)
MISDIRECTED = 421
POLICY_VIOLATION = 1008


class KnownHosts:
    """ASGI middleware: refuses calls for a name that is none of this server; addresses in digits are no names.

    Parameters
    ----------
    names
        Names besides those of this machine, such as that of a proxy in front.
    """

    def __init__(self, app: App, names: Iterable[str] = ()) -> None:
        self.app = app
        self._known = {name.lower() for name in (*LOCAL, socket.gethostname(), *names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call, or refuse it."""
        if scope["type"] not in ("http", "websocket") or (self._knows(called(scope)) and _is_own_page(scope)):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()  # that it wants to connect
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
        else:
            text = b"This server has another name. Its owner can add names in SCVIZ_HOSTS.\n"
            kind = [(b"content-type", b"text/plain; charset=utf-8")]
            await send({"type": "http.response.start", "status": MISDIRECTED, "headers": kind})
            await send({"type": "http.response.body", "body": text})

    def _knows(self, host: str) -> bool:
        return host in self._known or _is_address(host)


def called(scope: Scope) -> str:
    """Return the name by which a server is called, without its port; empty where that is not said or said twice.

    Examples
    --------
    >>> called({"headers": [(b"host", b"Mirror:8501")]}), called({"headers": [(b"host", b"[::1]:80")]})
    ('mirror', '::1')
    """
    said: list[str] = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    if len(said) != 1:
        return ""
    return _host_of(said[0])


def _host_of(place: str) -> str:
    """Return the name or address of `HOST:PORT`."""
    host = place.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].rstrip(".")


def _is_own_page(scope: Scope) -> bool:
    """Tell whether a web socket is opened by a page of this server; programs that are no browsers name no page."""
    pages = [value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"]
    if scope["type"] != "websocket" or not pages:
        return True
    return len(pages) == 1 and _host_of(pages[0].partition("://")[2]) == called(scope)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
