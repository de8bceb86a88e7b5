"""What is old goes by itself, the oldest first; what is shared, kept, needed or in use stays."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from scviz import cli
from scviz.settings import Settings
from scviz.workspace import Workspace
from scviz.workspace.cleaning import DAY, Cleaner, Rules, is_kept, keep
from scviz.workspace.database import Database, Run, State
from scviz.workspace.people import EVERYONE, Person, claim, share
from scviz.workspace.trash import Trash

ADA = Person(issuer="https://id", subject="ada")
MEGABYTE = 10**6


class Kept:
    """A workspace with runs and uploads of some age."""

    def __init__(self, home: Path) -> None:
        settings = Settings.from_env({"SCVIZ_HOME": str(home)})
        self.workspace, self.database = Workspace.from_settings(settings), Database.from_settings(settings)
        self.trash = Trash(self.workspace, self.database)
        self.cleaner = Cleaner(self.workspace, self.database, self.trash)

    def run(self, name: str, days: float, *, state: State = "done", size: int = 0, **asked: object) -> Path:
        ended = time.time() - days * DAY
        row = Run(
            id=name, task="embedding", owner=ADA.id, state=state, created=ended, ended=ended, request=asked
        )
        self.database.add(row)
        return self.folder("runs", name, size)

    def upload(self, name: str, days: float, *, size: int = 0) -> Path:
        folder = self.folder("uploads", name, size)
        os.utime(folder, (time.time() - days * DAY,) * 2)
        return folder

    def folder(self, shelf: str, name: str, size: int) -> Path:
        folder = self.workspace.home / shelf / name
        folder.mkdir()
        (folder / "file").write_bytes(b"x" * size)
        claim(ADA, folder)
        return folder

    def clean(self, **rules: float) -> list[str]:
        return [one.id for one in self.cleaner.clean(Rules(**rules))]


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


def test_what_is_old_goes_into_the_trash_of_its_owner(kept: Kept) -> None:
    kept.run("old", 31)
    kept.run("new", 29)
    kept.upload("old-file", 8)
    kept.upload("new-file", 6)
    assert kept.clean() == []
    assert kept.clean(runs=30, uploads=7) == ["old", "old-file"]
    assert [run.id for run in kept.database.runs()] == ["new"]
    assert {entry.thing for entry in kept.trash.entries(ADA.id)} == {"old", "old-file"}


def test_what_is_shared_kept_or_at_work_stays(kept: Kept) -> None:
    share(ADA, kept.run("shared", 99), [EVERYONE])
    keep(kept.run("pinned", 99), wanted=True)
    kept.run("working", 99, state="running")
    share(ADA, kept.upload("shared-file", 99), ["ben@lab.org"])
    path = kept.upload("opened-now", 99)
    kept.run("opening", 99, state="queued", path=str(path / "file"))
    assert kept.clean(runs=1, uploads=1) == []
    assert kept.clean(disk=0.000001) == []
    assert is_kept(kept.workspace.run_folder("pinned"))
    keep(kept.workspace.run_folder("pinned"), wanted=False)
    assert kept.clean(runs=1) == ["pinned"]


def test_an_old_run_that_a_newer_one_rests_on_stays(kept: Kept) -> None:
    kept.run("map", 99)
    kept.run("export", 2, run="map")
    kept.run("other", 99)
    assert kept.clean(runs=30) == ["other"]
    keep(kept.workspace.run_folder("export"), wanted=True)
    assert kept.clean(runs=1) == []


def test_beyond_a_size_the_trash_goes_first_and_then_the_oldest(kept: Kept) -> None:
    for days in (1, 2, 3, 4):
        kept.run(f"run-{days}", days, size=3 * MEGABYTE)
    kept.run("deleted", 1, size=3 * MEGABYTE)
    kept.trash.delete("run", "deleted")
    assert kept.clean(disk=0.0135) == []
    assert kept.trash.entries() == []
    assert kept.clean(disk=0.008) == ["run-4", "run-3"]
    assert kept.trash.entries() == [], "what must make room does not lie in the trash"
    assert [run.id for run in kept.database.runs()] == ["run-1", "run-2"]


def test_the_command_cleans_by_the_setting(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept.run("old", 31)
    monkeypatch.setenv("SCVIZ_HOME", str(kept.workspace.home))
    assert cli.main(["trash", "clean"]) == 0
    assert capsys.readouterr().out == "0 gone. SCVIZ_CLEAN says what goes: nothing.\n"
    monkeypatch.setenv("SCVIZ_CLEAN", "runs=30")
    assert cli.main(["trash", "clean"]) == 0
    assert capsys.readouterr().out == "run  old\n1 gone. SCVIZ_CLEAN says what goes: runs=30.\n"
