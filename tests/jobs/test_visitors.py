"""Visitors of a demo server: each is somebody of her own, may do a little, and leaves nothing behind."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from example_tasks import counting

from scviz.errors import LimitError, NotAllowedError
from scviz.jobs import visitors
from scviz.jobs.queue import RunQueue
from scviz.jobs.visitors import refuse_too_much, visitor, wipe
from scviz.settings import Settings
from scviz.workspace import Workspace
from scviz.workspace.database import Database, Run, State
from scviz.workspace.limits import guard_of
from scviz.workspace.people import LOCAL, SERVER, Person, access_of, claim, remember_person, sees, share

ADA, BEN = visitor("ada"), visitor("ben")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.from_env({"SCVIZ_HOME": str(tmp_path / "home"), "SCVIZ_DEMO": "1"})


@pytest.fixture
def workspace(settings: Settings) -> Workspace:
    return Workspace.from_settings(settings)


@pytest.fixture
def database(settings: Settings, workspace: Workspace) -> Database:
    return Database.from_settings(settings)


def thing(home: Path, name: str, person: Person, *, age: float) -> Path:
    """A folder of somebody's that was changed last some seconds ago."""
    folder = home / name
    folder.mkdir(parents=True)
    (folder / "file").write_bytes(b"12345")
    claim(person, folder)
    then = time.time() - age
    os.utime(folder, (then, then))
    return folder


def run(database: Database, name: str, owner: str, *, state: State = "done", age: float = 0) -> None:
    database.add(Run(id=name, task="qc", state=state, owner=owner, created=time.time() - age))


def test_what_visitors_leave_is_gone_after_an_hour_and_the_examples_stay(
    settings: Settings, workspace: Workspace, database: Database
) -> None:
    home = settings.home
    old = [
        thing(home, f"{shelf}/old", ADA, age=3700) for shelf in ("datasets", "uploads", "terms", "references")
    ]
    old += [thing(home, "checkpoints/scgpt/old", BEN, age=3700), thing(home, "trash/old", ADA, age=3700)]
    fresh = [thing(home, f"{shelf}/fresh", ADA, age=3500) for shelf in ("datasets", "uploads")]
    examples = [
        thing(home, "datasets/demo", Person(subject=SERVER), age=9e6),
        thing(home, "datasets/of-the-owner", Person(), age=9e6),
    ]
    assert wipe(settings, database) == len(old)
    assert [one.exists() for one in old] == [False] * len(old)
    assert all(one.exists() for one in (*fresh, *examples))


def test_runs_go_with_their_folders_and_long_ones_are_stopped(settings: Settings, database: Database) -> None:
    home = settings.home
    for name, owner, age in (("old", ADA.id, 3700), ("fresh", ADA.id, 100), ("example", LOCAL, 9e6)):
        run(database, name, owner, age=age)
        thing(home, f"runs/{name}", ADA if owner == ADA.id else Person(), age=age)
    run(database, "long", BEN.id, state="running", age=700)
    run(database, "waits", BEN.id, state="queued", age=700)
    run(database, "short", BEN.id, state="running", age=500)
    wipe(settings, database)
    left = {one.id: one for one in database.runs()}
    assert set(left) == {"fresh", "example", "long", "waits", "short"}
    assert [(home / "runs" / name).exists() for name in ("old", "fresh", "example")] == [False, True, True]
    assert left["long"].stop_requested
    assert left["waits"].state == "stopped"
    assert not left["short"].stop_requested


def test_a_copy_of_an_example_lasts_an_hour_from_when_it_was_made(
    settings: Settings, database: Database
) -> None:
    run(database, "demo-map", ADA.id, age=9e6)  # says when the example itself was made
    thing(settings.home, "runs/demo-map", ADA, age=100)
    wipe(settings, database)
    assert database.get("demo-map").state == "done"


def test_when_the_server_starts_again_nothing_of_visitors_is_left(
    settings: Settings, database: Database
) -> None:
    folder = thing(settings.home, "datasets/new", ADA, age=0)
    remember_person(settings.home, ADA)
    wipe(settings, database, older_than=-1.0)
    assert not folder.exists()
    assert list((settings.home / "people").iterdir()) == []


def test_a_visitor_has_two_runs_at_a_time_and_forty_an_hour(database: Database) -> None:
    run(database, "one", ADA.id, state="running")
    refuse_too_much(database, "qc", ADA.id)
    run(database, "two", ADA.id, state="queued")
    with pytest.raises(NotAllowedError, match="2 runs at a time"):
        refuse_too_much(database, "qc", ADA.id)
    refuse_too_much(database, "pricing", ADA.id)
    refuse_too_much(database, "qc", LOCAL)
    for number in range(visitors.AN_HOUR):
        run(database, f"earlier-{number}", BEN.id, age=3500)
    with pytest.raises(NotAllowedError, match="40 runs an hour"):
        refuse_too_much(database, "qc", BEN.id)


def test_all_visitors_together_have_so_many_runs_at_a_time(database: Database) -> None:
    for number in range(visitors.ALL_AT_A_TIME):
        run(database, str(number), visitor(str(number)).id, state="queued")
    with pytest.raises(NotAllowedError, match="16 runs at a time"):
        refuse_too_much(database, "qc", ADA.id)


@pytest.mark.parametrize("task", sorted(visitors.NOT_OFFERED))
def test_nothing_is_downloaded_for_a_visitor(database: Database, task: str) -> None:
    with pytest.raises(NotAllowedError, match="Nothing is downloaded"):
        refuse_too_much(database, task, ADA.id)


@pytest.mark.usefixtures("no_engine")
def test_the_queue_of_a_demo_server_refuses_and_that_of_others_does_not(
    settings: Settings, tmp_path: Path
) -> None:
    for number in range(3):
        asked = counting.Request(label=str(number))
        if number < visitors.AT_A_TIME:
            RunQueue(settings).submit("example_tasks.counting", asked, ADA.id)
    with pytest.raises(NotAllowedError):
        RunQueue(settings).submit("example_tasks.counting", asked, ADA.id)
    other = RunQueue(Settings.from_env({"SCVIZ_HOME": str(tmp_path / "other")}))
    for number in range(3):
        other.submit("example_tasks.counting", counting.Request(label=str(number)), ADA.id)


def test_a_visitor_uploads_so_much_in_all(settings: Settings, workspace: Workspace) -> None:
    guard = guard_of(settings, workspace)
    (workspace.of(ADA).new_upload("a") / "cells.h5ad").write_bytes(b"x" * 600_000)
    guard.before_upload(BEN.id, 59_900_000)
    with pytest.raises(LimitError, match=r"You have 600 KB of uploads, of 0\.06 GB; this file has 59\.9 MB"):
        guard.before_upload(ADA.id, 59_900_000)


def test_a_visitor_notes_nothing_in_the_examples(settings: Settings, workspace: Workspace) -> None:
    thing(settings.home, "datasets/demo", Person(subject=SERVER), age=0)
    own = thing(settings.home, "datasets/mine", ADA, age=0)
    assert workspace.of(ADA).folder_to_change("mine") == own
    with pytest.raises(NotAllowedError, match="stay as they are"):
        workspace.of(ADA).folder_to_change("demo")


def test_a_visitor_shares_nothing_and_sees_nothing_of_another(settings: Settings) -> None:
    folder = thing(settings.home, "datasets/mine", ADA, age=0)
    with pytest.raises(NotAllowedError, match="Nothing is shared"):
        share(ADA, folder, ["everyone"])
    assert sees(ADA, access_of(folder))
    assert not sees(BEN, access_of(folder))
