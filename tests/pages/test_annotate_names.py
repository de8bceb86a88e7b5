"""The Annotate page about names that the file has: their terms, and other names beside them."""

from __future__ import annotations

from pathlib import Path

import anndata
import pytest
from streamlit.testing.v1 import AppTest

from scviz.datasets.readers import open_file
from scviz.jobs.queue import RunQueue
from scviz.settings import Settings
from scviz.tasks import annotation, label_audit
from scviz.workspace.group_history import read_history
from scviz.workspace.term_choices import chosen_terms
from tests.conftest import Opened
from tests.pages.test_annotate import table_with, words
from tests.pages.test_pages import Open, carry_out, visit  # noqa: F401 - visit is a fixture

AUTHORS = ["CD14+ Mono", "B", "CD4 T"]
CELLTYPIST = ["Classical monocytes", "B cells", "Tcm/Naive helper T cells"]


@pytest.fixture
def named(opened: Opened, adata: anndata.AnnData, tmp_path: Path) -> Opened:
    """60 cells with names of the authors and of CellTypist; the latter calls two T cells B cells."""
    adata.obs["cell_type"] = [AUTHORS[i % 3] for i in range(60)]
    adata.obs["predicted_labels"] = [CELLTYPIST[1 if i in (2, 5) else i % 3] for i in range(60)]
    adata.write_h5ad(tmp_path / "named.h5ad")
    return Opened(opened.workspace, open_file(tmp_path / "named.h5ad", opened.workspace).id, "")


def page_of(visit: Open, named: Opened) -> AppTest:  # noqa: F811
    page = visit("pages/annotate.py", dataset=named.dataset)
    page.session_state[f"annotate_way_{named.dataset}"] = "file"
    page.session_state[f"in_file_{named.dataset}"] = "cell_type"
    page.run()
    assert not page.exception
    assert not page.error
    return page


def test_ambiguous_names_are_offered_and_a_choice_is_kept(visit: Open, named: Opened) -> None:  # noqa: F811
    page = page_of(visit, named)
    assert "2 of 3 labels have a term of the Cell Ontology; to be chosen by you: CD14+ Mono." in words(page)
    (box,) = [one for one in page.selectbox if one.label == "Term of CD14+ Mono"]
    assert box.value == ""
    assert any("CL:0000860" in option for option in box.options)
    box.set_value("CL:0000860").run()
    assert not page.exception
    assert chosen_terms(named.workspace.dataset_folder(named.dataset)) == {"CD14+ Mono": "CL:0000860"}
    assert "3 of 3 labels have a term" in words(page)


def test_names_of_another_tool_are_compared_and_their_cells_make_a_group(
    visit: Open,  # noqa: F811
    named: Opened,
) -> None:
    page = page_of(visit, named)
    table = table_with(page, "Written by").set_index("Column")
    assert table.loc["predicted_labels", "Written by"] == "CellTypist"
    assert table.loc["predicted_labels", "Cells with both"] == 60
    assert table.loc["predicted_labels", "Same coarse type (%)"] == pytest.approx(100 * 58 / 60)
    assert "On 60 cells with a name by cell_type and in predicted_labels: 33.3 %" in words(page)
    pairs = table_with(page, "Stand to each other")
    first = pairs.iloc[0]
    assert (first["By cell_type"], first["In predicted_labels"], first["Cells"]) == ("CD4 T", "B cells", 2)
    page.button(key="others_group_add").click().run()
    assert not page.exception
    groups = read_history(named.workspace.dataset_folder(named.dataset)).groups
    assert {name: one.n_cells for name, one in groups.items()} == {"cell_type against predicted_labels": 2}


def test_an_audit_is_handed_in_and_its_cells_make_a_group(visit: Open, named: Opened) -> None:  # noqa: F811
    page = page_of(visit, named)
    page.button(key="audit").click().run()
    (run,) = [one for one in RunQueue(Settings.from_env()).database.runs() if one.task == "label_audit"]
    assert run.request["label_key"] == "cell_type"
    visit_again = Opened(named.workspace, named.dataset, "")
    carry_out(
        visit_again, "label_audit", label_audit.Request(dataset=named.dataset, label_key="predicted_labels")
    )
    page = visit("pages/annotate.py", dataset=named.dataset)
    page.session_state[f"annotate_way_{named.dataset}"] = "file"
    page.session_state[f"in_file_{named.dataset}"] = "predicted_labels"
    page.run()
    assert not page.exception
    assert "in predicted_labels (3.3 %) are worth a second look" in words(page)
    listed = table_with(page, "neighbors and markers")
    assert set(listed["cell"]) == {"CELL02-1", "CELL05-1"}
    assert set(listed["label"]) == {"B cells"}
    assert set(listed["another coarse type"]) == {"yes"}
    page.button(key="audit_group_add").click().run()
    groups = read_history(named.workspace.dataset_folder(named.dataset)).groups
    assert {name: one.n_cells for name, one in groups.items()} == {"predicted_labels to check": 2}


def test_a_run_compares_only_cells_it_did_not_learn_from_and_asks_for_evidence(
    visit: Open,  # noqa: F811
    opened: Opened,
    named: Opened,
) -> None:
    trained = Opened(named.workspace, named.dataset, opened.checkpoint)
    request = annotation.Request(
        dataset=named.dataset,
        checkpoint=opened.checkpoint,
        label_key="cell_type",
        epochs=1,
        test_fraction=0.5,
    )
    run = carry_out(trained, "annotation", request)
    page = visit("pages/annotate.py", dataset=named.dataset, checkpoint=opened.checkpoint, run=run)
    assert not page.exception
    table = table_with(page, "Written by").set_index("Column")
    held_out = RunQueue(Settings.from_env()).result(run).test_rows
    assert table["Cells with both"].to_dict() == dict.fromkeys(table.index, len(held_out))
    assert table["Second opinion"].to_dict() == {
        "predicted_labels": "yes",
        "cell_type": "no: it taught the names",
    }
    assert "The model learned from labels of cell_type." in words(page)
    page.button(key="evidence_markers").click().run()
    assert not page.exception
    page.button(key="evidence_genes").click().run()
    assert not page.exception
    asked = {one.task: one.request for one in RunQueue(Settings.from_env()).database.runs()}
    assert asked["markers"]["column"] == "cell_type"
    assert asked["attribution"]["run"] == run
