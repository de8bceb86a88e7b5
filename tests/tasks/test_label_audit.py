"""The audit of labels, from a file to a verdict and a list."""

from __future__ import annotations

import argparse
import csv
import json
from dataclasses import replace
from pathlib import Path

import anndata
import numpy as np
import pytest
from scipy.sparse import csr_matrix

from scviz.cli import audit as command
from scviz.cli.fields import begin_as_the_page
from scviz.datasets.columns import cell_names
from scviz.datasets.readers import open_file
from scviz.errors import RequestError
from scviz.progress import silent
from scviz.tasks.context import Context
from scviz.tasks.fields import suggested
from scviz.tasks.label_audit import Request, Result
from scviz.tasks.label_audit.run import run
from scviz.tasks.label_audit.verdict import verdict
from scviz.workspace import Workspace
from scviz.workspace.records import read_record, write_record

WRONG = [3, 31, 44]


@pytest.fixture
def audited(workspace: Workspace, adata: anndata.AnnData, tmp_path: Path) -> tuple[Workspace, str, Result]:
    """240 cells, four copies of the 60 with other counts, three of which have the label of another type."""
    rng = np.random.default_rng(1)
    many = anndata.concat([adata] * 4, index_unique="-")
    many.X = rng.poisson(csr_matrix(many.X).toarray()).astype(np.float32)
    names = many.obs["cell_type"].astype(str).to_numpy()
    kinds = sorted(set(names))
    names[WRONG] = [kinds[(kinds.index(name) + 1) % 3] for name in names[WRONG]]
    names[100:103] = "rare"
    many.obs["named"] = names
    many.write_h5ad(tmp_path / "many.h5ad")
    dataset = open_file(tmp_path / "many.h5ad", workspace).id
    context = Context(workspace=workspace, report=silent, folder=workspace.run_folder("one"))
    return workspace, dataset, run(Request(dataset=dataset, label_key="named", n_markers=15), context)


def test_wrong_labels_are_listed_and_said_beside_chance_and_a_test(
    audited: tuple[Workspace, str, Result], tmp_path: Path
) -> None:
    result = audited[2]
    assert sorted(result.rows.tolist()) == WRONG
    assert result.p <= 0.05
    assert "3 labels of 237 in named (1.3 %) are worth a second look" in result.verdict
    assert "would be listed, if neighbors and markers of a type erred independently" in result.verdict
    assert "with the same labels dealt to the cells at random it would be 67 % of the cells" in result.verdict
    assert "changed at random as a test" in result.verdict
    assert result.outcome == "worse"
    assert any("fewer than 10 cells: rare" in note for note in result.notes)
    assert (result.own_share[WRONG] < 0.5).all()
    write_record(result, tmp_path / "kept")
    assert read_record(Result, tmp_path / "kept").verdict == result.verdict


def test_what_cannot_be_told_is_said_so(audited: tuple[Workspace, str, Result]) -> None:
    asked, result = Request(dataset="d", label_key="named"), audited[2]
    none = replace(result, rows=result.rows[:0])
    assert none.outcome == "none"
    assert verdict(none, asked).startswith("No label of named is in doubt on 237 cells")
    few = replace(result, p=0.3)
    assert few.outcome == "unknown"
    assert "no more than by chance" in verdict(few, asked)
    blind = replace(result, found=0.3)
    assert blind.outcome == "unknown"
    assert verdict(blind, asked).startswith("Cannot tell whether labels of named are wrong")


def test_the_command_writes_the_list(audited: tuple[Workspace, str, Result], tmp_path: Path) -> None:
    workspace, dataset, result = audited
    command.write_list(result, cell_names(workspace.dataset_folder(dataset)), tmp_path / "list.csv")
    rows = list(csv.DictReader((tmp_path / "list.csv").read_text("utf-8").splitlines()))
    assert [row["cell"] for row in rows] == [
        cell_names(workspace.dataset_folder(dataset))[row] for row in result.rows
    ]
    said = command.summary(result)
    assert (said["to_check"], said["judged"]) == (3, 237)
    assert json.dumps(said["expected"])


def test_one_label_cannot_be_audited(workspace: Workspace, adata: anndata.AnnData, tmp_path: Path) -> None:
    adata.obs["one"] = "T cell"
    adata.write_h5ad(tmp_path / "one.h5ad")
    dataset = open_file(tmp_path / "one.h5ad", workspace).id
    context = Context(workspace=workspace, report=silent, folder=workspace.run_folder("one"))
    with pytest.raises(RequestError, match="1 label with 10 cells or more"):
        run(Request(dataset=dataset, label_key="one"), context)


def test_the_command_is_offered() -> None:
    parser = argparse.ArgumentParser()
    command.add_command(parser.add_subparsers())
    options = parser.parse_args(["audit", "demo", "--label-key", "cell_type", "--n-markers", "12"])
    assert (options.label_key, options.n_markers) == ("cell_type", 12)


def test_the_command_begins_with_the_column_that_the_page_begins_with(
    audited: tuple[Workspace, str, Result],
) -> None:
    parser = argparse.ArgumentParser()
    command.add_command(parser.add_subparsers())
    options = parser.parse_args(["audit", "demo"])
    begin_as_the_page(options, Request, audited[0].dataset(audited[1]))
    assert options.label_key == suggested(Request, "label_key", audited[0].dataset(audited[1])) != ""


def test_labels_of_no_column_are_not_audited() -> None:
    with pytest.raises(RequestError, match="No column with labels") as refused:
        Request(dataset="d")
    assert "Choose the column" in refused.value.hint
