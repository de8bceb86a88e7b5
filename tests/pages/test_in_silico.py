"""The page that edits genes, opened as a user meets it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from scviz.cli import parser
from scviz.cli.fields import begin_as_the_page
from scviz.cli.in_silico import request_of
from scviz.jobs.queue import RunQueue
from scviz.settings import Settings
from scviz.tasks.filters import Filter
from scviz.tasks.in_silico import RANKING, Request
from scviz.workspace.database import Run
from scviz.workspace.groups import group_version, name_group
from scviz.workspace.records import to_json
from tests.conftest import Opened
from tests.pages.test_pages import Open, carry_out, visit, words

__all__ = ["visit"]

T_CELLS = (Filter(column="cell_type", values=("T cell",)),)


def opened_page(visit: Open, opened: Opened, **more: str) -> AppTest:
    page = visit("pages/in_silico.py", dataset=opened.dataset, checkpoint=opened.checkpoint, **more)
    assert not page.exception
    return page


def asked_for() -> dict[str, object]:
    (run,) = [run for run in RunQueue(Settings.from_env()).database.runs() if run.task == "in_silico"]
    return run.request


def test_a_gene_is_offered_with_the_cells_that_express_it(visit: Open, opened: Opened) -> None:
    page = opened_page(visit, opened)
    page.selectbox(key="cells_from").set_value("cell_type").run()
    page.multiselect(key="cells_values_cell_type").set_value(["T cell"]).run()
    options = page.multiselect(key="genes").options
    assert "GENE45 · 20" in options
    assert page.button(key="run").disabled


def test_run_hands_in_what_was_chosen(visit: Open, opened: Opened) -> None:
    page = opened_page(visit, opened)
    page.selectbox(key="cells_from").set_value("cell_type").run()
    page.multiselect(key="cells_values_cell_type").set_value(["T cell"]).run()
    page.multiselect(key="genes").set_value(["GENE45"]).run()
    page.selectbox(key="in_silico_kind").set_value("knockdown").run()
    page.selectbox(key="goal_column").set_value("cell_type").run()
    page.selectbox(key="goal_value").set_value("B cell").run()
    page.button(key="run").click().run()
    assert not page.exception
    request = asked_for()
    assert (request["genes"], request["kind"]) == (["GENE45"], "knockdown")
    assert request["cells"] == [{"column": "cell_type", "values": ["T cell"]}]
    assert request["goal"] == {"column": "cell_type", "values": ["B cell"]}


def test_edits_of_the_order_of_genes_are_offered_where_a_model_reads_one(visit: Open, opened: Opened) -> None:
    page = opened_page(visit, opened)
    assert len(page.selectbox(key="in_silico_kind").options) == 5
    page.multiselect(key="genes").set_value(["GENE45"]).run()
    page.selectbox(key="in_silico_kind").set_value("inhibit").run()
    page.button(key="run").click().run()
    assert not page.exception
    assert asked_for()["kind"] == "inhibit"
    page.selectbox(key="pick_checkpoint").set_value("scbert/scbert-blood").run()
    assert not page.exception
    assert page.selectbox(key="in_silico_kind").value == "delete"
    assert page.selectbox(key="in_silico_kind").options == ["Knock out", "Knock down", "Over-express"]


def test_a_map_for_all_runs_is_offered_where_there_is_none(visit: Open, opened: Opened) -> None:
    page = opened_page(visit, opened, gene="GENE45")
    assert "no map of these cells yet" in words(page)


def test_a_circled_group_and_every_gene_can_be_asked_for(visit: Open, opened: Opened) -> None:
    name_group(opened.workspace.dataset_folder(opened.dataset), "mine", np.arange(12))
    page = opened_page(visit, opened)
    page.selectbox(key="cells_from").set_value("my named groups").run()
    page.selectbox(key="scope").set_value("all").run()
    page.button(key="run").click().run()
    assert not page.exception
    request = asked_for()
    assert (request["group"], request["all_genes"], request["genes"]) == ("mine", True, [])
    assert request["group_version"]


def test_a_gene_in_the_address_is_chosen_once(visit: Open, opened: Opened) -> None:
    page = opened_page(visit, opened, gene="GENE45")
    assert page.multiselect(key="genes").value == ["GENE45"]
    assert "gene" not in page.query_params
    page.multiselect(key="genes").set_value(["GENE3"]).run()
    assert page.multiselect(key="genes").value == ["GENE3"]


def test_a_gene_in_the_address_that_cannot_be_edited_has_a_reason(visit: Open, opened: Opened) -> None:
    page = opened_page(visit, opened, gene="TP53")
    assert page.multiselect(key="genes").value == []
    assert "The dataset has no gene TP53" in words(page)


@pytest.mark.parametrize(
    ("text", "answer"),
    [("tp53", "The dataset has no gene tp53"), ("gene45", "GENE45 is offered")],
)
def test_a_gene_that_is_not_offered_has_a_reason(visit: Open, opened: Opened, text: str, answer: str) -> None:
    page = opened_page(visit, opened)
    page.text_input(key="why_gene").set_value(text).run()
    assert answer in words(page)


def test_cells_that_no_condition_fits_are_a_sentence(visit: Open, opened: Opened) -> None:
    page = opened_page(visit, opened)
    page.selectbox(key="cells_from").set_value("cell_type").run()
    page.multiselect(key="cells_values_cell_type").set_value(["T cell"]).run()
    page.selectbox(key="cells_and").set_value("donor").run()
    assert not page.exception
    assert page.multiselect(key="cells_and_values_donor").options == [f"donor {i}" for i in range(4)]


def test_page_request_and_command_begin_with_the_same_question(visit: Open, opened: Opened) -> None:
    page = opened_page(visit, opened)
    page.multiselect(key="genes").set_value(["GENE45"]).run()
    page.button(key="run").click().run()
    assert not page.exception
    options = parser().parse_args(["in-silico", opened.dataset, "--genes", "GENE45"])
    begin_as_the_page(options, Request, opened.workspace.dataset(opened.dataset))
    plain = Request(
        dataset=opened.dataset, checkpoint=opened.checkpoint, genes=("GENE45",), label_key="cell_type"
    )
    assert asked_for() == to_json(plain)
    assert request_of(options, opened.dataset, opened.checkpoint) == plain


QUESTIONS: dict[str, dict[str, Any]] = {
    "two columns, a goal": {
        "genes": ("GENE41", "GENE45"),
        "together": False,
        "kind": "knockdown",
        "share": 0.3,
        "cells": (*T_CELLS, Filter(column="donor", values=("donor 1", "donor 2", "donor 3"))),
        "goal": Filter(column="cell_type", values=("NK cell", "B cell")),
        "label_key": "donor",
        "most_cells": 17,
        "n_random": 33,
        "random_cells": 4,
        "statistics": "published",
        "seed": 3,
    },
    "every gene": {"all_genes": True, "n_exact": 7, "cells": T_CELLS},
    "a group": {"genes": ("GENE41",), "group": "mine"},
    "plain": {"genes": ("GENE41",)},
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_form_shows_the_question_of_the_result_beside_it(visit: Open, opened: Opened, name: str) -> None:
    folder = opened.workspace.dataset_folder(opened.dataset)
    name_group(folder, "other", np.arange(3))
    name_group(folder, "mine", np.arange(12))
    version = group_version(np.arange(12)) if "group" in QUESTIONS[name] else ""
    question = Request(
        dataset=opened.dataset, checkpoint=opened.checkpoint, group_version=version, **QUESTIONS[name]
    )
    run = Run(id="shown", task="in_silico", request=to_json(question), state="stopped")
    RunQueue(Settings.from_env()).database.add(run)
    page = opened_page(visit, opened, run=run.id)
    assert "Changed: press Run" not in words(page)
    page.button(key="run").click().run()
    asked = [one.request for one in RunQueue(Settings.from_env()).database.runs() if one.task == "in_silico"]
    assert asked == [to_json(question)] * 2
    page.number_input(key="in_silico_seed").set_value(8).run()
    assert "Changed: press Run" in words(page)


def test_cells_and_goal_outlive_a_look_at_another_page(visit: Open, opened: Opened) -> None:
    page = opened_page(visit, opened)
    page.selectbox(key="cells_from").set_value("cell_type").run()
    page.multiselect(key="cells_values_cell_type").set_value(["T cell"]).run()
    page.multiselect(key="genes").set_value(["GENE45"]).run()
    page.selectbox(key="goal_column").set_value("cell_type").run()
    page.selectbox(key="goal_value").set_value("NK cell").run()
    page.switch_page("pages/data.py").run()
    page.switch_page("pages/in_silico.py").run()
    page.button(key="run").click().run()
    assert asked_for()["cells"] == [{"column": "cell_type", "values": ["T cell"]}]
    assert asked_for()["goal"] == {"column": "cell_type", "values": ["NK cell"]}
    assert asked_for()["genes"] == ["GENE45"]


@pytest.mark.slow
def test_a_finished_edit_shows_every_number_beside_random_genes(visit: Open, opened: Opened) -> None:
    request = Request(
        dataset=opened.dataset,
        checkpoint=opened.checkpoint,
        genes=("GENE45",),
        cells=T_CELLS,
        goal=Filter(column="cell_type", values=("B cell",)),
        label_key="cell_type",
        n_random=5,
    )
    run = carry_out(opened, "in_silico", request)
    page = opened_page(visit, opened, run=run)
    assert not page.error
    text = words(page)
    assert "Removing GENE45 moves" in text
    assert "of the distance between T cell and" in text
    assert "it takes 19 or more" in text
    assert "no expression, so the vectors of genes are compared" in text
    assert "A simulation inside the model, not a measurement." in text
    assert "The authors of Geneformer evaluated such edits of genes." in text
    assert "5 expression-matched random genes" in text
    assert "observed shift agree with" in text
    types = next(table.value for table in page.dataframe if "Type" in table.value)
    assert list(types["Type"]) == ["T cell"]
    assert types["moved: random low"].notna().all()
    cells = next(table.value for table in page.dataframe if "to_start" in table.value)
    assert len(cells) == 20
    assert len(page.get("plotly_chart")) == 4
    page.segmented_control(key="random_measure").set_value("moved").run()
    assert not page.exception
    assert "In-silico perturbation · cells · Tiny" in words(visit("pages/runs.py", run=run))


@pytest.mark.slow
def test_a_finished_sweep_is_a_ranking_with_rates(visit: Open, opened: Opened) -> None:
    request = Request(
        dataset=opened.dataset,
        checkpoint=opened.checkpoint,
        genes=("GENE41", "GENE45", "GENE50"),
        together=False,
        cells=T_CELLS,
        n_random=5,
    )
    page = opened_page(visit, opened, run=carry_out(opened, "in_silico", request))
    assert not page.error
    ranking = next(table.value for table in page.dataframe if "Gene" in table.value)
    assert len(ranking) == 3
    assert (ranking["FDR"] >= ranking["p"]).all()
    assert "3 genes were edited, each by itself" in words(page)


def test_the_ranking_so_far_is_seen_before_a_sweep_has_ended(visit: Open, opened: Opened) -> None:
    request = Request(
        dataset=opened.dataset, checkpoint=opened.checkpoint, genes=("GENE41", "GENE45"), together=False
    )
    run = Run(id="under-way", task="in_silico", request=to_json(request), state="queued")
    RunQueue(Settings.from_env()).database.add(run)
    state = opened.workspace.run_folder(run.id) / "state"
    state.mkdir(parents=True)
    rows = [{"gene": gene, "cells": 9, "moved": 0.1, "to_goal": None} for gene in ("GENE45", "GENE41")]
    (state / RANKING).write_text(json.dumps(rows))
    page = opened_page(visit, opened, run=run.id)
    (ranking,) = [table.value for table in page.dataframe]
    assert list(ranking["Gene"]) == ["GENE45", "GENE41"]
    assert "So far, the strongest first" in words(page)
