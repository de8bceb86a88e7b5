"""A file that a page has made for somebody is there for her alone, by whatever address, cookie or hash."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.web.server.starlette import starlette_websocket
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from streamlit.web.server.starlette.starlette_routes import create_media_routes
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from pages.components import own_files
from pages.components.own_files import Holders, OwnFiles, note_holders
from tests.own_loop import carried_out

SECRET = "of the test " * 4
CONTENT = b"cell,type\nA,B cell\n"


def claims(name: str, **more: object) -> dict[str, Any]:
    return {"iss": "https://id.example", "sub": name, "is_logged_in": True, "origin": "http://x", **more}


def cookie(said: dict[str, Any], secret: str = SECRET) -> bytes:
    """What the browser of somebody keeps after a login."""
    signed = create_signed_value(secret, USER_COOKIE_NAME, json.dumps(said)).decode()
    return f"other=1; {USER_COOKIE_NAME}={signed}".encode()


class Server:
    """Streamlit's files, its routes, and the door in front."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("add", "add_deferred", "execute_deferred"):  # put back after the test
            monkeypatch.setattr(MediaFileManager, name, getattr(MediaFileManager, name))
        monkeypatch.setattr(starlette_websocket, "get_cookie_secret", lambda: SECRET)
        self._patch, self.holders = monkeypatch, Holders()
        note_holders(self.holders)
        storage = MemoryMediaFileStorage("/media")
        self.files = MediaFileManager(storage)
        self.routes = Starlette(routes=create_media_routes(storage, None))

    def on_page_of(self, name: str, act: Callable[[], str]) -> str:
        """Do something as the page of somebody does."""
        context = SimpleNamespace(user_info=claims(name), session_id=name)
        self._patch.setattr(own_files, "get_script_run_ctx", lambda **_: context)
        self._patch.setattr("streamlit.runtime.media_file_manager._get_session_id", lambda: name)
        made = act()
        self._patch.setattr(own_files, "get_script_run_ctx", lambda **_: None)
        return made

    def add(self, name: str, content: bytes = CONTENT) -> str:
        return self.on_page_of(name, lambda: self.files.add(content, "text/csv", "1", "a.csv", True))

    def ask(
        self, path: str, sent: bytes = b"", *, login: bool = True, method: str = "GET"
    ) -> tuple[int, bytes]:
        """Ask for an address; gives the status and what came."""
        came: list[dict[str, Any]] = []

        async def send(part: Any) -> None:
            came.append(part)

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b""}

        headers = [(b"host", b"x"), *([(b"cookie", sent)] if sent else [])]
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "headers": headers,
        }
        scope |= {
            "query_string": b"",
            "scheme": "http",
            "server": ("x", 80),
            "client": ("y", 1),
            "root_path": "",
        }
        door = OwnFiles(self.routes, login=login, holders=self.holders)
        carried_out(door(scope, receive, send))
        return came[0]["status"], b"".join(part.get("body", b"") for part in came[1:])


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    return Server(monkeypatch)


def test_a_file_is_there_for_whom_it_was_made_and_for_nobody_else(server: Server) -> None:
    url = server.add("ada")
    assert server.ask(url, cookie(claims("ada"))) == (200, CONTENT)
    for sent in (
        b"",
        cookie(claims("ben")),
        cookie({**claims("ada"), "iss": "https://other.example"}),
        cookie({**claims("ada"), "is_logged_in": False}),
        cookie(claims("ada"), secret="another " * 6),
        cookie({"sub": "ada", "is_logged_in": True}),
        f"{USER_COOKIE_NAME}=ada".encode(),
    ):
        for method in ("GET", "HEAD"):
            assert server.ask(url, sent, method=method)[0] == 404
    assert server.ask("/media/nothing.csv", cookie(claims("ada")))[0] == 404


def test_equal_files_of_two_people_are_there_for_both(server: Server) -> None:
    url = server.add("ada")
    assert server.ask(url, cookie(claims("ben")))[0] == 404
    assert server.add("ben") == url
    for name in ("ada", "ben"):
        assert server.ask(url, cookie(claims(name))) == (200, CONTENT)
    assert server.ask(url, cookie(claims("eve")))[0] == 404


def test_a_file_that_is_written_when_its_button_is_pressed_is_hers_whose_button_it_was(
    server: Server,
) -> None:
    later = server.on_page_of(
        "ada", lambda: server.files.add_deferred(lambda: CONTENT, "text/csv", "1", "a.csv")
    )
    url = server.files.execute_deferred(later)  # on no page: Streamlit calls it from a thread of its own
    assert server.ask(url, cookie(claims("ada"))) == (200, CONTENT)
    assert server.ask(url, cookie(claims("ben")))[0] == 404
    assert server.ask(url)[0] == 404


def test_without_a_login_it_is_as_streamlit_has_it(server: Server) -> None:
    assert server.ask(server.add("ada"), login=False) == (200, CONTENT)


def test_what_is_remembered_is_bounded() -> None:
    holders = Holders(most=3)
    for number in range(5):
        holders.note(str(number), frozenset({"ada"}))
    assert [bool(holders.of(str(number))) for number in range(5)] == [False, False, True, True, True]
