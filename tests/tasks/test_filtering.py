"""Fewer cells and genes as a dataset of their own, which can be taken back."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import anndata
import numpy as np
import pytest

from scviz.datasets.columns import COUNTS, cell_names, gene_names
from scviz.errors import RequestError
from scviz.tasks.filtering import Request
from scviz.tasks.filtering.run import run
from scviz.tasks.filters import Bound, Filter
from scviz.tasks.qc import Request as Measuring
from scviz.tasks.qc.run import run as measure
from scviz.workspace import Workspace
from scviz.workspace.groups import group_version, name_group, read_groups
from scviz.workspace.records import to_json, write_record
from tests.bad_cells import context, counts, open_bad_cells

MITOCHONDRIAL = Bound(measure="mitochondrial", high=0.06)
"""Takes the five B cells with many mitochondrial counts."""


@pytest.fixture
def bad(workspace: Workspace, tmp_path: Path) -> str:
    return open_bad_cells(workspace, tmp_path).id


@pytest.fixture
def measured(workspace: Workspace, bad: str) -> str:
    """A finished run of quality control."""
    surroundings = context(workspace, "measured")
    request = Measuring(dataset=bad, doublets=False)
    write_record(measure(request, surroundings), surroundings.result)
    asked = json.dumps({"task": "qc", "request": to_json(request)})
    (surroundings.folder / "request.json").write_text(asked, encoding="utf-8")
    return "measured"


def of(workspace: Workspace, dataset: str) -> tuple[np.ndarray, list[str], list[str]]:
    """Counts, names of cells and names of genes."""
    folder = workspace.dataset_folder(dataset)
    matrix = anndata.read_h5ad(folder / COUNTS).X.toarray()
    return matrix, list(cell_names(folder)), list(gene_names(folder))


def fingerprints(folder: Path) -> dict[str, str]:
    """Hash of every file of a dataset."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_thresholds_make_a_dataset_and_undo_finds_the_same_bytes(
    workspace: Workspace, bad: str, measured: str
) -> None:
    before, info = fingerprints(workspace.dataset_folder(bad)), workspace.dataset(bad)
    made = run(Request(dataset=bad, run=measured, bounds=(MITOCHONDRIAL,), min_cells=3), context(workspace))
    after = workspace.dataset(made.dataset)
    kept = np.ones(210, dtype=bool)
    kept[0:50:10] = False
    seen = (counts()[kept] > 0).sum(axis=0) >= 3
    matrix, cells, genes = of(workspace, made.dataset)
    assert np.array_equal(matrix, counts()[kept][:, seen])
    assert cells == [f"cell{cell}" for cell in np.flatnonzero(kept)]
    assert (after.n_cells, after.n_genes) == (205, int(seen.sum()))
    assert after.parent == bad
    assert after.history == (*info.history, made.line)
    assert made.line == (
        f"Kept 205 of 210 cells (Mitochondrial at most 6 %) and {seen.sum():,} of 208 genes (seen in 3 kept cells at "
        "least)."
    )
    assert len(genes) < 208
    assert fingerprints(workspace.dataset_folder(after.parent)) == before
    assert workspace.dataset(after.parent) == info


def test_the_same_step_is_done_once(workspace: Workspace, bad: str, measured: str) -> None:
    request = Request(dataset=bad, run=measured, bounds=(MITOCHONDRIAL,))
    assert run(request, context(workspace)) == run(request, context(workspace))
    assert len(workspace.datasets()) == 2


def test_steps_follow_each_other_and_are_taken_back_one_by_one(
    workspace: Workspace, bad: str, measured: str
) -> None:
    first = run(Request(dataset=bad, run=measured, bounds=(MITOCHONDRIAL,)), context(workspace)).dataset
    b_cells = (Filter(column="cell_type", values=("B",)),)
    second = run(Request(dataset=first, cells=b_cells, min_cells=0), context(workspace)).dataset
    assert workspace.dataset(second).n_cells == 95
    assert workspace.dataset(second).parent == first
    assert workspace.dataset(first).parent == bad
    assert len(workspace.dataset(second).history) == len(workspace.dataset(bad).history) + 2


def test_values_of_a_column_become_a_dataset(workspace: Workspace, bad: str) -> None:
    chosen = (
        Filter(column="cell_type", values=("Platelet", "T")),
        Filter(column="batch", values=("batch 1",)),
    )
    made = run(Request(dataset=bad, name="some", cells=chosen, min_cells=0), context(workspace))
    matrix, _, genes = of(workspace, made.dataset)
    assert np.array_equal(matrix, counts()[100:][1::2])
    assert len(genes) == 208
    assert workspace.dataset(made.dataset).name == "some"
    assert made.line == "Kept 55 of 210 cells (cell_type Platelet or T; batch batch 1)."


