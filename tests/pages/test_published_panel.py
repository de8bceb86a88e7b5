"""Published weights beside a form: what is said of them, the press, and the question that goes on."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from pages.components.published_panel import asked_with
from scviz.datasets.demo import open_demo
from scviz.jobs.queue import RunQueue
from scviz.progress import silent
from scviz.settings import Settings
from scviz.tasks import compare, modules, perturbation
from scviz.tasks.intake import Taken
from scviz.tasks.perturbation.methods import Method
from scviz.workspace import Workspace
from scviz.workspace.database import Run
from scviz.workspace.records import write_record
from tests.conftest import Opened, keep_model
from tests.pages.test_pages import Open, visit, words  # noqa: F401 - visit is a fixture

KEY = "offer_geneformer_Geneformer-V1-10M"


@pytest.fixture
def demo(workspace: Workspace) -> Opened:
    """The demo, with the small Geneformer that comes along."""
    dataset = open_demo(workspace, silent)
    (weights,) = [info for info in workspace.checkpoints() if info.model == "geneformer"]
    return Opened(workspace, dataset.id, weights.id)


def runs() -> list[Run]:
    return RunQueue(Settings.from_env()).database.runs()


def downloaded(opened: Opened, *, passed: bool | None) -> str:
    """End the download that was handed in, as if other weights had come; return their id."""
    from scviz.models.geneformer.model import Geneformer

    (run,) = [run for run in runs() if run.task == "downloading"]
    model = Geneformer.from_checkpoint(opened.workspace.checkpoint_folder(opened.checkpoint))
    came = keep_model(opened, model, "Geneformer-V1-10M")
    taken = Taken(
        checkpoint=came.checkpoint,
        n_parameters=1,
        n_genes=1,
        loaded=(),
        missing=(),
        unexpected=(),
        self_test="What the self-test says.",
        passed=passed,
    )
    folder = opened.workspace.run_folder(run.id)
    write_record(taken, folder / "result")
    (folder / "request.json").write_text(json.dumps({"task": run.task, "request": run.request}))
    RunQueue(Settings.from_env()).database.update(run.id, state="done", ended=9.0)
    return came.checkpoint


def pressed(page: AppTest) -> AppTest:
    """Say yes to the license and press."""
    page.checkbox(key=f"{KEY}_agreed").check().run()
    return page.button(key=f"{KEY}_get").click().run()


@pytest.mark.parametrize(
    "name", ["annotate", "attention", "compare", "explore", "in_silico", "modules", "perturb"]
)
def test_small_weights_have_published_ones_beside_them(visit: Open, demo: Opened, name: str) -> None:  # noqa: F811
    page = visit(f"pages/{name}.py", dataset=demo.dataset, checkpoint=demo.checkpoint)
    assert not page.exception
    assert any(box.label.startswith("Published weights read up to 9") for box in page.expander)
    said = words(page).replace("\\", "")
    assert "of 765 genes (97 %). About " in said
    assert "License: Apache-2.0." in said
    assert page.button(key=f"{KEY}_get").disabled, "the license comes first"
    assert not any(run.task == "downloading" for run in runs())


def test_weights_that_read_enough_and_did_not_come_along_have_none(
    visit: Open,  # noqa: F811
    demo: Opened,
) -> None:
    from scviz.models.geneformer.model import Geneformer

    own = keep_model(demo, Geneformer.from_checkpoint(demo.workspace.checkpoint_folder(demo.checkpoint)))
    page = visit("pages/annotate.py", dataset=demo.dataset, checkpoint=own.checkpoint)
    assert not any(box.label.startswith("Published weights") for box in page.expander)


def test_a_press_downloads_and_the_question_goes_on_with_these_weights(visit: Open, demo: Opened) -> None:  # noqa: F811
    page = visit("pages/annotate.py", dataset=demo.dataset, checkpoint=demo.checkpoint)
    pressed(page)
    (download,) = [run for run in runs() if run.task == "downloading"]
    assert download.request["accepted_licence"] is True
    came = downloaded(demo, passed=True)
    page.run()
    assert not page.exception
    (asked,) = [run for run in runs() if run.task == "annotation" and run.state == "queued"]
    assert asked.request["checkpoint"] == came
    assert page.selectbox(key="pick_checkpoint").value == came


def test_weights_that_fail_the_self_test_are_not_used(visit: Open, demo: Opened) -> None:  # noqa: F811
    page = visit("pages/annotate.py", dataset=demo.dataset, checkpoint=demo.checkpoint)
    pressed(page)
    downloaded(demo, passed=False)
    page.run()
    assert not page.exception
    assert "were not used. What the self-test says." in words(page)
    assert {run.request.get("checkpoint", demo.checkpoint) for run in runs()} == {demo.checkpoint}
    assert page.selectbox(key="pick_checkpoint").value == demo.checkpoint


def test_a_failed_download_is_told_in_words_with_the_way_to_these_weights(visit: Open, demo: Opened) -> None:  # noqa: F811
    page = visit("pages/annotate.py", dataset=demo.dataset, checkpoint=demo.checkpoint)
    pressed(page)
    (run,) = [run for run in runs() if run.task == "downloading"]
    RunQueue(Settings.from_env()).database.update(run.id, state="failed", message="No connection.", ended=9.0)
    page.run()
    assert not page.exception
    assert "No connection." in words(page)
    (link,) = [one for one in page.get("page_link") if one.proto.label == "Add weights from this server"]
    assert "weights=Geneformer-V1-10M" in link.proto.query_string


def test_a_link_to_weights_lands_at_them(visit: Open) -> None:  # noqa: F811
    page = visit("pages/models.py", weights="scgpt-whole-human")
    assert not page.exception
    assert page.subheader[0].value == "How to get scGPT-whole-human"
    opened = [box.label for box in page.expander if box.proto.expanded]
    assert opened == ["Add weights from this server"]
    assert words(page).index("scGPT-whole-human") < words(page).index("scGPT-CP")
    assert next(one.key for one in page.text_input if one.key.startswith("folder_")) == "folder_scgpt"
    gone = visit("pages/models.py", weights="nothing of this name")
    assert not gone.exception
    assert not any(box.proto.expanded for box in gone.expander)


def test_a_question_keeps_everything_but_its_weights() -> None:
    compared = compare.Request(dataset="d", checkpoints=("a/1", "b/2", "c/3", "d/4"), label_key="type")
    more = asked_with(compared, "scgpt/new", "scgpt")
    assert more.checkpoints == ("scgpt/new", "a/1", "b/2", "c/3")
    assert more.label_key == "type"
    read, other = Method(name="scgpt", checkpoint="scgpt/old"), Method(name="gears")
    screen = perturbation.Request(dataset="d", column="gene", methods=(read, other))
    assert asked_with(screen, "scgpt/new", "scgpt").methods == (replace(read, checkpoint="scgpt/new"), other)
    assert asked_with(screen, "geneformer/new", "geneformer") is None
    assert asked_with(modules.Request(dataset="d"), "scgpt/new", "scgpt") is None, "expression reads no model"
