"""The page that was asked for comes after the login, and never a place on another server."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.responses import RedirectResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from pages.components.asked_page import COOKIE, AskedPage

ISSUER = "https://id.example/authorize"


def client(base: str = "", *, fails: bool = False) -> TestClient:
    """A server that sends to the issuer, and from there to its front page, as Streamlit does."""

    async def login(_: object) -> RedirectResponse:
        return RedirectResponse(ISSUER, status_code=302)

    async def back(_: object) -> RedirectResponse:
        answer = RedirectResponse("https://id.example/again" if fails else f"{base}/", status_code=302)
        answer.set_cookie("user", "signed")
        return answer

    routes = [Route(f"{base}/auth/login", login), Route(f"{base}/oauth2callback", back)]
    app = AskedPage(Starlette(routes=routes))  # type: ignore[arg-type]
    return TestClient(app, base_url="http://cells.example.org", follow_redirects=False)  # type: ignore[arg-type]


@pytest.mark.parametrize("base", ["", "/lab/scviz"])
def test_the_asked_page_comes_after_the_login_with_all_that_its_address_says(base: str) -> None:
    place = f"{base}/annotate?run=12&dataset=a%20b"
    with client(base) as browser:
        gone = browser.get(f"{base}/auth/login", headers={"referer": f"http://cells.example.org{place}"})
        assert gone.headers["location"] == ISSUER
        back = browser.get(f"{base}/oauth2callback")
        assert back.headers["location"] == place
        assert "user=signed" in back.headers["set-cookie"]
        assert browser.get(f"{base}/oauth2callback").headers["location"] == f"{base}/"  # once


@pytest.mark.parametrize(
    "referer",
    [
        "",
        "http://cells.example.org//evil.example/x",
        "http://cells.example.org/\\evil.example",
        "http://cells.example.org/\t/evil.example",
        "javascript:alert(1)",
        "http://cells.example.org/" + "a" * 4000,
        "http://[broken/x",
    ],
)
def test_no_other_place_is_followed(referer: str) -> None:
    with client() as browser:
        browser.get("/auth/login", headers={"referer": referer})
        assert browser.get("/oauth2callback").headers["location"] == "/"


@pytest.mark.parametrize("kept", ["Ly9ldmlsLmV4YW1wbGU=", "aHR0cDovL2V2aWw=", "L1xldmls", "%%%", "w6k="])
def test_a_cookie_that_somebody_else_has_written_leads_nowhere_else(kept: str) -> None:
    with client() as browser:
        back = browser.get("/oauth2callback", headers={"cookie": f"{COOKIE}={kept}"})
        assert back.headers["location"] == "/"


def test_an_answer_that_leads_elsewhere_is_left_alone() -> None:
    with client(fails=True) as browser:
        browser.get("/auth/login", headers={"referer": "http://cells.example.org/qc"})
        assert browser.get("/oauth2callback").headers["location"] == "https://id.example/again"
