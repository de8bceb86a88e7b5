"""The page that predicts a screen, opened as a user meets it."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from scviz.cli import parser
from scviz.cli.perturb import request_of
from scviz.jobs.queue import RunQueue
from scviz.settings import Settings
from scviz.tasks import opening
from scviz.tasks.opening.run import run as open_dataset
from scviz.tasks.perturbation import Request
from scviz.tasks.perturbation.methods import Method
from scviz.workspace import Workspace
from scviz.workspace.records import to_json
from tests.conftest import Opened
from tests.pages.test_pages import Open, carry_out, visit, words

__all__ = ["visit"]


@pytest.fixture
def screen(workspace: Workspace) -> Opened:
    """A workspace with the tiny simulated screen."""
    nothing = Opened(workspace, "", "")
    request = opening.Request(path="", name="", simulated="tiny")
    return Opened(workspace, open_dataset(request, nothing.context()).dataset, "")


def opened_page(visit: Open, screen: Opened, **more: str) -> AppTest:
    page = visit("pages/perturb.py", dataset=screen.dataset, **more)
    assert not page.exception
    return page


def asked_for() -> dict[str, object]:
    (run,) = [run for run in RunQueue(Settings.from_env()).database.runs() if run.task == "perturbation"]
    return run.request


def test_the_column_and_the_control_are_found(visit: Open, screen: Opened) -> None:
    page = opened_page(visit, screen)
    assert page.selectbox(key="perturbation_column").value == "condition"
    assert page.selectbox(key="perturbation_control").value == ""
    assert "22 single genes, 8 pairs, 120 control cells" in {
        one.proto.popover.label for one in page.get("popover")
    }
    assert page.multiselect(key="methods").value == []


def test_page_and_command_begin_with_the_same_question(visit: Open, screen: Opened) -> None:
    page = opened_page(visit, screen)
    page.button(key="run").click().run()
    assert not page.exception
    options = parser().parse_args(["perturb", screen.dataset])
    assert asked_for() == to_json(request_of(options, screen.dataset, screen.workspace))


def test_run_hands_in_what_was_chosen(visit: Open, screen: Opened) -> None:
    page = opened_page(visit, screen)
    page.multiselect(key="methods").set_value(["gears", "linear_terms"]).run()
    page.number_input(key="perturbation_epochs").set_value(2).run()
    page.text_input(key="predict_also").set_value("P1R1+P4R2, T cell").run()
    assert "T cell" in words(page)
    page.button(key="run").click().run()
    assert not page.exception
    request = asked_for()
    assert [method["name"] for method in request["methods"]] == ["gears", "linear_terms"]  # type: ignore[attr-defined]
    assert (request["column"], request["epochs"], request["split"]) == ("condition", 2, "simulation")
    assert request["predict_also"] == [["P1R1", "P4R2"]]
    assert request["terms"]


def test_what_cannot_be_predicted_is_told_before_the_run(visit: Open, screen: Opened) -> None:
    page = opened_page(visit, screen)
    page.multiselect(key="methods").set_value(["gears"]).run()
    page.text_input(key="predict_also").set_value("NOBODY1").run()
    reach = next(table.value for table in page.dataframe if "GEARS" in table.value)
    last = reach.iloc[-1]
    assert last["perturbation"] == "NOBODY1"
    assert last["GEARS"] == "NOBODY1 without terms"
    assert last["Linear"] == "NOBODY1 not measured"
    assert "Not offered: 6 methods." in words(page)


def test_cells_without_perturbations_are_told_what_is_missing(visit: Open, opened: Opened) -> None:
    page = opened_page(visit, opened)
    assert "No column of this dataset looks like a screen" in words(page)
    assert page.button(key="run").disabled
    page.button(key="use_simulated").click().run()
    assert not page.exception
    (run,) = [run for run in RunQueue(Settings.from_env()).database.runs() if run.task == "opening"]
    assert run.request["simulated"] == "clean"


@pytest.mark.slow
def test_a_finished_prediction_shows_methods_beside_baselines(visit: Open, screen: Opened) -> None:
    (terms,) = screen.workspace.terms()
    request = Request(
        dataset=screen.dataset,
        column="condition",
        methods=(Method(name="gears"),),
        terms=terms.id,
        epochs=1,
        predict_also=(("P1R1", "P4R2"),),
    )
    page = opened_page(visit, screen, run=carry_out(screen, "perturbation", request))
    assert not page.error
    text = words(page)
    assert "GEARS" in text
    assert "Few control cells" in text
    assert "Few control cells are shared" in text
    scores = next(table.value for table in page.dataframe if "Predicted" in table.value)
    assert {"No change", "Mean of perturbations", "Additive", "Linear", "GEARS"} < set(scores["Method"])
    assert "Half of the cells (replicate)" in set(scores["Method"])
    assert len(page.get("plotly_chart")) == 3
    page.selectbox(key="metric").set_value("centroid_accuracy").run()
    assert "What cannot know the perturbation scores" in words(page)
    for key, value in (
        ("metric", "mse_de"),
        ("subgroup", "unseen_single"),
        ("gene_set", "de"),
        ("values", "level"),
        ("perturbation", "P1R1+P4R2"),
    ):
        page.selectbox(key=key).set_value(value).run()
        assert not page.exception
    page.checkbox(key="without_targets").set_value(True).run()
    assert not page.exception
    assert "there is nothing to judge the prediction by" in words(page)
