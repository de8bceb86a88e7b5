"""Deleting on the pages: what goes is said first, and it can be taken back."""

from __future__ import annotations

import json

from scviz.jobs.queue import RunQueue
from scviz.settings import Settings
from scviz.tasks import embedding
from scviz.workspace.database import Run
from scviz.workspace.records import to_json
from tests.conftest import Opened
from tests.pages.test_pages import Open, visit, words  # noqa: F401 - visit is a fixture


def kept_map(opened: Opened) -> RunQueue:
    request = embedding.Request(dataset=opened.dataset, checkpoint=opened.checkpoint)
    folder = opened.workspace.run_folder("map")
    folder.mkdir(parents=True)
    (folder / "request.json").write_text(json.dumps(to_json(request)))
    queue = RunQueue(Settings.from_env())
    queue.database.add(
        Run(id="map", task="embedding", title="Map", request=to_json(request), state="stopped")
    )
    return queue


def test_a_dataset_is_deleted_after_saying_what_goes_and_comes_back(visit: Open, opened: Opened) -> None:  # noqa: F811
    queue = kept_map(opened)
    page = visit("pages/data.py", dataset=opened.dataset)
    page.button(key="delete_dataset_ask").click().run()
    assert "With it goes 1 run and the results" in words(page)
    page.button(key="delete_dataset_keep").click().run()
    assert opened.workspace.dataset(opened.dataset)
    page.button(key="delete_dataset_ask").click().run()
    page.button(key="delete_dataset").click().run()
    assert not page.exception
    assert opened.dataset not in {info.id for info in opened.workspace.datasets()}
    assert queue.database.runs() == []
    (entry,) = queue.trash.entries()
    page.button(key=f"take_back_{entry.id}").click().run()
    assert opened.workspace.dataset(opened.dataset).name == "cells"
    assert [run.id for run in queue.database.runs()] == ["map"]


def test_weights_are_deleted_where_they_are_listed_but_for_those_of_scviz(
    visit: Open,  # noqa: F811
    opened: Opened,
) -> None:
    kept_map(opened)
    page = visit("pages/models.py", dataset=opened.dataset)
    offered = [one.key for one in page.button if str(one.key).startswith("delete_")]
    assert offered == [f"delete_{opened.checkpoint}_ask"]
    page.button(key=offered[0]).click().run()
    page.button(key=f"delete_{opened.checkpoint}").click().run()
    assert not page.exception
    assert opened.checkpoint not in {info.id for info in opened.workspace.checkpoints()}
    page.button(key="empty_trash").click().run()
    assert list((opened.workspace.home / "trash").iterdir()) == []


def test_what_takes_space_is_measured_when_asked(visit: Open, opened: Opened) -> None:  # noqa: F811
    folder = opened.workspace.home / "uploads" / "abc"
    folder.mkdir(parents=True)
    (folder / "cells*.h5ad").write_bytes(b"x" * 3_000_000)
    page = visit("pages/data.py", dataset=opened.dataset)
    assert "Uploads 3.0 MB" not in words(page)
    page.toggle(key="space_measured").set_value(True).run()
    assert "Uploads 3.0 MB" in words(page)
    page.button(key="delete_upload_abc_ask").click().run()
    page.button(key="delete_upload_abc").click().run()
    assert not folder.exists()
    assert opened.workspace.dataset(opened.dataset)
