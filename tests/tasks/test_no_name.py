"""Cells that get no name: nothing of ours stands in its place in a copy of the file, a table or an answer."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from scviz.cli import main, running
from scviz.datasets.readers import open_file
from tests.conftest import TYPES, Opened
from tests.inline_queue import InlineQueue
from tests.tasks.test_transfer import Two, made, two  # noqa: F401 - two is a fixture
from tests.tasks.test_transfer import opened as open_cells
from tests.tasks.test_transfer_doubt import confused

EMPTY = 9
"""Cells without a molecule, the first ones."""
OF_A_NAME = ("label", "confidence", "ontology_term_id", "distance", "set", "set_name")


@pytest.fixture(autouse=True)
def inline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCVIZ_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(running, "RunQueue", InlineQueue)


def emptied(adata: anndata.AnnData) -> anndata.AnnData:
    adata.X = csr_matrix(adata.X.multiply(np.arange(adata.n_obs)[:, None] >= EMPTY))
    return adata


def carried_out(arguments: list[str], folder: Path) -> tuple[pd.DataFrame, list[dict[str, str]]]:
    """Give the columns of the copy, and the rows of the table."""
    copy, table = folder / "copy.h5ad", folder / "table.csv"
    assert main([*arguments, "--output", str(copy), "--csv", str(table)]) == 0
    with table.open(encoding="utf-8", newline="") as file:
        return anndata.read_h5ad(copy).obs, list(csv.DictReader(file))


def test_a_reference_leaves_every_column_of_an_empty_cell_empty(
    two: Two,  # noqa: F811
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    query = open_cells(two.workspace, tmp_path, emptied(confused(2)), "some empty")
    taught = open_cells(two.workspace, tmp_path, confused(1), "taught")
    learned = tmp_path / "learned"
    for way in (["--reference", taught, "--classifier", str(learned)], ["--apply", str(learned)]):
        obs, rows = carried_out(["annotate", query, *way], tmp_path)
        said: dict[str, Any] = json.loads(capsys.readouterr().out)
        assert said["cells_without_a_name"] == EMPTY
        (stem,) = {name.removesuffix("_confidence") for name in obs if name.endswith("_confidence")}
        for end in OF_A_NAME:
            column = obs[f"{stem}_{end}"]
            assert column.iloc[:EMPTY].isna().all(), end
            assert end == "ontology_term_id" or column.iloc[EMPTY:].notna().all(), end
            assert {row[f"{stem}_{end}"] for row in rows[:EMPTY]} == {""}
            assert end == "ontology_term_id" or "" not in {row[f"{stem}_{end}"] for row in rows[EMPTY:]}
        assert set(obs[f"{stem}_label"].cat.categories) <= {"B cell", "NK cell", "T cell", "monocyte"}
        for row in rows[:EMPTY]:
            assert {value for name, value in row.items() if name != "cell"} == {""}


def test_a_type_may_have_any_name(two: Two, tmp_path: Path) -> None:  # noqa: F811
    labeled = made(240, seed=1)
    labeled.obs["cell_type"] = labeled.obs["cell_type"].astype(str).replace("T cell", "not seen")
    taught = open_cells(two.workspace, tmp_path, labeled, "odd name")
    obs, _ = carried_out(["annotate", two.query, "--reference", taught], tmp_path)
    assert (obs["scviz_logistic_label"] == "not seen").sum() >= 20
    assert obs["scviz_logistic_label"].notna().all()


def test_every_cell_has_its_role_and_the_label_it_came_with(opened: Opened, tmp_path: Path) -> None:
    adata = anndata.read_h5ad(opened.workspace.dataset_folder(opened.dataset) / "source.h5ad")
    words = adata.obs["cell_type"].astype(object).to_numpy()
    words[:2], words[2:5] = "rare", None
    adata.obs["cell_type"] = pd.Categorical(words)
    adata.write_h5ad(tmp_path / "some.h5ad")
    dataset = open_file(tmp_path / "some.h5ad", opened.workspace).id
    asked = ["annotate", dataset, "--checkpoint", opened.checkpoint, "--label-key", "cell_type"]
    _, rows = carried_out([*asked, "--epochs", "1"], tmp_path)
    assert [row["known"] for row in rows] == ["" if word is None else word for word in words]
    roles = np.array([row["role"] for row in rows])
    assert roles[:5].tolist() == ["left out", "left out", "unlabeled", "unlabeled", "unlabeled"]
    assert set(roles[5:]) == {"train", "validation", "held out"}
    baselines = [name for name in rows[0] if name.startswith("logistic")]
    assert baselines
    for row, role in zip(rows, roles, strict=True):
        assert all((row[name] != "") == (role == "held out") for name in baselines)
    _, rows = carried_out([*asked, "--epochs", "1", "--folds", "3"], tmp_path)
    assert {row["role"] for row in rows[5:]} == {"held out"}
    assert {row["fold"] for row in rows[:5]} == {""}
    assert {row["known"] for row in rows[5:]} == set(TYPES)
