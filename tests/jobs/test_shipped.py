"""Finished runs that come with scviz: each user gets them once, and they answer the questions they were made for."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import scviz
from scviz.datasets.demo import open_demo
from scviz.jobs.queue import RunQueue
from scviz.jobs.shipped import MADE, SHIPPED, Made, Shelf, how_made, placeholder, shipped_runs, take_in
from scviz.settings import Settings
from scviz.tasks import embedding, front, in_silico
from scviz.workspace import CountsSource, DatasetInfo, Workspace
from scviz.workspace.database import Database
from scviz.workspace.records import content_hash, read_json, read_record, to_json, write_json, write_record
from scviz.workspace.store import write_info

AGAIN = "`python assets/demo/make.py` makes the finished runs that come with scviz anew"
CELLS = "cells-1"


@pytest.fixture
def shelf(workspace: Workspace, tmp_path: Path) -> Iterator[Shelf]:
    """A workspace with demo cells, and two runs of them that come with the project: the second names the first."""
    folder = workspace.dataset_folder(CELLS)
    folder.mkdir(parents=True)
    counts = CountsSource(location="X", how="as stored", evidence="")
    info = DatasetInfo(
        id=CELLS,
        name="demo",
        source="demo.h5ad",
        n_cells=2,
        n_genes=3,
        counts=counts,
        gene_names="symbol",
        demo=True,
    )
    write_info(info, folder)
    ship(tmp_path / "shipped", "map", embedding.Request(dataset=CELLS, checkpoint="a/b"), created=1.0)
    edit = in_silico.Request(dataset=CELLS, checkpoint="a/b", genes=("CD3D",), map_run=placeholder("map"))
    ship(tmp_path / "shipped", "edit", edit, created=2.0)
    database = Database(f"sqlite:///{tmp_path / 'runs.db'}")
    yield Shelf(workspace=workspace, database=database, source=tmp_path / "shipped")
    database.close()


def ship(source: Path, name: str, request: object, *, created: float, stamp: str = "first") -> None:
    """Lay a run beside the project; its result is one array."""
    task = type(request).__module__.rpartition(".")[2]
    (source / name / "result").mkdir(parents=True, exist_ok=True)
    asked = json.dumps({"task": task, "request": to_json(request)})
    (source / name / "request.json").write_text(asked, "utf-8")
    np.savez(source / name / "result" / "arrays.npz", umap=np.zeros((2, 2)))
    (source / name / "result" / "record.json").write_text("{}", "utf-8")
    made = Made(
        task=task,
        dataset=CELLS,
        version="0.1",
        stamp=stamp,
        created=created,
        started=created,
        ended=created + 1,
        note="50 genes.",
    )
    write_json(made, source / name / MADE)


def test_a_workspace_with_the_demo_cells_gets_the_runs_that_come_with_scviz(shelf: Shelf) -> None:
    take_in(shelf)
    edit, drawn = shelf.database.runs()
    assert (edit.task, edit.state, drawn.task, drawn.state) == ("in_silico", "done", "embedding", "done")
    assert how_made(drawn) == "Came with scviz: made with scviz 0.1 on 01 Jan 1970."
    assert drawn.note.splitlines()[1] == "50 genes."
    assert edit.request["map_run"] == drawn.id
    folder = shelf.workspace.run_folder(edit.id)
    assert json.loads((folder / "request.json").read_text("utf-8"))["request"]["map_run"] == drawn.id
    assert not (folder / MADE).exists()


def test_the_same_question_is_answered_by_a_run_that_came_with_scviz(shelf: Shelf, tmp_path: Path) -> None:
    take_in(shelf)
    (_, drawn) = shelf.database.runs()
    settings = Settings(home=shelf.workspace.home, data_roots=(tmp_path,), database=shelf.database.url)
    queue = RunQueue(settings)
    answer = queue.submit("embedding", embedding.Request(dataset=CELLS, checkpoint="a/b"))
    queue.close()
    assert (answer.run, answer.cached) == (drawn.id, True)


def test_taking_in_twice_changes_nothing(shelf: Shelf) -> None:
    take_in(shelf)
    before = shelf.database.runs()
    take_in(shelf)
    assert shelf.database.runs() == before


def test_what_a_user_has_deleted_does_not_come_back(shelf: Shelf) -> None:
    take_in(shelf)
    deleted, kept = shelf.database.runs()
    shelf.database.delete(deleted.id)
    take_in(shelf)
    assert [run.id for run in shelf.database.runs()] == [kept.id]
    made = read_json(Made, shelf.source / "edit" / MADE)
    write_json(replace(made, stamp="second"), shelf.source / "edit" / MADE)
    take_in(shelf)
    assert [run.id for run in shelf.database.runs()] == [kept.id]


def test_what_was_made_anew_takes_the_place_of_the_old_copy(shelf: Shelf) -> None:
    take_in(shelf)
    (_, old) = shelf.database.runs()
    made = read_json(Made, shelf.source / "map" / MADE)
    write_json(replace(made, stamp="second", version="0.2"), shelf.source / "map" / MADE)
    take_in(shelf)
    (new,) = [run for run in shelf.database.runs() if run.task == "embedding"]
    assert new.id != old.id
    assert "scviz 0.2" in how_made(new)
    assert not shelf.workspace.run_folder(old.id).exists()
    assert shelf.workspace.run_folder(new.id).exists()


def test_another_version_of_scviz_still_finds_the_answers(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_in(shelf)
    before = {run.id: run.fingerprint for run in shelf.database.runs()}
    monkeypatch.setattr(scviz, "__version__", "99")
    for task in {run.task for run in shelf.database.runs()}:
        monkeypatch.setattr(front(task), "VERSION", 99, raising=False)
    take_in(shelf)
    after = {run.id: run.fingerprint for run in shelf.database.runs()}
    assert after.keys() == before.keys()
    assert all(after[run] != before[run] for run in before)


def test_users_of_one_server_cannot_harm_each_other(shelf: Shelf) -> None:
    one, other = (replace(shelf, owner=f"{name}@lab.org") for name in ("maya", "jonas"))
    take_in(one)
    take_in(other)
    for run in shelf.database.runs(owner=one.owner):
        shelf.database.delete(run.id)
        shutil.rmtree(shelf.workspace.run_folder(run.id))
    take_in(one)
    assert shelf.database.runs(owner=one.owner) == []
    left = shelf.database.runs(owner=other.owner)
    assert len(left) == 2
    assert all((shelf.workspace.run_folder(run.id) / "result").exists() for run in left)


def test_two_servers_that_start_at_once_take_each_run_in_once(shelf: Shelf) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(take_in, [shelf] * 4))
    assert len(shelf.database.runs()) == 2


def test_who_has_asked_already_keeps_the_own_answer(shelf: Shelf) -> None:
    take_in(shelf)
    (_, drawn) = shelf.database.runs()
    for run in shelf.database.runs():
        shelf.database.delete(run.id)
    shelf.database.add(replace(drawn, id="own", engine="here"))
    shelf.record.unlink()
    take_in(shelf)
    assert [run.id for run in shelf.database.runs() if run.task == "embedding"] == ["own"]


def test_nothing_comes_to_a_workspace_without_the_demo_cells(shelf: Shelf) -> None:
    shutil.rmtree(shelf.workspace.dataset_folder(CELLS))
    take_in(shelf)
    assert shelf.database.runs() == []


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, DatasetInfo]:
    """The demo cells as this version opens them."""
    workspace = Workspace(tmp_path_factory.mktemp("shipped") / "home")
    return workspace, open_demo(workspace)


def test_there_are_a_map_cell_types_and_a_knock_out() -> None:
    assert {made.task for made in shipped_runs().values()} >= {"embedding", "annotation", "in_silico"}
    size = sum(path.stat().st_size for path in SHIPPED.rglob("*") if path.is_file())
    assert size < 1_500_000


@pytest.mark.parametrize("name", shipped_runs())
def test_a_run_that_comes_with_scviz_is_of_the_demo_cells_as_they_are_opened(
    name: str, demo: tuple[Workspace, DatasetInfo]
) -> None:
    assert shipped_runs()[name].dataset == demo[1].id, AGAIN


@pytest.mark.parametrize("name", shipped_runs())
def test_a_run_that_comes_with_scviz_is_what_its_task_gives_today(name: str, tmp_path: Path) -> None:
    made, folder = shipped_runs()[name], SHIPPED / name
    assert content_hash_without_facts(folder, tmp_path) == made.stamp, AGAIN
    asked = json.loads((folder / "request.json").read_text("utf-8"))["request"]
    assert asked.keys() == to_json_keys(made.task), AGAIN
    write_record(read_record(front(made.task).Result, folder / "result"), tmp_path / "again")
    was, now = (
        json.loads((one / "record.json").read_text("utf-8"))
        for one in (folder / "result", tmp_path / "again")
    )
    assert now == was, AGAIN
    with (
        np.load(folder / "result" / "arrays.npz") as old,
        np.load(tmp_path / "again" / "arrays.npz") as new,
    ):
        assert sorted(old.files) == sorted(new.files), AGAIN


def content_hash_without_facts(folder: Path, scratch: Path) -> str:
    """Hash what the stamp is of."""
    copy = shutil.copytree(folder, scratch / "copy", ignore=shutil.ignore_patterns(MADE))
    return content_hash(copy)


def to_json_keys(task: str) -> set[str]:
    """Fields of a request of today."""
    return set(front(task).Request.__dataclass_fields__)


def test_every_shipped_run_is_taken_in_with_its_demo_cells(
    demo: tuple[Workspace, DatasetInfo], tmp_path: Path
) -> None:
    workspace, _ = demo
    database = Database(f"sqlite:///{tmp_path / 'runs.db'}")
    take_in(Shelf(workspace=workspace, database=database))
    runs = database.runs()
    assert len(runs) == len(shipped_runs())
    for run in runs:
        read_record(front(run.task).Result, workspace.run_folder(run.id) / "result")
    (types,) = [run for run in runs if run.task == "annotation"]
    assert (workspace.run_folder(types.id) / "result" / "classifier" / "weights.safetensors").exists()
    database.close()
