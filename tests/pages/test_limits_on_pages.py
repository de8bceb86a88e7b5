"""What a person meets of limits and cleaning on the pages: a refused upload, Resume, Keep, the sweep of the trash."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable

import pytest
import streamlit as st

from pages.components import housekeeping
from scviz.jobs.queue import RunQueue
from scviz.settings import Settings
from scviz.tasks import embedding
from scviz.workspace.cleaning import is_kept
from scviz.workspace.database import Run, State
from scviz.workspace.records import to_json
from tests.conftest import Opened
from tests.jobs.waiting import wait_for
from tests.pages.test_pages import Open, visit, words  # noqa: F401 - visit is a fixture

DAY = 86_400.0


@pytest.fixture
def add(opened: Opened) -> Callable[..., RunQueue]:
    """Add a run with a folder of some bytes."""

    def add_run(name: str, state: State = "failed", *, age: float = 0.0) -> RunQueue:
        request = embedding.Request(dataset=opened.dataset, checkpoint=opened.checkpoint, seed=len(name))
        folder = opened.workspace.run_folder(name)
        folder.mkdir(parents=True)
        (folder / "request.json").write_text(json.dumps({"task": "embedding", "request": to_json(request)}))
        queue, then = RunQueue(Settings.from_env()), time.time() - age
        row = Run(id=name, task="embedding", title=name, request=to_json(request), state=state)
        queue.database.add(row)
        queue.database.update(name, created=then, started=then, ended=then if state == "failed" else 0.0)
        return queue

    return add_run


def test_an_upload_beyond_the_limit_is_refused_in_words_and_not_kept(
    visit: Open,  # noqa: F811
    opened: Opened,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SCVIZ_PERSON_LIMITS", "uploads=0.001")
    page = visit("pages/data.py", dataset=opened.dataset)
    page.file_uploader[0].set_value(("first.h5ad", b"x" * 700_000, "")).run()
    uploads = opened.workspace.home / "uploads"
    assert len(list(uploads.iterdir())) == 1
    page.file_uploader[0].set_value(("second.h5ad", b"y" * 500_000, "")).run()
    assert not page.exception
    (error,) = [one.value for one in page.error if "uploads" in one.value]
    assert "You have 700 KB of uploads, of 0.001 GB; this file has 500 KB." in error
    assert "Delete uploads on the Data page \\(Space on the server\\)" in error
    assert len(list(uploads.iterdir())) == 1
    page.file_uploader[0].set_value(("third.h5ad", b"z" * 200_000, "")).run()
    assert not any("uploads" in one.value for one in page.error)
    assert len(list(uploads.iterdir())) == 2


def test_a_folder_of_files_beyond_the_limit_is_refused_as_a_whole(
    visit: Open,  # noqa: F811
    opened: Opened,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SCVIZ_SERVER_LIMITS", "uploads=0.001")
    page = visit("pages/data.py", dataset=opened.dataset)
    files = [(f"{name}.tsv", b"x" * 600_000, "") for name in ("matrix", "genes")]
    page.file_uploader[0].set_value(files).run()
    assert any("this file has 1.2 MB" in one.value for one in page.error)
    assert list((opened.workspace.home / "uploads").iterdir()) == []


def test_resume_says_why_it_cannot_be_and_leaves_the_run_as_it_is(
    visit: Open,  # noqa: F811
    add: Callable[..., RunQueue],
    opened: Opened,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SCVIZ_PERSON_LIMITS", "runs=1")
    add("at-work", "queued")
    queue = add("failed")
    queue.database.update("at-work", heartbeat=time.time())
    page = visit("pages/explore.py", dataset=opened.dataset, checkpoint=opened.checkpoint, run="failed")
    page.button(key="job_resume").click().run()
    assert not page.exception
    said = "You have 1 run waiting or at work, and 1 may be. Wait until one has ended, or stop one on the Runs page"
    assert any(said in one.value for one in page.error)
    assert queue.database.get("failed").state == "failed"
    queue.stop("at-work")
    page.button(key="job_resume").click().run()
    assert queue.database.get("failed").state == "queued"


def test_keep_is_offered_where_old_runs_go_and_is_heeded(
    visit: Open,  # noqa: F811
    add: Callable[..., RunQueue],
    opened: Opened,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add("old")
    add("older")
    assert "keep_old" not in {one.key for one in visit("pages/runs.py", run="old").toggle}
    monkeypatch.setenv("SCVIZ_CLEAN", "runs=30")
    st.cache_resource.clear()
    page = visit("pages/runs.py", run="old")
    keep = page.toggle(key="keep_old")
    assert (keep.value, "runs=30" in keep.help) == (False, True)
    keep.set_value(True).run()
    assert is_kept(opened.workspace.run_folder("old"))
    assert visit("pages/runs.py", run="old").toggle(key="keep_old").value
    queue = RunQueue(Settings.from_env())
    for name in ("old", "older"):
        queue.database.update(name, created=1.0, started=1.0, ended=1.0)
    housekeeping._clean(Settings.from_env())
    assert [run.id for run in queue.database.runs()] == ["old"]
    page.toggle(key="keep_old").set_value(False).run()
    assert not is_kept(opened.workspace.run_folder("old"))
    housekeeping._clean(Settings.from_env())
    assert queue.database.runs() == []
    assert {entry.thing for entry in queue.trash.entries()} == {"old", "older"}


def test_whoever_looks_has_the_trash_swept_of_what_lies_there_for_more_than_a_day(
    visit: Open,  # noqa: F811
    add: Callable[..., RunQueue],
    opened: Opened,
) -> None:
    queue = add("late")
    add("early")
    for name in ("late", "early"):
        queue.trash.delete("run", name)
    entries = {entry.thing: entry for entry in queue.trash.entries()}
    record = opened.workspace.home / "trash" / entries["late"].id / "entry.json"
    kept = json.loads(record.read_text())
    record.write_text(json.dumps({**kept, "time": kept["time"] - 1.1 * DAY}))
    os.utime(record)
    page = visit("pages/runs.py")
    assert not page.exception
    wait_for(lambda: [one.thing for one in queue.trash.entries()] == ["early"], "the sweep", 20)
    wait_for(lambda: not _sweeping(), "the sweep has ended", 20)
    page.run()
    assert f"take_back_{entries['early'].id}" in {one.key for one in page.button}
    assert f"take_back_{entries['late'].id}" not in {one.key for one in page.button}
    assert "gone in 2" in words(page)


def _sweeping() -> bool:
    return any("_clean" in thread.name for thread in threading.enumerate())
