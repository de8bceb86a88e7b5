"""The Pre-train page: what may be chosen, what is handed in, what a finished run shows."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from streamlit.testing.v1 import AppTest

from scviz.jobs.queue import RunQueue
from scviz.models import MODELS, cards, configurations
from scviz.settings import Settings
from scviz.tasks.pretraining import Request
from scviz.workspace.database import Run
from tests.conftest import Opened
from tests.pages.test_pages import Open, carry_out, visit, words  # noqa: F401 - visit is a fixture

PAGE = "pages/pretrain.py"


def handed_in() -> Run:
    (run,) = [run for run in RunQueue(Settings.from_env()).database.runs() if run.task == "pretraining"]
    return run


def metric(page: AppTest, label: str) -> str:
    (found,) = [metric.value for metric in page.metric if metric.label == label]
    return str(found)


@pytest.mark.parametrize("model", MODELS)
def test_every_model_is_offered_in_all_its_sizes(visit: Open, opened: Opened, model: str) -> None:  # noqa: F811
    page = visit(PAGE, dataset=opened.dataset, model=model)
    assert page.selectbox(key="pretraining_model").value == model
    sizes = [f"{name} · {size}" for name, size in configurations(model).items()]
    assert page.selectbox(key=f"pretraining_configuration_{model}").options == sizes


def test_a_new_model_is_handed_in(visit: Open, opened: Opened) -> None:  # noqa: F811
    page = visit(PAGE, dataset=opened.dataset, model="scgpt")
    page.selectbox(key="pretraining_configuration_scgpt").set_value("tiny").run()
    page.number_input(key="pretraining_epochs").set_value(2).run()
    page.button(key="run").click().run()
    assert not page.exception
    run = handed_in()
    wanted = Request(
        dataset=opened.dataset, model="scgpt", configuration="tiny", name="scGPT on cells", epochs=2
    )
    assert run.request == asdict(wanted)
    assert page.query_params["run"] == run.id
    assert "in the queue" in page.get("progress")[0].proto.text


def test_going_on_is_offered_with_weights_that_know_the_genes_and_with_small_steps(
    visit: Open,  # noqa: F811
    opened: Opened,
) -> None:
    page = visit(PAGE, dataset=opened.dataset)
    page.segmented_control(key="pretraining_start").set_value("checkpoint").run()
    assert page.selectbox(key="pretraining_first").options[0] == "Tiny"
    page.text_input(key="pretraining_name").set_value("Tiny on my cells").run()
    page.button(key="run").click().run()
    assert not page.exception
    request = handed_in().request
    assert (request["checkpoint"], request["name"]) == (opened.checkpoint, "Tiny on my cells")
    assert request["learning_rate"] == pytest.approx(1e-4)


def test_another_name_is_no_reason_for_another_price(visit: Open, opened: Opened) -> None:  # noqa: F811
    page = visit(PAGE, dataset=opened.dataset)
    page.text_input(key="pretraining_name").set_value("Other").run()
    assert [run.task for run in RunQueue(Settings.from_env()).database.runs()] == ["pricing"]
    page.number_input(key="pretraining_epochs").set_value(3).run()
    assert [run.task for run in RunQueue(Settings.from_env()).database.runs()] == ["pricing"] * 2


@pytest.mark.slow
def test_a_finished_run_is_judged_beside_the_guess_and_its_weights_are_used(
    visit: Open,  # noqa: F811
    opened: Opened,
) -> None:
    request = Request(
        dataset=opened.dataset, configuration="tiny", epochs=60, batch_size=12, learning_rate=3e-3
    )
    run = carry_out(opened, "pretraining", request)
    result = RunQueue(Settings.from_env()).result(run)
    page = visit(PAGE, dataset=opened.dataset, checkpoint=opened.checkpoint, run=run)
    assert not page.exception
    assert not page.error
    assert page.info[0].value.startswith("Cannot tell whether my-model is better")  # by three cells
    assert "than the frequency baseline" in page.info[0].value
    assert metric(page, "Best epoch") == f"{result.best_epoch + 1} of 60"
    assert (metric(page, "Cells trained on"), metric(page, "Cells held out")) == ("54", "6")
    assert cards()["geneformer"].objective.split(" of ")[1] in words(page)
    (losses,) = [table.value for table in page.dataframe if "Frequency baseline" in table.value]
    assert losses["Training cells"].tolist() == pytest.approx(result.losses)
    assert set(losses["Frequency baseline"]) == {result.baseline_loss}
    assert opened.workspace.checkpoint(result.checkpoint).command in [code.value for code in page.code]
    page.button(key="use_weights").click().run()
    assert page.query_params["checkpoint"] == result.checkpoint
    assert page.button(key="use_weights").disabled
    assert page.selectbox(key="pick_checkpoint").value == result.checkpoint


@pytest.mark.slow
def test_weights_that_went_on_are_also_judged_beside_themselves(visit: Open, opened: Opened) -> None:  # noqa: F811
    request = Request(dataset=opened.dataset, checkpoint=opened.checkpoint, epochs=1, learning_rate=1e-7)
    run = carry_out(opened, "pretraining", request)
    result = RunQueue(Settings.from_env()).result(run)
    page = visit(PAGE, dataset=opened.dataset, checkpoint=opened.checkpoint, run=run)
    assert not page.exception
    assert result.gain.outcome != "better"
    assert result.further is not None
    assert result.further.difference.mean == pytest.approx(0, abs=1e-4)
    assert "the weights it went on from" in words(page)
    listed = visit("pages/runs.py", run=run)
    assert not listed.exception
    assert "Pre-training · cells · Tiny" in words(listed)


def test_the_models_page_leads_here_with_its_model(visit: Open, opened: Opened) -> None:  # noqa: F811
    page = visit("pages/models.py", dataset=opened.dataset)
    links = [link.proto for link in page.get("page_link") if link.proto.label.startswith("Train ")]
    assert [link.label for link in links] == [
        f"Train {cards()[m].title} on my own cells" for m in linked(links)
    ]
    assert sorted(linked(links)) == sorted(MODELS)


def test_a_link_to_a_model_that_there_is_not_says_so(visit: Open, opened: Opened) -> None:  # noqa: F811
    page = visit("pages/pretrain.py", dataset=opened.dataset, model="gone")
    assert not page.exception
    assert page.selectbox(key="pretraining_model").value == "geneformer"
    assert "no model called gone" in page.toast[0].value


def linked(links: list[object]) -> list[str]:
    """Read the model out of the address of each link."""
    return [str(link.query_string).split("model=")[1].split("&")[0] for link in links]  # type: ignore[attr-defined]
