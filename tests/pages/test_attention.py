"""The page that makes networks of attention, opened as a user meets it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import anndata
import pytest
import torch
from streamlit.testing.v1 import AppTest

from scviz.jobs.queue import RunQueue
from scviz.models import model_class
from scviz.settings import Settings
from scviz.tasks import opening
from scviz.tasks.attention_network import Request
from scviz.tasks.opening.run import run as open_dataset
from scviz.workspace import Workspace
from scviz.workspace.store import NOT_KNOWN, write_checkpoint_info
from tests.conftest import Opened, keep_model
from tests.pages.test_pages import Open, carry_out, visit, words

__all__ = ["visit"]


@pytest.fixture
def scgpt(opened: Opened, adata: anndata.AnnData, tmp_path: Path) -> Opened:
    """The cells, a tiny scGPT and a table of targets in a data folder."""
    torch.manual_seed(0)
    lines = ["source\ttarget", *(f"GENE45\tGENE{i}" for i in range(41, 61))]
    (tmp_path / "targets.tsv").write_text("\n".join(lines))
    return keep_model(opened, model_class("scgpt").untrained(adata, "tiny"), "Tiny scGPT")


def opened_page(visit: Open, scgpt: Opened, **more: str) -> AppTest:
    page = visit("pages/attention.py", dataset=scgpt.dataset, checkpoint=scgpt.checkpoint, **more)
    assert not page.exception
    return page


def regulators(page: AppTest) -> AppTest:
    (picker,) = [one for one in page.multiselect if one.label == "Regulators"]
    return picker


def test_run_hands_in_what_was_chosen(visit: Open, scgpt: Opened, tmp_path: Path) -> None:
    page = opened_page(visit, scgpt)
    assert page.button(key="run").disabled
    assert page.selectbox(key="attention_network_column").value == "cell_type"
    page.selectbox(key="attention_network_perturbed").set_value("T cell").run()
    regulators(page).set_value(["GENE45", "GENE3"]).run()
    page.selectbox(key="attention_network_prior").set_value(str(tmp_path / "targets.tsv")).run()
    page.number_input(key="attention_network_most_genes").set_value(60).run()
    page.button(key="run").click().run()
    assert not page.exception
    (run,) = [one for one in RunQueue(Settings.from_env()).database.runs() if one.task == "attention_network"]
    assert run.request["regulators"] == ["GENE45", "GENE3"]
    assert (run.request["perturbed"], run.request["most_genes"]) == ("T cell", 60)
    assert run.request["prior"] == str((tmp_path / "targets.tsv").resolve())


def test_a_simulated_screen_offers_its_own_network_and_its_perturbed_gene(
    visit: Open, workspace: Workspace
) -> None:
    nothing = Opened(workspace, "", "")
    screen = opening.Request(path="", name="", simulated="tiny")
    opened = Opened(workspace, open_dataset(screen, nothing.context()).dataset, "")
    cells = opened.context().counts(opened.dataset)
    page = opened_page(visit, keep_model(opened, model_class("scgpt").untrained(cells, "tiny"), "Tiny scGPT"))
    assert page.selectbox(key="attention_network_column").value == "condition"
    assert page.selectbox(key="attention_network_control").value == "ctrl"
    page.selectbox(key="attention_network_perturbed").set_value("P1R1+ctrl").run()
    assert regulators(page).value == ["P1R1"]
    assert page.selectbox(key="attention_network_prior").value == "truth"


def test_a_finished_run_shows_agreement_beside_baselines(visit: Open, scgpt: Opened, tmp_path: Path) -> None:
    request = Request(
        dataset=scgpt.dataset,
        checkpoint=scgpt.checkpoint,
        column="cell_type",
        control="B cell",
        perturbed="T cell",
        regulators=("GENE45", "GENE150"),
        prior=str(tmp_path / "targets.tsv"),
        most_genes=60,
        most_cells=6,
        n_null=5,
    )
    page = opened_page(visit, scgpt, run=carry_out(scgpt, "attention_network", request))
    assert not page.error
    text = words(page)
    assert "co-expression" in text
    assert "Attention is no proof of regulation" in text
    assert "No known target among these genes\\: GENE150" in text
    checks = next(table.value for table in page.dataframe if "Ranked by" in table.value)
    assert list(checks["Ranked by"]) == ["attention", "co-expression", "random genes"]
    assert len(page.get("plotly_chart")) == 2
    assert "whether these weights have seen them in training is not known" in text
    page.selectbox(key="network_difference_gene").set_value("GENE45").run()
    assert any("Neighbor" in table.value for table in page.dataframe)
    page.segmented_control(key="setting").set_value("control").run()
    assert page.selectbox(key="network_control_gene").value == ""
    page.selectbox(key="regulator").set_value(1).run()
    assert not page.exception
    targets = next(table.value for table in page.dataframe if "Influence" in table.value)
    assert "GENE150" not in list(targets["Gene"])
    assert targets["Influence"].is_monotonic_decreasing
    assert "Attention network · cells · Tiny scGPT" in words(
        visit("pages/runs.py", run="run-of-attention_network")
    )


def test_weights_that_were_trained_here_on_these_cells_are_told_from_others(
    visit: Open, scgpt: Opened
) -> None:
    request = Request(
        dataset=scgpt.dataset,
        checkpoint=scgpt.checkpoint,
        column="cell_type",
        control="B cell",
        perturbed="T cell",
        regulators=("GENE45",),
        most_genes=30,
        most_cells=5,
        n_null=5,
    )
    run = carry_out(scgpt, "attention_network", request)
    folder = scgpt.workspace.checkpoint_folder(scgpt.checkpoint)
    for trained_on, told in (
        ((scgpt.dataset,), "were trained on cells of this dataset"),
        (("x",), "these weights were not"),
        ((), "have seen them in training is not known"),
        ((NOT_KNOWN, "x"), "have seen them in training is not known"),
    ):
        made = replace(
            scgpt.workspace.checkpoint(scgpt.checkpoint), released="scGPT, whole human", trained_on=trained_on
        )
        write_checkpoint_info(made, folder)
        assert told in words(opened_page(visit, scgpt, run=run))
