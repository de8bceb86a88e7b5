"""The page that was asked for before the login comes after it, with all that its address says.

The way to the login begins on that page, which the browser names (Referer); it is kept in a cookie until the login is
back, and takes the place of the front page there. Only a place on this server is ever kept or followed.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import urlsplit

from pages.components.packed import App, Headers, Message, Receive, Scope, Send

LOGIN, CALLBACK = "/auth/login", "/oauth2callback"
COOKIE = "scviz_asked"
SECONDS = 900
"""How long a login may take."""
MOST_BYTES = 3_000
"""A longer address is not kept: browsers keep no cookie of more than 4 kB."""


class AskedPage:
    """ASGI middleware: notes the page from which a login begins, and leads back to it."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        path = scope.get("path", "")
        if scope["type"] != "http" or not path.endswith((LOGIN, CALLBACK)):
            await self.app(scope, receive, send)
            return
        sent = dict(scope["headers"])
        base = path.removesuffix(LOGIN).removesuffix(CALLBACK)
        begins = path.endswith(LOGIN)
        place = place_of(sent.get(b"referer", b"")) if begins else kept_in(sent.get(b"cookie", b""))

        async def pass_on(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in (302, 303, 307):
                headers: Headers = list(message["headers"])
                if begins:
                    headers.append(_cookie(place, base))
                elif place and dict(headers).get(b"location", b"").rstrip(b"/") == base.encode():
                    headers = [one for one in headers if one[0] != b"location"]
                    headers += [(b"location", place.encode()), _cookie("", base)]
                message = {**message, "headers": headers}
            await send(message)

        await self.app(scope, receive, pass_on)


def place_of(address: bytes) -> str:
    r"""Return the place on this server that an address names, path and query; empty for none.

    Examples
    --------
    >>> place_of(b"https://cells.example.org/annotate?run=12#top")
    '/annotate?run=12'
    >>> place_of(b"https://cells.example.org//evil.example"), place_of(b"https://a/\\evil.example")
    ('', '')
    """
    try:
        parts = urlsplit(address.decode("ascii"))
    except ValueError:
        return ""
    place = parts.path + (f"?{parts.query}" if parts.query else "")
    return place if _is_here(place) else ""


def kept_in(cookies: bytes) -> str:
    """Return the place that a browser has kept; empty for none.

    Examples
    --------
    >>> kept_in(b"a=b; scviz_asked=L3FjP3J1bj0x"), kept_in(b"scviz_asked=Ly9ldmls"), kept_in(b"scviz_asked=!")
    ('/qc?run=1', '', '')
    """
    for one in cookies.split(b";"):
        name, _, value = one.strip().partition(b"=")
        if name == COOKIE.encode():
            try:
                place = urlsafe_b64decode(value).decode("ascii")
            except ValueError:
                return ""
            return place if _is_here(place) else ""
    return ""


def _is_here(place: str) -> bool:
    """Tell whether a browser takes this for a place on the same server."""
    odd = any(letter <= " " or letter in "\\\x7f" for letter in place)
    return place.startswith("/") and not place.startswith("//") and not odd and len(place) <= MOST_BYTES


def _cookie(place: str, base: str) -> tuple[bytes, bytes]:
    """Write the header that keeps a place, or forgets it."""
    value = urlsafe_b64encode(place.encode()).decode()
    seconds = SECONDS if place else 0
    text = f"{COOKIE}={value}; Path={base or '/'}; Max-Age={seconds}; HttpOnly; SameSite=Lax"
    return (b"set-cookie", text.encode())