def test_a_group_that_was_circled_becomes_a_dataset(workspace: Workspace, bad: str) -> None:
    rows = np.array([205, 3, 199])
    name_group(workspace.dataset_folder(bad), "island", rows)
    request = Request(dataset=bad, group="island", group_version=group_version(rows), min_cells=0)
    made = run(request, context(workspace))
    matrix, cells, _ = of(workspace, made.dataset)
    assert cells == ["cell3", "cell199", "cell205"]
    assert np.array_equal(matrix, counts()[[3, 199, 205]])


def test_named_groups_go_with_the_cells_that_are_left(workspace: Workspace, bad: str, measured: str) -> None:
    folder = workspace.dataset_folder(bad)
    name_group(folder, "mixed", np.array([0, 1, 11, 209]))
    name_group(folder, "gone", np.array([0, 10]))
    made = run(Request(dataset=bad, run=measured, bounds=(MITOCHONDRIAL,), min_cells=0), context(workspace))
    groups = read_groups(workspace.dataset_folder(made.dataset))
    names = cell_names(workspace.dataset_folder(made.dataset))
    assert {name: [names[row] for row in rows] for name, rows in groups.items()} == {
        "mixed": ["cell1", "cell11", "cell209"]
    }
    assert set(read_groups(folder)) == {"mixed", "gone"}


def test_what_would_leave_nothing_is_refused_and_leaves_nothing(
    workspace: Workspace, bad: str, measured: str
) -> None:
    none = Bound(measure="counts", low=1e9)
    with pytest.raises(RequestError, match="No cell would be left"):
        run(Request(dataset=bad, run=measured, bounds=(none,)), context(workspace))
    with pytest.raises(RequestError, match="No gene is seen in 5,000 of the kept cells"):
        run(Request(dataset=bad, min_cells=5000), context(workspace))
    assert [one.id for one in workspace.datasets()] == [bad]


def test_a_step_that_does_nothing_is_refused(workspace: Workspace, bad: str, measured: str) -> None:
    wide = Bound(measure="mitochondrial", high=0.9)
    with pytest.raises(RequestError, match="All cells and genes would be kept"):
        run(Request(dataset=bad, run=measured, bounds=(wide,), min_cells=0), context(workspace))


def test_a_group_that_has_other_cells_by_now_is_refused(workspace: Workspace, bad: str) -> None:
    name_group(workspace.dataset_folder(bad), "island", np.array([1, 2]))
    request = Request(dataset=bad, group="island", group_version="older", min_cells=0)
    with pytest.raises(RequestError, match="has other cells by now"):
        run(request, context(workspace))


def test_a_measure_or_run_that_is_not_there_is_refused(workspace: Workspace, bad: str, measured: str) -> None:
    doublets = Bound(measure="doublet_score", high=0.2)
    with pytest.raises(RequestError, match="no measure 'doublet_score'") as refusal:
        run(Request(dataset=bad, run=measured, bounds=(doublets,)), context(workspace))
    assert "counts, genes, mitochondrial" in refusal.value.hint
    with pytest.raises(RequestError, match="no finished run 'gone'"):
        run(Request(dataset=bad, run="gone", bounds=(MITOCHONDRIAL,)), context(workspace))


def test_a_run_on_other_cells_is_refused(workspace: Workspace, bad: str, measured: str) -> None:
    other = run(Request(dataset=bad, cells=(Filter(column="cell_type", values=("T",)),)), context(workspace))
    with pytest.raises(RequestError, match="is no quality control of these cells"):
        run(Request(dataset=other.dataset, run=measured, bounds=(MITOCHONDRIAL,)), context(workspace))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"min_cells": 0}, "Nothing was chosen"),
        ({"bounds": (MITOCHONDRIAL,)}, "Thresholds need a run"),
        ({"group": "a", "cells": (Filter(column="b", values=("c",)),)}, "a column and by a named group"),
    ],
)
def test_what_says_too_little_or_too_much_is_refused(asked: dict[str, object], words: str) -> None:
    with pytest.raises(RequestError, match=words):
        Request(dataset="d", **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("low", "high"), [(5.0, 1.0), (float("nan"), None), (None, float("inf")), (float("-inf"), 3.0)]
)
def test_thresholds_between_which_nothing_lies_are_refused(low: float | None, high: float | None) -> None:
    with pytest.raises(RequestError, match="Nothing lies between"):
        Request(dataset="d", run="r", bounds=(Bound(measure="counts", low=low, high=high),))
