"""The page that finds gene modules, opened as a user meets it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from scviz.datasets.demo import open_demo
from scviz.datasets.readers import read_counts
from scviz.jobs.queue import RunQueue
from scviz.models import model_class
from scviz.settings import Settings
from scviz.tasks import embedding, opening
from scviz.tasks.filters import Filter
from scviz.tasks.modules import Request
from scviz.tasks.opening.run import run as open_dataset
from scviz.workspace import Workspace
from scviz.workspace.store import write_checkpoint_info
from tests.conftest import Opened, keep_model
from tests.pages.test_pages import Open, carry_out, visit, words

__all__ = ["visit"]


def opened_page(visit: Open, opened: Opened, **more: str) -> AppTest:
    page = visit("pages/modules.py", dataset=opened.dataset, checkpoint=opened.checkpoint, **more)
    assert not page.exception
    return page


def of_model(opened: Opened, **more: object) -> Request:
    asked: dict[str, object] = {
        "source": "static",
        "checkpoint": opened.checkpoint,
        "n_neighbors": 8,
        "n_random": 50,
        "label_key": "cell_type",
    }
    return Request(dataset=opened.dataset, **(asked | more))  # type: ignore[arg-type]


def plain(opened: Opened, **more: object) -> Request:
    return of_model(opened, source="expression", checkpoint="", **more)


def test_run_hands_in_what_was_chosen(visit: Open, opened: Opened) -> None:
    page = opened_page(visit, opened)
    assert "Press Run" in words(page)
    page.selectbox(key="modules_source").set_value("context").run()
    page.number_input(key="modules_resolution").set_value(5.0).run()
    page.number_input(key="modules_fewest_genes").set_value(7).run()
    page.selectbox(key="modules_method").set_value("leiden").run()
    page.button(key="run").click().run()
    assert not page.exception
    (run,) = [run for run in RunQueue(Settings.from_env()).database.runs() if run.task == "modules"]
    assert (run.request["source"], run.request["checkpoint"]) == ("context", opened.checkpoint)
    assert (run.request["resolution"], run.request["fewest_genes"]) == (5.0, 7)
    assert (run.request["method"], run.request["label_key"]) == ("leiden", "cell_type")


def test_co_expression_needs_no_model(visit: Open, opened: Opened) -> None:
    page = opened_page(visit, opened)
    page.selectbox(key="modules_source").set_value("expression").run()
    page.button(key="run").click().run()
    (run,) = [run for run in RunQueue(Settings.from_env()).database.runs() if run.task == "modules"]
    assert run.request["checkpoint"] == ""


def test_the_form_shows_the_cells_of_the_result(visit: Open, opened: Opened) -> None:
    cells = (
        Filter(column="donor", values=("donor 1", "donor 2", "donor 3")),
        Filter(column="cell_type", values=("B cell", "T cell")),
    )
    asked = plain(opened, cells=cells)
    page = opened_page(visit, opened, run=carry_out(opened, "modules", asked))
    assert page.checkbox(key="some_cells").value
    assert "Changed: press Run" not in words(page)  # was said, and Run asked for all cells
    page.button(key="run").click().run()
    assert "Answered from the finished run" in words(page)  # the form asks what was asked, field by field


def test_modules_of_a_model_are_shown_beside_co_expression_and_chance(visit: Open, opened: Opened) -> None:
    page = opened_page(visit, opened, run=carry_out(opened, "modules", of_model(opened)))
    assert not page.error
    methods = next(table.value for table in page.dataframe if "Gain of a gene" in table.value)
    assert list(methods["Method"]) == [
        "What the model knows of each gene",
        "Plain co-expression",
        "The model with random weights",
    ]
    modules = next(table.value for table in page.dataframe if "Most central genes" in table.value)
    assert {"of random genes", "FDR", "Place", "among random draws"} <= set(modules)
    assert "plain co-expression" in words(page)
    assert len(page.get("plotly_chart")) == 2
    assert "These cells have no map yet" in words(page)
    page.selectbox(key="one_module").set_value("Module 2").run()
    assert not page.exception


@pytest.mark.slow
def test_scores_and_genes_are_shown_on_the_map_that_is_there(visit: Open, opened: Opened) -> None:
    carry_out(opened, "embedding", embedding.Request(dataset=opened.dataset, checkpoint=opened.checkpoint))
    page = opened_page(visit, opened, run=carry_out(opened, "modules", plain(opened)))
    assert "These cells have no map yet" not in words(page)
    page.selectbox(key="map_module").set_value("Module 2").run()
    assert not page.exception
    gene = page.selectbox(key="network_gene").options[1]
    page.selectbox(key="network_gene").set_value(gene).run()
    assert not page.exception
    assert any("Neighbor" in table.value for table in page.dataframe)


@pytest.mark.slow
def test_weights_that_were_trained_on_the_same_cells_are_named(visit: Open, workspace: Workspace) -> None:
    dataset = open_demo(workspace).id
    cells = read_counts(workspace.dataset_folder(dataset))
    demo = keep_model(Opened(workspace, dataset, ""), model_class("scgpt").untrained(cells, "tiny"))
    info = replace(workspace.checkpoint(demo.checkpoint), trained_on=("demo",))
    write_checkpoint_info(info, workspace.checkpoint_folder(demo.checkpoint))
    page = opened_page(visit, demo, run=carry_out(demo, "modules", of_model(demo, label_key="bulk_labels")))
    assert "seen in training" in words(page)


def test_no_module_is_told(visit: Open, opened: Opened) -> None:
    page = opened_page(visit, opened, run=carry_out(opened, "modules", plain(opened, fewest_genes=190)))
    assert "No module of 190 genes or more" in words(page)
    assert "Lower the resolution" in words(page)


def test_a_simulated_screen_is_judged_by_its_network(visit: Open, workspace: Workspace) -> None:
    simulated = opening.Request(path="", name="", simulated="tiny")
    dataset = open_dataset(simulated, Opened(workspace, "", "").context()).dataset
    screen = Opened(workspace, dataset, "")
    request = Request(dataset=dataset, source="expression", n_random=50)
    page = visit("pages/modules.py", dataset=dataset, run=carry_out(screen, "modules", request))
    assert not page.exception
    assert "simulated" in words(page).lower()
    assert any("Common regulator" in table.value for table in page.dataframe)
    assert "Choose a column to compare scores between" in words(page)


def test_a_module_is_the_list_of_genes_of_a_sweep(visit: Open, opened: Opened) -> None:
    run = carry_out(opened, "modules", plain(opened))
    module = RunQueue(Settings.from_env()).result(run).modules[1]
    page = visit(
        "pages/in_silico.py",
        dataset=opened.dataset,
        checkpoint=opened.checkpoint,
        from_run=run,
        set=module.name,
    )
    assert not page.exception
    assert page.selectbox(key="scope").value == "each"
    page.button(key="run").click().run()
    assert not page.exception
    (sweep,) = [one for one in RunQueue(Settings.from_env()).database.runs() if one.task == "in_silico"]
    assert set(sweep.request["genes"]) == set(module.genes)
    assert not sweep.request["together"]


@pytest.mark.parametrize("gone", ["run", "set"])
def test_a_link_to_a_module_that_is_gone_chooses_no_other_and_says_so(
    visit: Open, opened: Opened, gone: str
) -> None:
    run = carry_out(opened, "modules", plain(opened))
    name = RunQueue(Settings.from_env()).result(run).modules[1].name
    link = {"from_run": run, "set": name} | {"from_run" if gone == "run" else "set": "gone"}
    page = visit("pages/in_silico.py", dataset=opened.dataset, checkpoint=opened.checkpoint, **link)
    assert not page.exception
    assert [one.value[:29] for one in page.toast] == ["The genes that the link asks "]
    assert page.selectbox(key="scope").value == "together"
    assert page.button_group(key="genes_from").value == "I name them"


def test_genes_may_still_be_named_where_a_module_is_there(visit: Open, opened: Opened) -> None:
    carry_out(opened, "modules", plain(opened))
    page = visit("pages/in_silico.py", dataset=opened.dataset, checkpoint=opened.checkpoint)
    assert not page.exception
    page.multiselect(key="genes").set_value(["GENE1"]).run()
    assert not page.button(key="run").disabled
    page.button_group(key="genes_from").set_value("A set of a run").run()
    assert not page.exception
    assert "genes" not in {box.key for box in page.multiselect}
