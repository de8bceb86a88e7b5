"""A refusal names the limit, what is used and what to do; nothing is refused where there is no limit."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from scviz.errors import LimitError, ScvizError
from scviz.jobs.lines import is_heavy
from scviz.settings import Settings
from scviz.workspace import Workspace
from scviz.workspace.database import Database, Run, State
from scviz.workspace.limits import Guard, Meter, room_of
from scviz.workspace.people import Person, claim
from scviz.workspace.trash import Trash

ADA, BEN = (Person(issuer="https://id", subject=name) for name in ("ada", "ben"))


class Server:
    """A workspace with settings, and what is kept in it."""

    def __init__(self, home: Path, **env: str) -> None:
        self.settings = Settings.from_env({"SCVIZ_HOME": str(home), **env})
        self.workspace = Workspace.from_settings(self.settings)
        self.database = Database.from_settings(self.settings)
        self.trash = Trash(self.workspace, self.database)
        self.guard = Guard(self.settings, Meter(home, self.database, self.trash))

    def keep(self, shelf: str, name: str, size: int, person: Person = ADA) -> None:
        folder = self.workspace.home / shelf / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "file").write_bytes(b"x" * size)
        claim(person, folder)

    def run(self, name: str, person: Person = ADA, *, state: State = "done", hours: float = 0.0) -> None:
        now = time.time()
        row = Run(
            id=name, task="embedding", owner=person.id, state=state, started=now - 3600 * hours, ended=now
        )
        self.database.add(row)

    def ask(self, person: Person = ADA, task: str = "embedding") -> None:
        self.guard.before_run(person.id, task, is_heavy)


def test_without_limits_nothing_is_refused(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.keep("datasets", "mine", 10**6)
    server.run("open", state="running", hours=100)
    server.ask()
    server.guard.before_upload(ADA.id, 10**15)


def test_disk_of_a_person_counts_all_that_is_hers_and_the_trash(tmp_path: Path) -> None:
    server = Server(tmp_path, SCVIZ_PERSON_LIMITS="disk=0.001")
    server.keep("datasets", "mine", 400_000)
    server.keep("uploads", "file", 400_000)
    server.keep("checkpoints", "scgpt/theirs", 10**6, BEN)
    server.ask()
    server.keep("runs", "map", 400_000)
    with pytest.raises(LimitError) as refused:
        server.ask(task="opening")
    assert str(refused.value) == "You have 1.2 MB on the disk, of 0.001 GB."
    assert "Delete what is no longer needed (Data, Models, Runs) and empty the trash" in refused.value.hint
    assert "SCVIZ_PERSON_LIMITS" in refused.value.hint
    server.trash.delete("upload", "file", ADA)
    with pytest.raises(LimitError):
        server.ask()
    server.trash.empty(by=ADA.id)
    server.ask()
    with pytest.raises(LimitError, match=r"You have 1\.0 MB"):
        server.ask(BEN)


def test_disk_of_the_server_counts_everything(tmp_path: Path) -> None:
    server = Server(tmp_path, SCVIZ_SERVER_LIMITS="disk=0.01")
    server.ask()
    server.keep("datasets", "mine", 6_000_000)
    server.keep("datasets", "theirs", 6_000_000, BEN)
    with pytest.raises(LimitError, match=r"This server has 12\.\d MB on the disk, of 0\.01 GB") as refused:
        server.ask()
    assert "SCVIZ_SERVER_LIMITS" in refused.value.hint


def test_uploads_are_refused_before_they_are_kept(tmp_path: Path) -> None:
    server = Server(tmp_path, SCVIZ_PERSON_LIMITS="uploads=0.001")
    server.keep("uploads", "file", 700_000)
    server.guard.before_upload(ADA.id, 200_000)
    with pytest.raises(LimitError) as refused:
        server.guard.before_upload(ADA.id, 500_000)
    assert str(refused.value) == "You have 700 KB of uploads, of 0.001 GB; this file has 500 KB."
    assert "Delete uploads on the Data page" in refused.value.hint
    server.guard.before_upload(BEN.id, 500_000)


def test_heavy_runs_at_a_time_are_counted_and_light_ones_are_free(tmp_path: Path) -> None:
    server = Server(tmp_path, SCVIZ_PERSON_LIMITS="runs=2", SCVIZ_SERVER_LIMITS="runs=3")
    server.run("done")
    server.run("first", state="running")
    server.ask()
    server.run("second", state="queued")
    with pytest.raises(LimitError) as refused:
        server.ask()
    assert str(refused.value) == "You have 2 runs waiting or at work, and 2 may be."
    assert refused.value.hint.startswith("Wait until one has ended, or stop one on the Runs page")
    server.ask(task="pricing")
    server.ask(BEN)
    server.run("third", BEN, state="running")
    with pytest.raises(LimitError, match="This server has 3 runs"):
        server.ask(BEN)


def test_hours_of_a_day_are_counted_and_deleting_gives_none_back(tmp_path: Path) -> None:
    server = Server(tmp_path, SCVIZ_PERSON_LIMITS="hours=3")
    server.run("long", hours=2.0)
    server.ask()
    server.run("more", hours=1.5)
    server.trash.delete("run", "more")
    with pytest.raises(LimitError, match=r"You have used 3\.5 hours of computing within a day, of 3\."):
        server.ask()
    server.ask(BEN)


@pytest.mark.parametrize(
    ("env", "gigabytes", "why"),
    [
        ({"SCVIZ_MEMORY_GB": "0.5"}, 0.5, "SCVIZ_MEMORY_GB"),
        ({"SCVIZ_MEMORY_GB": "0.5", "SCVIZ_PERSON_LIMITS": "memory=0.4"}, 0.4, "SCVIZ_PERSON_LIMITS"),
        ({"SCVIZ_SERVER_LIMITS": "memory=0.6", "SCVIZ_WORKERS": "2"}, 0.3, "SCVIZ_SERVER_LIMITS"),
    ],
)
def test_the_least_memory_that_settings_allow_counts(
    env: dict[str, str], gigabytes: float, why: str, tmp_path: Path
) -> None:
    found = room_of(Server(tmp_path, **env).settings)
    assert found.gigabytes == gigabytes
    assert why in found.why


def test_a_queue_refuses_before_a_run_is_kept(tmp_path: Path, no_engine: None) -> None:
    from scviz.jobs.queue import RunQueue
    from scviz.tasks import opening

    queue = RunQueue(Settings.from_env({"SCVIZ_HOME": str(tmp_path), "SCVIZ_PERSON_LIMITS": "disk=0.000001"}))
    (tmp_path / "uploads" / "file").mkdir()
    (tmp_path / "uploads" / "file" / "cells").write_bytes(b"x" * 5000)
    with pytest.raises(LimitError, match="on the disk, of 1e-06 GB"):
        queue.submit("opening", opening.demo_request())
    assert queue.database.runs() == []


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"SCVIZ_PERSON_LIMITS": "runs=1"}, "You have 1 run waiting or at work, and 1 may be."),
        ({"SCVIZ_SERVER_LIMITS": "runs=1"}, "This server has 1 run waiting or at work, and 1 may be."),
        ({"SCVIZ_DEMO": "1"}, "A visitor of a demo server has 2 runs at a time."),
    ],
)
def test_going_on_with_a_run_is_refused_in_the_same_words(
    env: dict[str, str], said: str, tmp_path: Path, no_engine: None
) -> None:
    from scviz.jobs.own_runs import OwnRuns
    from scviz.jobs.queue import RunQueue
    from scviz.tasks import embedding

    queue = RunQueue(Settings.from_env({"SCVIZ_HOME": str(tmp_path), **env}))
    asked = [embedding.Request(dataset=name, checkpoint="scgpt/demo") for name in ("one", "two", "three")]
    first = queue.submit("embedding", asked[0], ADA.id).run
    queue.stop(first)
    second = queue.submit("embedding", asked[1], ADA.id).run
    if "SCVIZ_DEMO" in env:
        queue.submit("embedding", asked[2], ADA.id)
    before = queue.get(first)
    with pytest.raises(ScvizError) as of_a_new_one:
        queue.submit("embedding", embedding.Request(dataset="new", checkpoint="scgpt/demo"), ADA.id)
    with pytest.raises(ScvizError) as refused:
        OwnRuns(queue, ADA).resume(first)
    assert str(refused.value) == str(of_a_new_one.value) == said
    assert refused.value.hint == of_a_new_one.value.hint
    assert queue.get(first) == before
    queue.resume(second)  # is under way already: nothing is asked, nothing is done
    queue.stop(second)
    OwnRuns(queue, ADA).resume(first)
    assert (queue.get(first).state, queue.get(first).attempt) == ("queued", 2)
