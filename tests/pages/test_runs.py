"""Runs on their page and in the panel beside a form: listed, failed, left for another choice."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from scviz.jobs.queue import RunQueue
from scviz.settings import Settings
from scviz.tasks import annotation, embedding, front
from scviz.workspace.database import Run
from scviz.workspace.records import to_json
from tests.conftest import Opened, keep_stranger
from tests.pages.test_pages import Open, carry_out, visit, words  # noqa: F401 - visit is a fixture


@pytest.mark.slow
def test_runs_are_listed_and_one_is_shown(visit: Open, opened: Opened) -> None:  # noqa: F811
    request = annotation.Request(
        dataset=opened.dataset, checkpoint=opened.checkpoint, label_key="cell_type", epochs=1
    )
    run = carry_out(opened, "annotation", request)
    page = visit("pages/runs.py", run=run)
    assert not page.exception
    assert list(page.dataframe[0].value["State"]) == ["Done"]
    assert "Cell types · cells · Tiny" in words(page)
    page.button(key="delete_run_ask").click().run()
    assert "Deleting annotation frees" in words(page)
    page.button(key="delete_run").click().run()
    queue = RunQueue(Settings.from_env())
    assert queue.database.runs() == []
    page.button(key=f"take_back_{queue.trash.entries()[0].id}").click().run()
    assert [row.id for row in queue.database.runs()] == [run]


def test_a_failed_run_is_a_sentence_with_a_way_on(visit: Open, opened: Opened) -> None:  # noqa: F811
    request = embedding.Request(dataset=opened.dataset, checkpoint=opened.checkpoint)
    failed = Run(
        id="failed",
        task="embedding",
        request=to_json(request),
        state="failed",
        message="One cell alone does not fit into memory.",
        hint="Choose a smaller model.",
    )
    opened.workspace.run_folder("failed").mkdir(parents=True)
    RunQueue(Settings.from_env()).database.add(failed)
    page = visit("pages/explore.py", dataset=opened.dataset, checkpoint=opened.checkpoint, run="failed")
    assert not page.exception
    assert (
        page.error[0].value == "**Failed.** One cell alone does not fit into memory. Choose a smaller model."
    )
    assert page.button(key="job_resume")
    assert front("embedding").TITLE in words(visit("pages/runs.py", run="failed"))


def panel(run: str) -> None:
    """A page that watches a run and nothing else."""
    from pages.components.job_panel import job_panel

    job_panel(run)


@pytest.mark.parametrize(("ended", "offered"), [("failed", False), ("lost", True)])
def test_a_file_that_could_not_be_opened_is_not_offered_again(
    visit: Open,  # noqa: F811
    opened: Opened,
    ended: str,
    *,
    offered: bool,
) -> None:
    row = Run(id=ended, task="opening", request={"path": "cut.h5ad"}, state=ended, message="It is cut off.")
    opened.workspace.run_folder(ended).mkdir(parents=True)
    RunQueue(Settings.from_env()).database.add(row)
    page = AppTest.from_function(panel, kwargs={"run": ended}, default_timeout=60).run()
    assert not page.exception
    assert "It is cut off." in words(page)
    assert any(button.key == "job_resume" for button in page.button) is offered


def test_a_choice_in_the_header_holds_and_leaves_the_old_run(visit: Open, opened: Opened) -> None:  # noqa: F811
    page = visit("pages/annotate.py", dataset=opened.dataset, checkpoint=opened.checkpoint, run="old")
    other = next(option for option in page.selectbox(key="pick_checkpoint").options if option != "Tiny")
    page.selectbox(key="pick_checkpoint").select(other).run()
    assert page.query_params["checkpoint"] == "geneformer/geneformer-blood"
    assert "run" not in page.query_params


def test_a_run_on_few_genes_must_be_wanted(visit: Open, opened: Opened) -> None:  # noqa: F811
    page = visit("pages/annotate.py", dataset=opened.dataset, checkpoint=keep_stranger(opened))
    assert page.button(key="run").disabled
    assert "reads only 0 of 200 genes" in words(page)
    assert page.checkbox(key="few_genes").disabled
    page = visit("pages/annotate.py", dataset=opened.dataset, checkpoint=opened.checkpoint)
    assert not page.button(key="run").disabled
    assert "few_genes" not in {box.key for box in page.checkbox}


@pytest.mark.slow
def test_doubtful_cells_can_stay_unnamed_and_the_gain_is_told_beside_the_baseline(
    visit: Open,  # noqa: F811
    opened: Opened,
) -> None:
    request = annotation.Request(
        dataset=opened.dataset, checkpoint=opened.checkpoint, label_key="cell_type", epochs=2
    )
    run = carry_out(opened, "annotation", request)
    page = visit("pages/annotate.py", dataset=opened.dataset, checkpoint=opened.checkpoint, run=run)
    assert "With 0.00: 0 % of the held-out cells unnamed" in words(page)
    assert "The authors of scBERT" in page.slider(key="threshold").proto.help
    page.slider(key="threshold").set_value(1.0).run()
    assert not page.exception
    assert "With 1.00: all held-out cells unnamed" in words(page)
