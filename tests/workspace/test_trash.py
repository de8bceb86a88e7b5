"""What is deleted goes with what depends on it, is told before, and comes back for a day."""

from __future__ import annotations

from pathlib import Path

import pytest

from scviz import cli
from scviz.errors import DataError, JobError, NotAllowedError
from scviz.settings import Settings
from scviz.workspace import TermsInfo, Workspace
from scviz.workspace.audit import lines
from scviz.workspace.database import Database, Run, State
from scviz.workspace.groups import name_group
from scviz.workspace.people import Person, claim, share
from scviz.workspace.records import write_json
from scviz.workspace.selections import keep_selection
from scviz.workspace.sizes import size_of
from scviz.workspace.store import write_checkpoint_info, write_info
from scviz.workspace.trash import KEPT_SECONDS, Trash
from tests.workspace.test_store import checkpoint, dataset

ADA, BEN = (Person(issuer="https://id", subject=name) for name in ("ada", "ben"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SCVIZ_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def workspace(home: Path) -> Workspace:
    return Workspace.from_settings(Settings.from_env())


@pytest.fixture
def database(workspace: Workspace) -> Database:
    return Database.from_settings(Settings.from_env())


@pytest.fixture
def trash(workspace: Workspace, database: Database) -> Trash:
    return Trash(workspace, database)


def keep_dataset(workspace: Workspace, name: str, *, size: int = 1000) -> Path:
    folder = workspace.dataset_folder(name)
    folder.mkdir()
    (folder / "counts.h5ad").write_bytes(b"x" * size)
    write_info(dataset(name), folder)
    return folder


def keep_run(
    workspace: Workspace,
    database: Database,
    name: str,
    *,
    owner: str = "local",
    state: State = "done",
    **asked: object,
) -> Run:
    run = Run(
        id=name, task="embedding", title="Map", request=asked, owner=owner, state=state, values={"loss": 0.5}
    )
    folder = workspace.run_folder(name)
    folder.mkdir()
    (folder / "log.txt").write_bytes(b"y" * 500)
    database.add(run)
    return run


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(one.relative_to(folder)): one.read_bytes()
        for one in sorted(folder.rglob("*"))
        if one.is_file()
        and one.relative_to(folder).parts[0] in ("datasets", "runs", "terms", "uploads", "checkpoints")
    }


def test_a_dataset_goes_with_its_runs_and_comes_back_as_it_was(
    workspace: Workspace, database: Database, trash: Trash, home: Path
) -> None:
    keep_dataset(workspace, "mine-1")
    keep_dataset(workspace, "other-2")
    keep_run(workspace, database, "map", dataset="mine-1")
    keep_run(workspace, database, "export", run="map")
    keep_run(workspace, database, "stays", dataset="other-2", methods=[{"checkpoint": "scgpt/a"}])
    before, rows = files_of(home), {run.id: run for run in database.runs()}
    entry = trash.delete("dataset", "mine-1")
    assert [info.id for info in workspace.datasets()] == ["other-2"]
    assert [run.id for run in database.runs()] == ["stays"]
    assert not workspace.run_folder("export").exists()
    assert (entry.n_runs, entry.size) == (
        2,
        sum(len(text) for name, text in before.items() if "other" not in name) - 500,
    )
    trash.take_back(entry.id)
    assert files_of(home) == before
    assert {run.id: run for run in database.runs()} == rows
    assert trash.entries() == []


def test_what_goes_is_told_before_with_sizes(workspace: Workspace, database: Database, trash: Trash) -> None:
    folder = keep_dataset(workspace, "mine-1", size=2_000_000)
    keep_run(workspace, database, "map", dataset="mine-1")
    import numpy as np

    name_group(folder, "Mine", np.array([0, 2]))
    keep_selection(folder, b"\x01")
    told = trash.would_delete("dataset", "mine-1")
    assert told.sentences[0] == "Deleting mine-1 frees 2.0 MB, 2.0 MB of it its own."
    assert told.sentences[1] == "With it goes 1 run and the results (0 KB): Map."
    assert told.sentences[2:4] == (
        "With it goes 1 named group of its cells.",
        "With it goes 1 selection that links name.",
    )
    assert told.total == size_of(folder) + 500
    assert [info.id for info in workspace.datasets()] == ["mine-1"]  # only told


@pytest.mark.parametrize("state", ["queued", "running"])
def test_what_is_at_work_is_not_deleted(
    state: State, workspace: Workspace, database: Database, trash: Trash
) -> None:
    keep_dataset(workspace, "mine-1")
    keep_run(workspace, database, "map", state=state, dataset="mine-1")
    with pytest.raises(JobError, match=f"mine-1 cannot be deleted: Map is still {state}.") as refused:
        trash.delete("dataset", "mine-1")
    assert refused.value.hint == "Stop it first."
    assert workspace.dataset("mine-1")


def test_what_others_need_stays(workspace: Workspace, database: Database, trash: Trash) -> None:
    keep_dataset(workspace, "mine-1")
    claim(ADA, workspace.dataset_folder("mine-1"))
    keep_run(workspace, database, "theirs", owner=BEN.id, dataset="mine-1")
    with pytest.raises(DataError, match="1 run of other people depend"):
        trash.delete("dataset", "mine-1", ADA)
    trash.delete("dataset", "mine-1")
    assert database.runs() == []


def test_checkpoints_terms_and_uploads_go_with_the_runs_that_name_them(
    workspace: Workspace, database: Database, trash: Trash, home: Path
) -> None:
    folder = workspace.checkpoint_folder("scgpt/own")
    folder.mkdir(parents=True)
    write_checkpoint_info(checkpoint("own"), folder)
    terms = workspace.terms_folder("go-1")
    terms.mkdir(parents=True)
    write_json(TermsInfo(id="go-1", name="GO", source="a file", n_genes=1, n_terms=1), terms / "info.json")
    upload = workspace.upload_folder("abc")
    upload.mkdir()
    (upload / "cells.h5ad").write_bytes(b"z" * 70)
    keep_run(workspace, database, "several", methods=[{"checkpoint": "scgpt/own"}])
    keep_run(workspace, database, "predicted", terms="go-1")
    keep_run(workspace, database, "checked", path=str(upload / "cells.h5ad"))
    before = files_of(home)
    gone = {
        kind: trash.delete(kind, thing)  # type: ignore[arg-type]
        for kind, thing in (("checkpoint", "scgpt/own"), ("terms", "go-1"), ("upload", "abc"))
    }
    assert [(one.name, one.n_runs) for one in gone.values()] == [("own", 1), ("GO", 1), ("cells.h5ad", 1)]
    assert database.runs() == []
    assert files_of(home) == {}
    for entry in trash.entries():
        trash.take_back(entry.id)
    assert files_of(home) == before


def test_what_comes_with_scviz_cannot_be_deleted(workspace: Workspace, trash: Trash) -> None:
    bundled = workspace.checkpoints()[0].id
    with pytest.raises(DataError, match="comes with scviz"):
        trash.would_delete("checkpoint", bundled)


@pytest.mark.parametrize("identifier", ["..", "../home", "nothing-1"])
def test_names_lead_nowhere_else(identifier: str, trash: Trash) -> None:
    with pytest.raises(DataError):
        trash.delete("dataset", identifier)


def test_after_a_day_it_is_gone_and_not_before(
    workspace: Workspace, trash: Trash, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_dataset(workspace, "mine-1")
    entry = trash.delete("dataset", "mine-1")
    monkeypatch.setattr("scviz.workspace.trash.time.time", lambda: entry.time + KEPT_SECONDS - 1)
    trash.tidy()
    assert trash.entries() == [entry]
    monkeypatch.setattr("scviz.workspace.trash.time.time", lambda: entry.time + KEPT_SECONDS + 1)
    trash.tidy()
    assert list((workspace.home / "trash").iterdir()) == []
    with pytest.raises(DataError, match="not in the trash any more"):
        trash.take_back(entry.id)


def test_a_deletion_that_was_cut_off_is_finished_or_taken_back(
    workspace: Workspace, database: Database, trash: Trash, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_dataset(workspace, "mine-1")
    keep_run(workspace, database, "map", dataset="mine-1")
    before = files_of(home)

    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    for is_finished in (False, True):
        with monkeypatch.context() as patch:
            patch.setattr(Trash, "_carry_out", cut_off)
            with pytest.raises(KeyboardInterrupt):
                trash.delete("dataset", "mine-1")
        (entry,) = trash.entries()
        workspace.dataset_folder("mine-1").rename(home / "trash" / entry.id / "0")  # half way
        if is_finished:
            monkeypatch.setattr("scviz.workspace.trash.CUT_OFF_SECONDS", -1.0)
            trash.tidy()
            assert trash.entries()[0].complete
            assert (files_of(home), database.runs()) == ({}, [])
        trash.take_back(entry.id)
        assert files_of(home) == before
        assert [run.id for run in database.runs()] == ["map"]


def test_a_place_that_was_taken_meanwhile_is_not_overwritten(workspace: Workspace, trash: Trash) -> None:
    keep_dataset(workspace, "mine-1")
    entry = trash.delete("dataset", "mine-1")
    (keep_dataset(workspace, "mine-1") / "new").touch()
    with pytest.raises(DataError, match="Something else lies in the place of mine-1 by now"):
        trash.take_back(entry.id)
    assert (workspace.dataset_folder("mine-1") / "new").exists()


def test_the_trash_of_one_person_is_not_that_of_another(workspace: Workspace, trash: Trash) -> None:
    claim(ADA, keep_dataset(workspace, "mine-1"))
    with pytest.raises(DataError, match="There is no dataset"):
        trash.would_delete("dataset", "mine-1", BEN)
    share(ADA, workspace.dataset_folder("mine-1"), [BEN.id])
    assert trash.would_delete("dataset", "mine-1", BEN)
    with pytest.raises(NotAllowedError, match="Only its owner can delete"):
        trash.delete("dataset", "mine-1", BEN)
    entry = trash.delete("dataset", "mine-1", ADA)
    assert lines(workspace.home)[-1]["did"] == "delete"
    assert trash.entries(BEN.id) == []
    with pytest.raises(DataError, match="not in the trash"):
        trash.take_back(entry.id, by=BEN.id)


def test_commands_delete_and_take_back(
    workspace: Workspace, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    keep_dataset(workspace, "mine-1")
    assert cli.main(["delete", "dataset", "mine-1"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "Nothing was deleted: say --yes to do it."
    assert workspace.dataset("mine-1")
    assert cli.main(["delete", "dataset", "mine-1", "--yes"]) == 0
    entry = capsys.readouterr().out.split("take-back ")[1].split("`")[0]
    assert cli.main(["trash"]) == 0
    assert capsys.readouterr().out.startswith(f"{entry}  dataset")
    assert cli.main(["trash", "take-back", entry]) == 0
    assert workspace.dataset("mine-1")
    assert cli.main(["delete", "dataset", "nothing-1", "--yes"]) == 1
    assert "There is no dataset 'nothing-1' here." in capsys.readouterr().err
