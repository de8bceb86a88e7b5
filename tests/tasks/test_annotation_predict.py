"""Published fine-tuned checkpoints: imported by the command, then they name cells without training."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pytest

from scviz.cli import main, running
from scviz.datasets.readers import open_file
from scviz.errors import RequestError
from scviz.foundation.classifier import CellTypeClassifier
from scviz.models import model_class
from scviz.tasks.annotation import Request
from scviz.tasks.annotation.predicting import MOST_PREDICTED
from scviz.tasks.annotation.run import price, run
from scviz.tasks.importing import Request as Import
from scviz.tasks.importing.run import run as take_in
from scviz.workspace import Workspace
from tests.conftest import Opened
from tests.inline_queue import InlineQueue
from tests.models.fine_tuned import FINE_TUNED, N_CELLS, TYPES, expressed_cells, write_fine_tuned


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace in which commands answer at once."""
    monkeypatch.setenv("SCVIZ_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SCVIZ_DATA_ROOTS", str(tmp_path))
    monkeypatch.setattr(running, "RunQueue", InlineQueue)
    return Workspace(tmp_path / "home")


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


@pytest.mark.parametrize("model", FINE_TUNED)
def test_a_published_folder_is_imported_and_names_cells_by_its_own_head(
    model: str, commands: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, adata = write_fine_tuned(model, tmp_path / "tuned"), expressed_cells()
    wanted = CellTypeClassifier.load(folder, model_class(model)).classify(adata)
    assert wanted.types == TYPES
    adata.write_h5ad(tmp_path / "cells.h5ad")
    assert main(["models", "import", model, str(folder)]) == 0
    taken = said(capsys)
    assert taken["types"] == list(TYPES)
    table, copy = tmp_path / "named.csv", tmp_path / "named.h5ad"
    asked = [
        "annotate",
        str(tmp_path / "cells.h5ad"),
        "--checkpoint",
        taken["checkpoint"],
        "--mode",
        "predict",
        "--label-key",
        "none",
    ]
    bar = float(np.median(wanted.probabilities.max(axis=1)))
    given = [*asked, "--unassigned-below", str(bar), "--csv", str(table), "--output", str(copy)]
    assert main(given) == 0
    answer = said(capsys)
    assert sum(answer["cells"].values()) + answer["cells_without_a_name"] == N_CELLS
    assert 0 < answer["cells_without_a_name"] < N_CELLS
    assert "verdict" not in answer  # no labels were asked for
    rows = list(csv.DictReader(StringIO(table.read_text(encoding="utf-8"))))
    assert [row["most probable"] for row in rows] == [TYPES[code] for code in wanted.best]
    found = np.array([float(row["confidence"]) for row in rows])
    np.testing.assert_allclose(found, wanted.probabilities.max(axis=1), atol=1e-5)
    named = [row["named"] for row in rows]
    clear = np.abs(found - bar) > 1e-4
    expected = np.where(found < bar, "", [TYPES[code] for code in wanted.best])
    assert np.array(named)[clear].tolist() == expected[clear].tolist()
    obs = anndata.read_h5ad(copy).obs
    written = obs[f"scviz_{model}_label"]
    assert written.astype(object).fillna("").tolist() == named
    assert set(written.cat.categories) <= set(TYPES)
    np.testing.assert_allclose(
        obs[f"scviz_{model}_certainty"], [float(row["certainty"]) for row in rows], atol=1e-6
    )


@pytest.fixture
def tuned(workspace: Workspace, tmp_path: Path) -> Opened:
    """The 36 cells, and an imported fine-tuned scGPT."""
    expressed_cells().write_h5ad(tmp_path / "cells.h5ad")
    info = open_file(tmp_path / "cells.h5ad", workspace, name="cells")
    folder = write_fine_tuned("scgpt", tmp_path / "tuned")
    opened = Opened(workspace, info.id, "")
    taken = take_in(Import(model="scgpt", folder=str(folder), name="tuned"), opened.context("import"))
    return Opened(workspace, info.id, taken.checkpoint)


def asked(opened: Opened, **more: Any) -> Request:
    return Request(dataset=opened.dataset, checkpoint=opened.checkpoint, mode="predict", **more)


def test_names_are_compared_with_the_labels_that_the_weights_know(tuned: Opened) -> None:
    result = run(asked(tuned, label_key="cell_type"), tuned.context())
    labels = np.array(["T cell", "B cell", "Monocyte"])[np.arange(N_CELLS) % 3]
    assert result.test_rows.tolist() == np.flatnonzero(labels != "Monocyte").tolist()
    assert [TYPES[code] for code in result.truth] == labels[result.test_rows].tolist()
    common = np.bincount(result.all_predicted).argmax()  # of all cells, whatever their labels
    assert set(result.predicted[MOST_PREDICTED].tolist()) == {common}
    assert result.gain is not None
    assert result.gain.baseline == MOST_PREDICTED
    assert "cells with a label that the weights know" in result.gain.sentence
    assert any(
        "since their label in cell_type is no type of these weights: 12 cells (Monocyte)" in n
        for n in result.notes
    )
    assert any("Monocyte" in note for note in result.notes)
    assert not result.n_train
    assert not result.losses


def test_without_labels_nothing_is_claimed(tuned: Opened) -> None:
    result = run(asked(tuned), tuned.context())
    assert result.gain is None
    assert result.scores == {}
    assert len(result.test_rows) == 0
    everyone = run(asked(tuned, unassigned_below=0.0), tuned.context())
    assert "" not in everyone.names
    nobody = run(asked(tuned, unassigned_below=1.0), tuned.context())
    assert set(nobody.names) == {""}
    assert "Without a name, since no type has a probability of 1 or more: 36 of 36 cells" in nobody.notes[0]


def test_cells_in_which_the_model_sees_no_gene_have_no_name(tuned: Opened, tmp_path: Path) -> None:
    adata = expressed_cells()
    counts = adata.X.toarray()
    counts[3, 1:] = 0  # of what is left the vocabulary knows nothing
    names = ["FOREIGN", *adata.var_names[1:]]
    made = anndata.AnnData(counts, obs=adata.obs, var=adata.var.set_axis(names))
    made.var["gene_ids"] = ["ENSG99999999999", *adata.var["gene_ids"].iloc[1:]]
    made.write_h5ad(tmp_path / "one.h5ad")
    opened = Opened(tuned.workspace, open_file(tmp_path / "one.h5ad", tuned.workspace).id, tuned.checkpoint)
    result = run(asked(opened, label_key="cell_type"), opened.context())
    assert result.names[3] == ""
    assert 3 not in result.test_rows
    assert any("sees no gene in 1 cell, left without a name" in note for note in result.notes)


def test_weights_without_types_are_refused_with_a_way_on(opened: Opened) -> None:
    with pytest.raises(RequestError, match="Tiny knows no cell types") as refusal:
        run(asked(opened), opened.context())
    assert "fine-tuned checkpoint" in refusal.value.hint


def test_training_needs_labels_and_prediction_has_a_price(tuned: Opened) -> None:
    with pytest.raises(RequestError, match="No column with known cell types"):
        Request(dataset=tuned.dataset, checkpoint=tuned.checkpoint)
    found = price(asked(tuned), tuned.context())
    assert found.seconds > 0
    assert "36 cells to name" in found.how


def test_a_trained_classifier_is_saved_and_remembers_what_it_and_its_weights_have_seen(
    commands: Workspace, opened: Opened, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = opened.workspace.checkpoint_folder(opened.checkpoint) / "scviz.json"
    before = json.loads(path.read_text()) | {"trained_on": ["earlier-12345678"], "demo": True}
    path.write_text(json.dumps(before))
    trained = ["annotate", opened.dataset, "--checkpoint", opened.checkpoint, "--label-key", "cell_type"]
    assert main([*trained, "--epochs", "1", "--save-as", "my types"]) == 0
    answer = said(capsys)
    info = commands.checkpoint(answer["checkpoint"])
    assert info.name == "my types"
    assert info.trained_on == ("earlier-12345678", opened.dataset)
    assert info.types == ("B cell", "NK cell", "T cell")
    assert info.demo  # made from demo weights, and says so
    assert "Frozen model + classifier" in info.description
    assert commands.seen_in_training(info.id, opened.dataset) == "seen"
    assert commands.seen_in_training(opened.checkpoint, opened.dataset) == "not seen"
    named = [
        "annotate",
        opened.dataset,
        "--checkpoint",
        info.id,
        "--mode",
        "predict",
        "--label-key",
        "cell_type",
    ]
    assert main(named) == 0
    again = said(capsys)
    assert any("my types was trained on these very cells" in note for note in again["notes"])
    assert again["gain"]["n"] == 60
    assert main([*named, "--save-as", "twice"]) == 1
    assert "trains nothing" in capsys.readouterr().err
