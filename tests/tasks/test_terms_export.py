"""The terms of labels: chosen by the user, said by the file, or meant alone; and written into a copy of the file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import anndata
import pytest

from scviz.cli import ontology as command
from scviz.datasets.label_terms import STANDARD, label_terms, offered, take_term
from scviz.datasets.readers import open_file
from scviz.errors import DataError, RequestError
from scviz.progress import silent
from scviz.settings import Settings
from scviz.tasks.context import Context
from scviz.tasks.exporting import Request
from scviz.tasks.exporting.run import run
from scviz.workspace import Workspace
from scviz.workspace.term_choices import chosen_terms

NAMES = ["CD14+ Monocytes", "B", "weird"]


def opened(workspace: Workspace, adata: anndata.AnnData, path: Path, *, given: bool = False) -> str:
    adata.obs["named"] = [NAMES[i % 3] for i in range(adata.n_obs)]
    if given:
        terms = {"CD14+ Monocytes": "CL:0000860", "B": "CL:0000787", "weird": "unknown"}
        adata.obs[STANDARD] = adata.obs["named"].map(terms).astype(str)
    adata.write_h5ad(path)
    return open_file(path, workspace, name="My cells").id


@pytest.fixture
def dataset(workspace: Workspace, adata: anndata.AnnData, tmp_path: Path) -> str:
    return opened(workspace, adata, tmp_path / "cells.h5ad")


def test_what_is_meant_alone_is_taken_and_the_rest_is_left_to_the_user(
    workspace: Workspace, dataset: str
) -> None:
    found = label_terms(workspace.dataset_folder(dataset), NAMES, "named")
    assert [(one.term, one.origin) for one in found] == [("", "none"), ("CL:0000236", "sure"), ("", "none")]


def test_a_choice_is_kept_and_goes_before_all_else(workspace: Workspace, dataset: str) -> None:
    folder = workspace.dataset_folder(dataset)
    assert take_term(folder, "CD14+ Monocytes", "classical monocyte") == "CL:0000860"
    take_term(folder, "B", "")
    assert chosen_terms(folder) == {"CD14+ Monocytes": "CL:0000860", "B": ""}
    found = label_terms(folder, NAMES, "named")
    assert [(one.term, one.how) for one in found[:2]] == [
        ("CL:0000860", "chosen by you"),
        ("", "no term, chosen by you"),
    ]


@pytest.mark.parametrize("text", ["monocytoid thing", "CL:9999999", "CD14+ Mono"])
def test_a_term_that_is_unknown_or_could_be_several_is_refused(
    workspace: Workspace, dataset: str, text: str
) -> None:
    folder = workspace.dataset_folder(dataset)
    with pytest.raises(RequestError, match="no one term"):
        take_term(folder, "B", text)
    assert chosen_terms(folder) == {}


def test_what_the_file_says_of_its_labels_goes_before_what_they_may_mean(
    workspace: Workspace, adata: anndata.AnnData, tmp_path: Path
) -> None:
    folder = workspace.dataset_folder(opened(workspace, adata, tmp_path / "cells.h5ad", given=True))
    found = label_terms(folder, NAMES, "named")
    assert [(one.term, one.origin) for one in found] == [
        ("CL:0000860", "file"),
        ("CL:0000787", "file"),
        ("", "none"),
    ]
    assert [one.id for one in offered(folder, found[1], "named")] == ["CL:0000787", "CL:0000236"]


def export(workspace: Workspace, dataset: str, *, standard: bool = False) -> anndata.AnnData:
    context = Context(workspace=workspace, report=silent, folder=workspace.run_folder("one"))
    terms = label_terms(workspace.dataset_folder(dataset), NAMES, "named")
    made = run(Request(dataset=dataset, column="named", terms=terms, standard=standard), context)
    return anndata.read_h5ad(context.result / made.file_name)


def test_terms_become_a_column_and_all_else_is_as_it_was(
    workspace: Workspace, dataset: str, tmp_path: Path
) -> None:
    take_term(workspace.dataset_folder(dataset), "CD14+ Monocytes", "CL:0000860")
    before, after = anndata.read_h5ad(tmp_path / "cells.h5ad"), export(workspace, dataset, standard=True)
    column, standard = after.obs.pop("scviz_named_ontology_term_id"), after.obs.pop(STANDARD)
    assert column.astype(object).where(column.notna(), "").tolist()[:3] == ["CL:0000860", "CL:0000236", ""]
    assert standard.tolist()[:3] == ["CL:0000860", "CL:0000236", "unknown"]
    assert after.obs.equals(before.obs)
    assert "CD14+ Monocytes = CL:0000860 (chosen by you)" in after.uns["scviz"]["models"]["terms"]
    assert "CC BY 4.0" in after.uns["scviz"]["models"]["ontology"]


def test_a_column_of_the_schema_that_the_file_has_is_never_overwritten(
    workspace: Workspace, adata: anndata.AnnData, tmp_path: Path
) -> None:
    dataset = opened(workspace, adata, tmp_path / "cells.h5ad", given=True)
    after = export(workspace, dataset)
    assert after.obs[STANDARD].tolist()[:3] == ["CL:0000860", "CL:0000787", "unknown"]
    with pytest.raises(DataError, match=f"its own {STANDARD}"):
        export(workspace, dataset, standard=True)


def test_no_term_is_nothing_to_write(workspace: Workspace, dataset: str) -> None:
    with pytest.raises(RequestError, match="No label of named has a term"):
        Request(dataset=dataset, column="named")


def test_the_command_chooses_and_prints(
    workspace: Workspace, dataset: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(home=workspace.home, data_roots=())
    options = argparse.Namespace(
        dataset=dataset, label_key="named", choose=["CD14+ Monocytes=CL:0000860"], output=None, standard=False
    )
    command.run(options, settings)
    said = json.loads(capsys.readouterr().out)
    assert (
        said["labels"][1]["name"] == "classical monocyte" or said["labels"][0]["name"] == "classical monocyte"
    )
    assert {row["label"]: row["coarse"] for row in said["labels"]} == {
        "B": "B cell",
        "CD14+ Monocytes": "monocyte",
        "weird": None,
    }
    options.choose = ["nobody=CL:0000860"]
    with pytest.raises(RequestError, match="names no label"):
        command.run(options, settings)
