"""A login with a provider on loopback: who comes in, who does not, which page comes then, and the way out."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from scviz.settings import ROOT
from scviz.workspace.audit import lines
from scviz.workspace.people import Person
from tests.browser.conftest import PATIENCE, end_engine, start_server
from tests.browser.steps import keyed, settled
from tests.people.provider import CLIENT, SECRET, Provider, provider

pytest.importorskip("authlib", reason="needs a login: Authlib not installed (pip install scviz[auth])")

ADA = {"sub": "ada-1", "name": "Ada", "email": "ada@lab.org", "email_verified": True}


@dataclass(frozen=True)
class Server:
    """A server with a login, and who vouches for its people."""

    address: str
    provider: Provider
    home: Path

    def enter(self, page: Page, claims: dict[str, Any], place: str = "/") -> None:
        """Log in as somebody, from a page."""
        self.provider.says = claims
        page.goto(self.address + place)
        keyed(page, "login", "button").click()
        keyed(page, "logout", "button").wait_for()
        settled(page)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, server_logs: Path) -> Iterator[Server]:
    """Start both."""
    home = tmp_path_factory.mktemp("login") / "home"
    secrets = home.with_name("secrets.toml")
    with provider() as issuer:
        code = Person(issuer=issuer.issuer, subject="no-address").id
        secrets.write_text(
            f"""[auth]
redirect_uri = "http://127.0.0.1:{{port}}/oauth2callback"
cookie_secret = "{"of the test " * 4}"
client_id = "{CLIENT}"
client_secret = "{SECRET}"
server_metadata_url = "{issuer.issuer}/.well-known/openid-configuration"
"""
        )
        env = {
            "SCVIZ_HOME": str(home),
            "SCVIZ_LOGIN": "1",
            "SCVIZ_SPARE": "off",
            "SCVIZ_ALLOW": f"@lab.org, code:{code}=viewer",
            "STREAMLIT_SECRETS_FILES": str(secrets),
        }
        process, address = start_server(ROOT / "dashboard.py", env, server_logs / "people.log")
        yield Server(address, issuer, home)
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=PATIENCE)
        end_engine(home)


def test_the_asked_page_comes_after_the_login_and_logging_out_ends_it(page: Page, server: Server) -> None:
    server.enter(page, ADA, "/enrich?genes=GATA1&run=gone")
    assert page.url.startswith(f"{server.address}/enrich?genes=GATA1"), page.url
    expect(page.get_by_text("ada@lab.org", exact=True)).to_be_visible()
    before = server.provider.logged_out
    keyed(page, "logout", "button").click()
    keyed(page, "login", "button").wait_for()
    assert server.provider.logged_out == before + 1
    page.goto(f"{server.address}/enrich")
    keyed(page, "login", "button").wait_for()
    settled(page)
    assert page.locator("[data-testid=stPageLink]").count() == 0


def test_somebody_with_another_ones_address_unverified_is_not_her(page: Page, server: Server) -> None:
    server.enter(page, {**ADA, "sub": "mallory", "email_verified": False})
    expect(page.get_by_text("this server does not let you in")).to_be_visible()
    expect(page.get_by_text("no address that its issuer has verified")).to_be_visible()
    assert page.locator("[data-testid=stPageLink]").count() == 0
    last = lines(server.home)[-1]
    assert last["did"] == "turned away"
    assert last["person"] == Person(issuer=server.provider.issuer, subject="mallory").id
    assert "ada@lab.org" not in json.dumps(last)


def test_who_is_not_on_the_list_is_told_her_code(page: Page, server: Server) -> None:
    server.enter(page, {"sub": "eve", "email": "eve@elsewhere.org", "email_verified": True}, "/runs")
    code = Person(issuer=server.provider.issuer, subject="eve").id
    expect(page.get_by_text(f"code:{code}")).to_be_visible()
    assert page.locator("[data-testid=stPageLink]").count() == 0


def test_without_any_address_her_code_lets_her_in(page: Page, server: Server) -> None:
    server.enter(page, {"sub": "no-address"}, "/models")
    assert page.url.startswith(f"{server.address}/models")
    assert page.locator("[data-testid=stPageLink]").count() > 5
    assert lines(server.home)[-1] | {"time": ""} == {
        "time": "",
        "person": Person(issuer=server.provider.issuer, subject="no-address").id,
        "called": f"somebody ({Person(issuer=server.provider.issuer, subject='no-address').id[:8]})",
        "role": "viewer",
        "did": "log in",
    }
