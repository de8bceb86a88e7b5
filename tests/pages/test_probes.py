"""What machines ask a server: health, readiness, and numbers where its owner wants that."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from pages.components.probes import NoNumbers, Probes
from scviz.settings import Settings
from scviz.workspace import Workspace
from scviz.workspace.database import Database, Run


async def streamlits_own(_: object) -> PlainTextResponse:
    return PlainTextResponse("sessions 3")


def client(home: Path, **env: str) -> TestClient:
    settings = Settings.from_env({"SCVIZ_HOME": str(home), **env})
    routes = [*Probes(settings).routes, Route("/_stcore/metrics", streamlits_own)]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(NoNumbers, shown=settings.metrics)]))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    Workspace.from_settings(Settings.from_env({"SCVIZ_HOME": str(tmp_path / "home")}))
    return tmp_path / "home"


def test_a_server_with_a_workspace_and_a_table_is_ready(home: Path) -> None:
    answer = client(home).get("/readyz")
    assert (answer.status_code, answer.text) == (200, "ready\n")


def test_one_without_a_workspace_lives_and_is_not_ready(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    probes = client(tmp_path / "gone", SCVIZ_DATABASE=url)
    answer = probes.get("/readyz")
    assert (answer.status_code, answer.text) == (503, "The workspace cannot be written.\n")
    assert probes.get("/healthz").status_code == 200


def test_one_whose_table_does_not_answer_is_not_ready_and_says_no_address(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    probes = client(home)
    assert probes.get("/readyz").status_code == 200
    with monkeypatch.context() as broken:
        broken.setattr(Database, "runs", lambda *_, **__: (_ for _ in ()).throw(OSError("/srv/secret")))
        answer = probes.get("/readyz")
    assert (answer.status_code, answer.text) == (503, "The table of runs does not answer.\n")


@pytest.mark.parametrize("path", ["/metrics", "/_stcore/metrics", "/cells/_stcore/metrics/"])
def test_numbers_are_nobodys_unless_the_owner_wants_them_shown(home: Path, path: str) -> None:
    assert client(home).get(path).status_code == 404


def test_numbers_say_what_runs_and_what_waits_and_nothing_of_whose(home: Path) -> None:
    settings = Settings.from_env({"SCVIZ_HOME": str(home)})
    database, now = Database.from_settings(settings), time.time()
    for name, state in (("a", "done"), ("b", "done"), ("c", "running"), ("d", "queued"), ("e", "queued")):
        run = Run(id=name, task="qc", state=state, owner="ada@lab.org", line="heavy", created=now - 60)
        database.add(run)
    probes = client(home, SCVIZ_METRICS="on")
    text = probes.get("/metrics").text
    assert re.findall(r'scviz_runs\{state="(\w+)"\} (\d+)', text) == [
        ("done", "2"),
        ("queued", "2"),
        ("running", "1"),
    ]
    assert 'scviz_runs_waiting{line="heavy"} 2' in text
    assert 'scviz_runs_waiting{line="light"} 0' in text
    (waited,) = re.findall(r"^scviz_longest_wait_seconds ([\d.]+)$", text, re.MULTILINE)
    assert 60 <= float(waited) < 120
    assert "ada" not in text
    for line in text.splitlines():
        assert re.fullmatch(r'# (HELP|TYPE) scviz_\w+ .+|scviz_\w+(\{\w+="\w+"\})? [\d.]+(e\+\d+)?', line), (
            line
        )
    assert probes.get("/_stcore/metrics").text == "sessions 3"
