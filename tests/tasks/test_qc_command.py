"""The commands `qc` and `subset`, carried out here."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scviz.cli import main, running
from scviz.workspace import Workspace
from scviz.workspace.groups import name_group
from tests.bad_cells import LOST, counts, open_bad_cells
from tests.inline_queue import InlineQueue


@pytest.fixture
def bad(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("SCVIZ_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(running, "RunQueue", InlineQueue)
    return open_bad_cells(workspace, tmp_path).id


def answer(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(arguments) == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def test_qc_prints_what_is_lost_and_changes_nothing(
    bad: str, workspace: Workspace, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    said = answer(["qc", bad, "--no-doublets", "--csv", str(tmp_path / "cells.csv")], capsys)
    assert (said["kept"], said["cells"]) == (188, 210)
    assert said["lost"]["cell_type"] == {name: {"cells": n, "lost": lost} for name, (n, lost) in LOST.items()}
    assert sum(one["lost"] for one in said["lost"]["batch"].values()) == 22
    assert said["warnings"][0].startswith("All 10 cells of Platelet would be lost.")
    assert said["thresholds"]["ribosomal"]["used"] == [None, None]
    assert said["thresholds"]["mitochondrial"]["used"][0] is None
    assert "dataset" not in said
    assert len(workspace.datasets()) == 1
    with (tmp_path / "cells.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["counts"]) for row in rows] == counts().sum(axis=1).tolist()
    assert sum(row["kept"] == "True" for row in rows) == 188


def test_apply_makes_a_dataset_with_thresholds_that_were_moved(
    bad: str, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = ["--at-least", "counts=100", "--at-most", "counts=open", "--at-least", "genes=40"]
    said = answer(
        ["qc", bad, "--no-doublets", *moved, "--min-cells", "0", "--apply", "--name", "good"], capsys
    )
    assert said["thresholds"]["counts"]["used"] == [100, None]
    assert said["kept"] == 202
    made = workspace.dataset(said["dataset"])
    assert (made.name, made.parent, made.n_cells, made.n_genes) == ("good", bad, 202, 208)
    assert made.history[-1] == said["history"]
    assert "Counts at least 100; Genes 40 to " in said["history"]


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("spread=1", "names no measure"),
        ("counts=many", "holds no number"),
        ("counts", "holds no number"),
        ("counts=nan", "holds no number"),
        ("counts=inf", "holds no number"),
        ("mitochondrial=5", "mitochondrial=0.05 for 5 %"),
        ("mitochondrial=-0.1", "must be between 0 and 1"),
        ("counts=5000", "at least 5000 and at most 1180. Move the other end"),
        ("doublet_score=1", "no measure"),
    ],
)
def test_a_threshold_that_is_none_is_refused(
    bad: str, option: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["qc", bad, "--no-doublets", "--at-least", option]) == 1
    assert words in capsys.readouterr().err


def test_subset_takes_values_and_named_groups(
    bad: str, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    said = answer(["subset", bad, "--cells", "cell_type=Platelet,B", "--name", "two types"], capsys)
    assert (said["cells"], said["genes"], said["parent"]) == (110, 208, bad)
    assert workspace.dataset(said["dataset"]).name == "two types"
    name_group(workspace.dataset_folder(bad), "island", np.array([4, 2]))
    assert answer(["subset", bad, "--group", "island"], capsys)["cells"] == 2
    assert main(["subset", bad, "--group", "gone"]) == 1
    assert "There is no group 'gone'" in capsys.readouterr().err
