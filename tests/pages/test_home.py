"""Home, in every state: nothing open, the demo, own cells without results, runs under way, failed runs."""

from __future__ import annotations

import time

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from scviz.datasets.demo import open_demo
from scviz.jobs.queue import RunQueue
from scviz.settings import Settings
from scviz.tasks import annotation, embedding
from scviz.workspace import Workspace
from scviz.workspace.database import Run
from scviz.workspace.records import to_json, write_record
from tests.conftest import Opened
from tests.pages.test_pages import Open, visit, words

__all__ = ["visit"]


def home(visit: Open, opened: Opened) -> AppTest:
    page = visit("app.py", dataset=opened.dataset, checkpoint=opened.checkpoint)
    assert not page.exception
    assert not page.error
    return page


def links(page: AppTest) -> list[str]:
    """Labels of the links of the page itself."""
    return [link.proto.label for link in page.main.get("page_link")]


def keep(opened: Opened, run: Run) -> None:
    """Put a run into the table."""
    RunQueue(Settings.from_env()).database.add(run)


def of_map(opened: Opened, **more: object) -> Run:
    asked = to_json(embedding.Request(dataset=opened.dataset, checkpoint=opened.checkpoint))
    return Run(id="map", task="embedding", title="Map of cells", request=asked, created=1.0, **more)  # type: ignore[arg-type]


def draw(opened: Opened) -> None:
    """A finished map of the 60 cells."""
    rng = np.random.default_rng(0)
    places = rng.normal(size=(60, 2)).astype(np.float32)
    neighbors = np.tile(np.arange(5, dtype=np.int32), (60, 1))
    result = embedding.Result(
        embedding=places,
        umap=places,
        neighbors=neighbors,
        pca=places,
        baseline_umap=places,
        baseline_neighbors=neighbors,
        n_unseen=0,
        n_genes_seen=9,
        seconds=1.0,
    )
    write_record(result, opened.context("map").result)
    keep(opened, of_map(opened, state="done", started=1.0, ended=2.0))


def test_with_nothing_open_home_offers_the_demo_and_takes_a_file(visit: Open) -> None:
    page = visit("app.py")
    assert not page.exception
    assert [button.key for button in page.main.button] == ["open_demo"]
    assert page.file_uploader(key="upload")
    assert "Nothing is open yet" in words(page)
    page.button(key="open_demo").click().run()
    assert not page.exception
    assert [run.task for run in RunQueue(Settings.from_env()).database.runs()] == ["opening"]


def test_own_cells_without_a_result_say_how_to_get_a_map(visit: Open, opened: Opened) -> None:
    page = home(visit, opened)
    assert "have no map yet" in words(page)
    assert "Last results" not in words(page)
    assert "**60 cells**, **200 genes**" in words(page)
    assert "cell\\_type: B cell, NK cell, T cell" in words(page)
    assert "donor: donor 0, donor 1, donor 2, donor 3" in words(page)


def test_three_questions_fit_the_cells(visit: Open, opened: Opened) -> None:
    asked = [label for label in links(home(visit, opened)) if label.endswith("?**")]
    assert asked[0] == "**Which type is each cell?**"
    assert len(asked) == 3


def test_a_finished_map_is_drawn_without_a_click(visit: Open, opened: Opened) -> None:
    draw(opened)
    page = home(visit, opened)
    assert "have no map yet" not in words(page)
    assert "Color, circle and name cells" in links(page)
    assert "Last results" in words(page)
    assert len(page.main.get("image")) == 1
    (link,) = [one for one in page.main.get("page_link") if one.proto.label.startswith("**Map of cells")]
    assert "run=map" in link.proto.query_string


def test_a_run_under_way_is_watched(visit: Open, opened: Opened) -> None:
    keep(opened, of_map(opened, state="running", stage="Reading cells", fraction=0.5, heartbeat=time.time()))
    page = home(visit, opened)
    assert "Under way" in words(page)
    assert "Reading cells" in [one.proto.text for one in page.get("progress")]


def test_a_run_that_failed_says_why_and_leads_to_its_page(visit: Open, opened: Opened) -> None:
    keep(
        opened, of_map(opened, state="failed", message="One cell alone does not fit into memory.", ended=3.0)
    )
    page = home(visit, opened)
    assert "One cell alone does not fit into memory" in words(page)
    assert "**Map of cells**" in links(page)


def test_a_result_of_another_version_does_no_harm(visit: Open, opened: Opened) -> None:
    asked = annotation.Request(dataset=opened.dataset, checkpoint=opened.checkpoint, label_key="cell_type")
    folder = opened.context("old").result
    (folder / "record.json").write_text('{"scores": {"model": {}}, "gain": {}}', "utf-8")
    keep(opened, Run(id="old", task="annotation", title="Cell types", request=to_json(asked), state="done"))
    assert "Written by another version of scviz" in words(home(visit, opened))


def test_a_file_of_ones_own_goes_on_to_its_card(visit: Open, opened: Opened) -> None:
    page = home(visit, opened)
    page.file_uploader(key="upload").set_value(("mine.h5ad", b"no cells", "")).run()
    assert not page.exception
    (kept,) = (opened.workspace.home / "uploads").glob("*/mine.h5ad")
    page.switch_page("pages/data.py").run()
    assert not page.exception
    assert "**mine.h5ad** is among the uploads" in words(page)
    (run,) = [run for run in RunQueue(Settings.from_env()).database.runs() if run.task == "checking"]
    assert run.request["path"] == str(kept)
    page.button(key="another_file").click().run()
    assert "is among the uploads" not in words(page)


def test_a_map_that_came_with_scviz_says_so_on_explore(visit: Open, opened: Opened) -> None:
    draw(opened)
    said = "Came with scviz: made with scviz 0.1 on 01 Jan 1970."
    RunQueue(Settings.from_env()).database.update("map", engine="shipped", note=said)
    page = visit("pages/explore.py", dataset=opened.dataset, checkpoint=opened.checkpoint, run="map")
    assert not page.exception
    assert said in [one.value.replace("\\", "") for one in page.caption]


@pytest.mark.slow
def test_the_demo_comes_with_its_results(visit: Open, workspace: Workspace) -> None:
    demo = open_demo(workspace)
    page = visit("app.py")
    assert not page.exception
    assert not page.error
    assert "Came with scviz: made with scviz" in words(page).replace("\\", "")
    assert "have no map yet" not in words(page)
    runs = RunQueue(Settings.from_env()).database.runs()
    assert {run.task for run in runs} >= {"embedding", "annotation", "in_silico"}
    assert {run.request["dataset"] for run in runs} == {demo.id}
    for run in runs:
        name = {"embedding": "explore", "annotation": "annotate", "in_silico": "in_silico"}.get(run.task)
        if name is not None:
            shown = visit(f"pages/{name}.py", run=run.id)
            assert not shown.exception
            assert not shown.error


@pytest.mark.slow
def test_the_first_question_of_a_page_is_answered_from_what_came_with_scviz(
    visit: Open, workspace: Workspace
) -> None:
    open_demo(workspace)
    page = visit("pages/annotate.py")
    assert "Came with scviz: made with scviz" in words(page).replace("\\", "")
    page.button(key="run").click().run()
    assert "Answered from the finished run" in words(page)
    runs = RunQueue(Settings.from_env()).database.runs()
    assert len([run for run in runs if run.task == "annotation"]) == 1
