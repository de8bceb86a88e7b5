"""A public file comes into the workspace as a run, by a press or by a command."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from scviz.cli import main
from scviz.datasets import public_files
from scviz.errors import DataError, LimitError, RequestError
from scviz.progress import Progress, Report, silent
from scviz.settings import Settings
from scviz.tasks.context import Context
from scviz.tasks.fetching import Request
from scviz.tasks.fetching.run import run
from scviz.workspace import Workspace
from scviz.workspace.people import Person
from tests.datasets.server import Place, place
from tests.inline_queue import InlineQueue

CONTENT = bytes(range(256)) * 4000


def context(workspace: Workspace, report: Report = silent) -> Context:
    return Context(workspace=workspace, report=report, folder=workspace.run_folder("one"))


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A place on this machine that is allowed."""
    with place({"/files/1": CONTENT}) as one:
        one.headers["/files/1"] = {
            "Content-Disposition": 'attachment; filename="my cells.h5ad"',
            "ETag": '"a"',
        }
        monkeypatch.setenv("SCVIZ_FETCH_FROM", one.address)
        yield one


def test_a_look_says_name_and_size_and_fetches_nothing(workspace: Workspace, held: Place) -> None:
    result = run(Request(url=f"{held.address}/files/1", look=True), context(workspace))
    assert (result.name, result.n_bytes, result.path) == ("my cells.h5ad", len(CONTENT), "")
    assert list((workspace.home / "uploads").rglob("*")) == []


def test_a_file_lies_among_the_uploads_under_its_name(workspace: Workspace, held: Place) -> None:
    reports: list[Progress] = []
    result = run(Request(url=f" {held.address}/files/1#x"), context(workspace, reports.append))
    assert result.path == str(workspace.home / "uploads" / "one" / "my cells.h5ad")
    assert Path(result.path).read_bytes() == CONTENT
    assert result.notes == (f"Fetched from {held.address}/files/1.",)
    assert (reports[-1].stage, reports[-1].done, reports[-1].total) == (
        "Fetching the file",
        *[len(CONTENT)] * 2,
    )


def test_a_run_that_was_cut_off_is_resumed(workspace: Workspace, held: Place) -> None:
    held.cut_after = 500_000
    with pytest.raises(DataError, match="could not be fetched"):
        run(Request(url=f"{held.address}/files/1"), context(workspace))
    assert list((workspace.home / "uploads").rglob("*")) == []
    result = run(Request(url=f"{held.address}/files/1"), context(workspace))
    assert Path(result.path).read_bytes() == CONTENT
    assert "bytes=" in held.asked[-1]


def test_a_file_that_changed_meanwhile_is_told(workspace: Workspace, held: Place) -> None:
    held.cut_after = 500_000
    with pytest.raises(DataError):
        run(Request(url=f"{held.address}/files/1"), context(workspace))
    held.files["/files/1"], held.headers["/files/1"]["ETag"] = CONTENT[::-1], '"b"'
    result = run(Request(url=f"{held.address}/files/1"), context(workspace))
    assert Path(result.path).read_bytes() == CONTENT[::-1]
    assert "fetched anew" in result.notes[1]


def test_the_limit_is_that_of_the_server(
    workspace: Workspace, held: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCVIZ_FETCH_GB", "0.0005")
    with pytest.raises(DataError, match="may be fetched"):
        run(Request(url=f"{held.address}/files/1"), context(workspace))


def test_a_place_that_nobody_allowed_is_refused(
    workspace: Workspace, held: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SCVIZ_FETCH_FROM")
    with pytest.raises(RequestError, match="no https address"):
        run(Request(url=f"{held.address}/files/1"), context(workspace))
    assert held.asked == []


def test_no_address_is_refused() -> None:
    with pytest.raises(RequestError, match="No address was given"):
        Request(url="  ")


def test_a_command_fetches_and_prints_where_the_file_is(
    workspace: Workspace, held: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SCVIZ_HOME", str(workspace.home))
    monkeypatch.setattr("scviz.cli.running.RunQueue", InlineQueue)
    assert main(["fetch", f"{held.address}/files/1"]) == 0
    assert Path(json.loads(capsys.readouterr().out)["path"]).read_bytes() == CONTENT
    assert main(["fetch", "--look", f"{held.address}/files/1"]) == 0
    assert json.loads(capsys.readouterr().out)["n_bytes"] == len(CONTENT)
    assert main(["fetch", "http://example.org/x"]) == 1
    assert "no https address" in capsys.readouterr().err


def test_settings_travel_to_the_processes_that_fetch() -> None:
    env = {"SCVIZ_FETCH_FROM": "http://mirror:8000 https://files.intern/", "SCVIZ_FETCH_GB": "3"}
    settings = Settings.from_env(env)
    assert settings.fetch_from == ("http://mirror:8000", "https://files.intern")
    assert Settings.from_env(settings.as_env()) == settings


@pytest.mark.parametrize("says_size", [True, False])
def test_a_file_beyond_a_persons_uploads_does_not_come(
    workspace: Workspace, held: Place, monkeypatch: pytest.MonkeyPatch, *, says_size: bool
) -> None:
    held.says_size = says_size
    monkeypatch.setenv("SCVIZ_PERSON_LIMITS", "uploads=0.0012")
    monkeypatch.setattr(public_files, "ASK_EVERY", 100_000)
    ada, ben = (Person(issuer="https://id", subject=name) for name in ("ada", "ben"))
    other = workspace.of(ada).new_upload("other")
    (other / "cells").write_bytes(bytes(700_000))
    hers = context(workspace.of(ada))
    with pytest.raises(LimitError) as refused:
        run(Request(url=f"{held.address}/files/1"), hers)
    came = hers.state / "fetch" / "file.part"
    assert came.stat().st_size == 0 if says_size else 0 < came.stat().st_size < 800_000
    of_it = "1.0 MB" if says_size else r"\d+ KB"
    assert re.fullmatch(
        rf"You have 700 KB of uploads, of 0.0012 GB; this file has {of_it}\.", str(refused.value)
    )
    assert "Delete uploads on the Data page" in refused.value.hint
    assert [one.name for one in (workspace.home / "uploads").iterdir()] == ["other"]
    (other / "cells").unlink()  # room is made, and what has come is gone on with
    assert Path(run(Request(url=f"{held.address}/files/1"), hers).path).read_bytes() == CONTENT
    another = Context(workspace=workspace.of(ben), report=silent, folder=workspace.run_folder("two"))
    assert Path(run(Request(url=f"{held.address}/files/1"), another).path).read_bytes() == CONTENT


def test_what_has_come_of_a_file_is_not_counted_twice_on_the_disk(
    workspace: Workspace, held: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public_files, "ASK_EVERY", 100_000)
    monkeypatch.setenv("SCVIZ_SERVER_LIMITS", "disk=0.0011")
    path = Path(run(Request(url=f"{held.address}/files/1"), context(workspace)).path)
    assert path.stat().st_size == len(CONTENT)
    (path.parent / "more").write_bytes(bytes(100_000))
    with pytest.raises(LimitError, match=r"This server has 1\.1 MB on the disk.*; this file has 1\.0 MB"):
        run(Request(url=f"{held.address}/files/1"), context(workspace))
