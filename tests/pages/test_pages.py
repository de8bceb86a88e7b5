"""Every page, opened as a user meets it, with nothing open, with data, and with results."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from anndata import AnnData
from streamlit.testing.v1 import AppTest

from scviz.datasets.expression import log_expression
from scviz.datasets.readers import open_file
from scviz.jobs.queue import RunQueue
from scviz.models import cards, model_class
from scviz.settings import ROOT, Settings
from scviz.tasks import annotation, back, checking, embedding, question_id
from scviz.workspace.database import Run
from scviz.workspace.records import RECORD, stamp_of, to_json, write_record
from tests.conftest import Opened, keep_model

PAGES = [
    "app.py",
    *sorted(f"pages/{path.name}" for path in (ROOT / "pages").glob("*.py") if path.stem != "__init__"),
]
Open = Callable[..., AppTest]


@pytest.fixture
def visit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_engine: None) -> Iterator[Open]:
    """Open a page of a server whose workspace is in tmp_path/home."""
    monkeypatch.setenv("SCVIZ_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SCVIZ_DATA_ROOTS", str(tmp_path))
    st.cache_resource.clear()
    st.cache_data.clear()

    def open_page(script: str, **query: str) -> AppTest:
        page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        page.query_params.update(query)
        if script != "app.py":
            page.switch_page(script)
        return page.run()

    yield open_page
    st.cache_resource.clear()
    st.cache_data.clear()


def carry_out(opened: Opened, task: str, request: Any) -> str:
    """Carry a request out here and keep it as a finished run."""
    run = Run(
        id=f"run-of-{task}",
        task=task,
        request=to_json(request),
        fingerprint=question_id(task, to_json(request)),
        state="done",
        created=1.0,
        started=1.0,
        ended=9.0,
    )
    context = opened.context(run.id)
    result = back(task).run(request, context)
    write_record(result, context.result)
    asked = json.dumps({"task": task, "request": run.request})
    (context.folder / "request.json").write_text(asked, encoding="utf-8")
    RunQueue(Settings.from_env()).database.add(run)
    return run.id


def words(page: AppTest) -> str:
    """All texts of a page."""
    kinds = ("markdown", "caption", "info", "warning", "error", "success", "header", "subheader", "text")
    return "\n".join(element.value for kind in kinds for element in page.get(kind))


@pytest.mark.parametrize("script", PAGES)
def test_a_page_opens_with_nothing_in_the_workspace_and_says_what_to_do(visit: Open, script: str) -> None:
    page = visit(script)
    assert not page.exception
    assert not page.error
    assert page.header
    assert page.sidebar.get("page_link")
    assert page.info or page.button or page.get("page_link")


@pytest.mark.parametrize("script", PAGES)
def test_a_page_opens_with_data(visit: Open, opened: Opened, script: str) -> None:
    page = visit(script, dataset=opened.dataset, checkpoint=opened.checkpoint)
    assert not page.exception
    assert not page.error


def test_choices_of_the_address_are_taken(visit: Open, opened: Opened) -> None:
    page = visit("pages/models.py", dataset=opened.dataset, checkpoint=opened.checkpoint)
    assert page.selectbox(key="pick_checkpoint").value == opened.checkpoint
    assert page.selectbox(key="pick_dataset").value == opened.dataset


def test_an_address_of_something_gone_does_no_harm(visit: Open, opened: Opened) -> None:
    page = visit("pages/annotate.py", dataset="gone", checkpoint="geneformer/gone", run="gone")
    assert not page.exception
    assert page.selectbox(key="pick_dataset").value == opened.dataset
    said = " ".join(one.value for one in page.toast)
    assert all(
        f"The {what} asked for" in said for what in ("dataset that was", "weights that were", "run that was")
    )


def test_a_login_hides_everything_where_the_owner_wants_one(
    visit: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCVIZ_LOGIN", "1")
    for script in PAGES:
        page = visit(script)
        assert [button.key for button in page.button] == ["login"], script
        assert not page.sidebar.get("page_link"), script


def card_of(path: Path, visit: Open, opened: Opened) -> AppTest:
    """The Data page with the card of a file, which a run has looked into."""
    asked = checking.Request(path=str(path), stamp=stamp_of(path))
    carry_out(opened, "checking", asked)
    page = visit("pages/data.py")
    return page.selectbox(key="server_file").set_value(str(path)).run()


def opening_run() -> Run:
    """The only run that opens something."""
    (run,) = [run for run in RunQueue(Settings.from_env()).database.runs() if run.task == "opening"]
    return run


def test_the_card_of_a_file_says_where_counts_are_and_opens_it(
    visit: Open, opened: Opened, tmp_path: Path
) -> None:
    page = card_of(tmp_path / "cells.h5ad", visit, opened)
    assert not page.exception
    assert [metric.value for metric in page.metric] == ["60", "200", "X"]
    page.button(key="open_file").click().run()
    run = opening_run()
    assert run.request["path"] == str(tmp_path / "cells.h5ad")


def test_old_names_of_genes_may_be_kept(visit: Open, opened: Opened, adata: AnnData, tmp_path: Path) -> None:
    old = (
        "SEPT2",
        "QARS",
        "H2AFZ",
        "CD3E",
        "CD3D",
        "CD3G",
        "CD8A",
        "CD8B",
        "CD19",
        "MS4A1",
        "CD79A",
        "CD79B",
        "LYZ",
    )
    old += ("NKG7", "GNLY", "GZMB", "PRF1", "FCGR3A", "KLRD1", "PPBP", "CST3", "FCER1A")
    adata.var_names = [*old, *adata.var_names[len(old) :]]
    adata.var = adata.var.iloc[:, :0]
    adata.write_h5ad(tmp_path / "old.h5ad")
    page = card_of(tmp_path / "old.h5ad", visit, opened)
    page.checkbox(key="opening_keep_names").check().run()
    page.button(key="open_file").click().run()
    assert opening_run().request["keep_names"]


def test_counts_behind_logarithms_can_be_chosen_too(
    visit: Open, opened: Opened, adata: AnnData, tmp_path: Path
) -> None:
    adata.layers["log"] = log_expression(adata.X)
    adata.write_h5ad(tmp_path / "both.h5ad")
    page = card_of(tmp_path / "both.h5ad", visit, opened)
    matrices = page.selectbox(key="counts_location")
    assert matrices.options == ["X", "layers/log: log-normalized, recoverable"]
    matrices.set_value("layers/log").run()
    page.button(key="open_file").click().run()
    run = opening_run()
    assert run.request["counts_location"] == "layers/log"


def test_a_link_out_of_the_data_folders_is_refused_in_words(visit: Open, tmp_path: Path) -> None:
    (tmp_path / "link.h5ad").symlink_to(os.devnull)
    page = visit("pages/data.py")
    page.selectbox(key="server_file").set_value(str(tmp_path / "link.h5ad")).run()
    assert not page.exception
    assert "outside the folders that may be opened" in page.error[0].value


def test_datasets_of_one_name_are_told_apart(
    visit: Open, opened: Opened, adata: AnnData, tmp_path: Path
) -> None:
    ids = []
    for n_genes in (150, 160):
        adata[:, :n_genes].copy().write_h5ad(tmp_path / "spleen.h5ad")
        ids.append(open_file(tmp_path / "spleen.h5ad", opened.workspace).id)
    page = visit("pages/explore.py", dataset=ids[1])
    assert len(set(page.selectbox(key="pick_dataset").options)) == 3
    page.run()
    assert page.selectbox(key="pick_dataset").value == ids[1]


def test_run_hands_the_request_in_once(visit: Open, opened: Opened) -> None:
    page = visit("pages/annotate.py", dataset=opened.dataset, checkpoint=opened.checkpoint)
    assert page.selectbox(key="annotation_label_key").value == "cell_type"
    page.selectbox(key="annotation_group_key").set_value("donor").run()
    page.button(key="run").click().run()
    runs = {run.task: run for run in RunQueue(Settings.from_env()).database.runs()}
    assert runs.keys() == {"pricing", "annotation"}
    assert runs["annotation"].request["group_key"] == "donor"
    assert page.query_params["run"] == runs["annotation"].id
    assert "in the queue" in page.get("progress")[0].proto.text


@pytest.mark.slow
def test_a_finished_annotation_shows_every_number_beside_its_baseline(visit: Open, opened: Opened) -> None:
    request = annotation.Request(
        dataset=opened.dataset, checkpoint=opened.checkpoint, label_key="cell_type", epochs=2
    )
    run = carry_out(opened, "annotation", request)
    page = visit("pages/annotate.py", dataset=opened.dataset, checkpoint=opened.checkpoint, run=run)
    assert not page.exception
    assert not page.error
    assert len(page.metric) == 4
    assert all(
        re.fullmatch(r"([+-]\d\.\d{3}|cannot tell) from \d\.\d{3}", metric.delta) for metric in page.metric
    )
    assert any("Naming score" in one.proto.help for one in page.caption), "its meaning is one touch away"
    assert "logistic regression" in words(page)
    assert len(page.get("plotly_chart")) >= 2
    page.selectbox(key="confusion_method").set_value("the most common type").run()
    assert not page.exception
    (cells,) = [table.value for table in page.dataframe if "confidence" in table.value]
    assert len(cells) == 60


@pytest.mark.slow
def test_a_finished_map_is_colored_by_label_and_by_gene(visit: Open, opened: Opened) -> None:
    request = embedding.Request(dataset=opened.dataset, checkpoint=opened.checkpoint, n_neighbors=8)
    run = carry_out(opened, "embedding", request)
    page = visit("pages/explore.py", dataset=opened.dataset, checkpoint=opened.checkpoint, run=run)
    assert not page.exception
    assert not page.error
    assert "By cell\\_type\\: " in words(page)
    assert "cells beside cells of their own kind" in words(page)
    page.selectbox(key="color_by").set_value("A gene").run()
    page.session_state["gene"] = "gene7"
    page.run()
    assert not page.exception
    page.session_state["gene"] = "no such gene"
    page.run()
    assert "No gene of this dataset is called" in words(page)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("colors", "at_first"),
    [(("#2ca02c", "#d62728", "#8c564b"), "hidden"), (("#0072B2", "#D55E00", "#F0E442"), "shown")],
)
def test_colors_of_a_file_that_look_alike_to_some_are_not_forced_on_its_user(
    visit: Open, opened: Opened, adata: AnnData, colors: tuple[str, ...], at_first: str
) -> None:
    adata.uns["cell_type_colors"] = np.array(colors[: adata.obs["cell_type"].nunique()])
    adata.write_h5ad(opened.workspace.home / "colored.h5ad")
    own = replace(opened, dataset=open_file(opened.workspace.home / "colored.h5ad", opened.workspace).id)
    request = embedding.Request(dataset=own.dataset, checkpoint=own.checkpoint, n_neighbors=8)
    run = carry_out(own, "embedding", request)
    page = visit("pages/explore.py", dataset=own.dataset, checkpoint=own.checkpoint, run=run)
    (toggle,) = [one for one in page.toggle if one.label == "Colors of the file"]
    assert toggle.value is (at_first == "shown")
    toggle.set_value(not toggle.value).run()
    assert not page.exception


@pytest.mark.slow
def test_a_map_is_colored_by_the_gene_in_the_address(visit: Open, opened: Opened) -> None:
    request = embedding.Request(dataset=opened.dataset, checkpoint=opened.checkpoint, n_neighbors=8)
    run = carry_out(opened, "embedding", request)
    page = visit(
        "pages/explore.py", dataset=opened.dataset, checkpoint=opened.checkpoint, run=run, gene="GENE7"
    )
    assert not page.exception
    assert page.selectbox(key="color_by").value == "A gene"
    assert page.session_state["gene"] == "GENE7"
    page.selectbox(key="color_by").set_value("cell_type").run()
    assert page.selectbox(key="color_by").value == "cell_type"


@pytest.mark.slow
def test_a_form_shows_the_question_of_the_result_beside_it(visit: Open, opened: Opened) -> None:
    request = annotation.Request(
        dataset=opened.dataset,
        checkpoint=opened.checkpoint,
        label_key="cell_type",
        group_key="donor",
        test_fraction=0.3,
        epochs=2,
        seed=3,
    )
    run = carry_out(opened, "annotation", request)
    page = visit("pages/annotate.py", run=run)  # a link that names the run alone
    assert page.selectbox(key="pick_dataset").value == opened.dataset
    assert page.selectbox(key="annotation_group_key").value == "donor"
    assert page.number_input(key="annotation_test_fraction").value == 30
    assert page.number_input(key="annotation_epochs").value == 2
    assert "Changed: press Run" not in words(page)
    page.number_input(key="annotation_seed").set_value(4).run()
    assert "Changed: press Run" in words(page)
    assert page.metric
    page.switch_page("pages/explore.py").run()
    page.switch_page("pages/annotate.py").run()
    assert page.number_input(key="annotation_seed").value == 4
    assert page.number_input(key="annotation_test_fraction").value == 30


def test_what_the_authors_train_is_said_where_it_is_chosen(visit: Open, opened: Opened) -> None:
    page = visit("pages/annotate.py", dataset=opened.dataset, checkpoint=opened.checkpoint)
    sentence = cards()["geneformer"].fine_tuning
    assert sentence not in words(page)
    page.selectbox(key="annotation_mode").set_value("published").run()
    assert sentence in words(page)
    page.button(key="run").click().run()
    (run,) = [run for run in RunQueue(Settings.from_env()).database.runs() if run.task == "annotation"]
    assert run.request["mode"] == "published"


def test_a_depth_can_be_chosen_where_the_model_has_a_choice(
    visit: Open, opened: Opened, adata: AnnData
) -> None:
    deep = keep_model(opened, model_class("scfoundation").untrained(adata, "tiny"), "Deep")
    page = visit("pages/explore.py", dataset=deep.dataset, checkpoint=opened.checkpoint)
    assert "embedding_read_depth" not in {box.key for box in page.selectbox}
    page = visit("pages/explore.py", dataset=deep.dataset, checkpoint=deep.checkpoint)
    page.selectbox(key="embedding_read_depth").set_value("f5").run()
    page.button(key="run").click().run()
    assert not page.exception
    (run,) = [run for run in RunQueue(Settings.from_env()).database.runs() if run.task == "embedding"]
    assert run.request["read_depth"] == "f5"
    assert "each cell read as if it had five times its reads" in words(visit("pages/runs.py", run=run.id))


def test_variable_genes_can_be_chosen_where_the_model_reads_them(
    visit: Open, opened: Opened, adata: AnnData
) -> None:
    page = visit("pages/explore.py", dataset=opened.dataset, checkpoint=opened.checkpoint)
    assert "embedding_most_genes" not in {one.key for one in page.number_input}
    kept = keep_model(opened, model_class("scgpt").untrained(adata, "tiny"), "Few")
    page = visit("pages/explore.py", dataset=kept.dataset, checkpoint=kept.checkpoint)
    assert page.selectbox(key="embedding_flavor").disabled
    page.number_input(key="embedding_most_genes").set_value(100).run()
    page.selectbox(key="embedding_flavor").set_value("cell_ranger").run()
    page.button(key="run").click().run()
    assert not page.exception
    (run,) = [run for run in RunQueue(Settings.from_env()).database.runs() if run.task == "embedding"]
    assert (run.request["most_genes"], run.request["flavor"]) == (100, "cell_ranger")
    assert "the 100 most variable genes" in words(visit("pages/runs.py", run=run.id))


def test_a_result_of_another_version_is_told_in_words(visit: Open, opened: Opened) -> None:
    request = annotation.Request(
        dataset=opened.dataset, checkpoint=opened.checkpoint, label_key="cell_type", epochs=1
    )
    run = carry_out(opened, "annotation", request)
    record = opened.context(run).result / RECORD
    old = {name: value for name, value in json.loads(record.read_text("utf-8")).items() if name != "types"}
    record.write_text(json.dumps(old), encoding="utf-8")
    page = visit("pages/annotate.py", dataset=opened.dataset, checkpoint=opened.checkpoint, run=run)
    assert not page.exception
    (told,) = [error.value for error in page.error]
    assert "was written by another version of scviz" in told
    assert "run" in {button.key for button in page.button}
