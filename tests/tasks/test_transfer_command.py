"""The command `annotate` for cells without labels, carried out here."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest

from scviz.cli import main, running
from scviz.errors import RequestError
from scviz.tasks.annotation import Request as Learning
from scviz.tasks.transfer.references import references
from tests.inline_queue import InlineQueue
from tests.tasks.test_transfer import Two, made, opened, two  # noqa: F401 - two is a fixture


@pytest.fixture(autouse=True)
def inline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCVIZ_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(running, "RunQueue", InlineQueue)


def answer(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(arguments) == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def test_a_labeled_dataset_names_cells_and_what_was_learned_names_others(
    two: Two,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    learned, copy, table = tmp_path / "learned", tmp_path / "named.h5ad", tmp_path / "named.csv"
    named = answer(
        [
            *("annotate", two.query, "--reference", two.reference, "--classifier", str(learned)),
            *("--output", str(copy), "--csv", str(table)),
        ],
        capsys,
    )
    assert sum(one["cells"] for one in named["types"]) == 120
    assert "no" in {one["counterpart"] for one in named["fit"]["clusters"]}
    cells = anndata.read_h5ad(copy).obs
    with table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for end in ("label", "confidence", "ontology_term_id"):
        assert f"scviz_logistic_{end}" in cells
        assert f"scviz_logistic_{end}" in rows[0]
    assert cells["scviz_logistic_label"].astype(str).tolist() == [row["scviz_logistic_label"] for row in rows]
    again = answer(["annotate", two.query, "--apply", str(learned)], capsys)
    assert {one["type"]: one["cells"] for one in again["types"]} == {
        one["type"]: one["cells"] for one in named["types"]
    }


def test_a_classifier_is_saved_under_a_name_and_found_by_it(
    two: Two,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = ["--reference", two.reference, "--label-key", "cell_type", "--save-as", "My types"]
    said = answer(["annotate", two.query, *options], capsys)
    assert said["classifier"] in {one.id for one in references(two.workspace)}
    again = answer(["annotate", two.query, "--reference", "My types"], capsys)
    assert again["reference"] == "My types"


def test_batches_are_not_taken_for_types(
    two: Two,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    cells = made(120, seed=1)
    cells.obs = pd.DataFrame({"batch": np.resize(["a", "b"], 120)}, index=cells.obs_names)
    dataset = opened(two.workspace, tmp_path, cells, "batches alone")
    assert two.workspace.dataset(dataset).columns_of("batch") == ("batch",)
    assert main(["annotate", two.query, "--reference", dataset]) == 1
    assert "No column with cell types of the reference was chosen" in capsys.readouterr().err
    with pytest.raises(RequestError, match="No column with known cell types") as caught:
        Learning(dataset=two.query, checkpoint="none/none", label_key="")
    assert "--reference blood" in (caught.value.hint or "")


def test_what_is_no_classifier_is_said(
    two: Two,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    assert main(["annotate", two.query, "--apply", str(tmp_path)]) == 1
    assert "There is no classifier in" in capsys.readouterr().err
    assert main(["annotate", two.query, "--reference", "blood", "--apply", str(tmp_path)]) == 1
    assert "Name one of them" in capsys.readouterr().err
    assert main(["annotate", two.query, "--reference", "blood", "--classifier", str(tmp_path / "new")]) == 1
    assert "learns nothing that could be saved" in capsys.readouterr().err


def test_a_reference_that_is_not_here_is_refused_with_those_that_are(
    two: Two,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["annotate", two.query, "--reference", "bloood"]) == 1
    said = capsys.readouterr().err
    assert "There is no reference, dataset or file 'bloood'" in said
    assert "References: blood." in said
    assert two.reference in said
