"""Where a server listens: on this machine alone, unless its owner says otherwise and to whom."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scviz.cli import main
from scviz.cli import server as serving


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the process would become."""
    found: list[str] = []
    monkeypatch.setenv("SCVIZ_HOME", str(tmp_path))
    monkeypatch.setattr(serving, "open_first", lambda *_: None)
    monkeypatch.setattr(os, "execv", lambda _, arguments: found.extend(arguments))
    monkeypatch.setattr(os, "chdir", lambda _: None)
    return found


def option(command: list[str], name: str) -> str:
    return command[command.index(name) + 1]


def test_it_listens_on_this_machine_alone(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--port", "8600", "--base-path", "/cells/"]) == 0
    assert option(command, "--server.address") == "127.0.0.1"
    assert option(command, "--server.port") == "8600"
    assert option(command, "--server.baseUrlPath") == "cells"
    assert "scviz is at http://localhost:8600/cells" in capsys.readouterr().out


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "cells.example.org"])
def test_without_a_login_it_listens_nowhere_else(
    command: list[str], capsys: pytest.CaptureFixture[str], host: str
) -> None:
    assert main(["serve", "--host", host]) == 1
    assert "there is no login" in capsys.readouterr().err
    assert command == []


@pytest.mark.parametrize("login", [False, True])
def test_with_a_login_or_where_that_is_wanted_it_does(
    command: list[str], monkeypatch: pytest.MonkeyPatch, *, login: bool
) -> None:
    monkeypatch.setenv("SCVIZ_LOGIN", "on" if login else "off")
    assert main(["serve", "--host", "0.0.0.0", *([] if login else ["--open"])]) == 0
    assert option(command, "--server.address") == "0.0.0.0"
