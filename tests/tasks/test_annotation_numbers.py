"""Every number that Annotate prints follows from what it exports: computed again with scikit-learn and numpy."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from scviz.cli import main, running
from tests.conftest import TYPES, Opened
from tests.inline_queue import InlineQueue

OF_ALL = {
    "macro_precision": metrics.precision_score,
    "macro_recall": metrics.recall_score,
    "macro_f1": metrics.f1_score,
}
ROUNDING = 6e-5


def bootstrap_interval(truth: np.ndarray, one: np.ndarray, two: np.ndarray) -> tuple[float, float]:
    """Draw cells of each type again and again; 95 % of the differences of macro-F1."""
    rng = np.random.default_rng(7)
    rows_of = [np.flatnonzero(truth == name) for name in np.unique(truth)]
    found = []
    for _ in range(600):
        rows = np.concatenate([rng.choice(rows, len(rows)) for rows in rows_of])
        scores = [
            metrics.f1_score(
                truth[rows], named[rows], average="macro", labels=np.unique(truth), zero_division=0
            )
            for named in (one, two)
        ]
        found.append(scores[0] - scores[1])
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def assert_recomputed(answer: dict[str, Any], rows: list[dict[str, str]], named_in: dict[str, str]) -> None:
    """Compare what was printed with what follows from the table; `named_in` says which column holds which method."""
    judging = [row for row in rows if row["role"] in ("held out", "compared")]
    truth = np.array([row["known"] for row in judging])
    present = np.unique(truth)
    assert answer["gain"]["n"] == len(judging)
    assert set(answer["scores"]) == set(named_in)
    for method, column in named_in.items():
        named, scores = np.array([row[column] for row in judging]), answer["scores"][method]
        assert scores["accuracy"] == pytest.approx(metrics.accuracy_score(truth, named), abs=ROUNDING)
        assert scores["balanced_accuracy"] == pytest.approx(scores["macro_recall"], abs=ROUNDING)
        for name, score in OF_ALL.items():
            wanted = score(truth, named, average="macro", labels=present, zero_division=0)
            assert scores[name] == pytest.approx(wanted, abs=ROUNDING), (method, name)
        wanted = metrics.f1_score(truth, named, average="weighted", labels=present, zero_division=0)
        assert scores["weighted_f1"] == pytest.approx(wanted, abs=ROUNDING)
        of_types = metrics.precision_recall_fscore_support(truth, named, labels=present, zero_division=0)
        for k, name in enumerate(present):
            printed = answer["types"][method][name]
            assert printed["cells"] == of_types[3][k]
            for number, key in enumerate(("precision", "recall", "f1")):
                assert printed[key] == pytest.approx(of_types[number][k], abs=ROUNDING), (method, name, key)
    over = answer["gain"]["over"]
    baselines = {method for method in named_in if method != "model"}
    best = max(answer["scores"][method]["macro_f1"] for method in baselines)
    assert answer["scores"][over]["macro_f1"] == best
    model, baseline = (np.array([row[named_in[method]] for row in judging]) for method in ("model", over))
    difference = answer["scores"]["model"]["macro_f1"] - best
    assert answer["gain"]["difference"] == pytest.approx(difference, abs=2 * ROUNDING)
    low, high = bootstrap_interval(truth, model, baseline)
    assert answer["gain"]["interval"] == pytest.approx([low, high], abs=0.04)
    exact = [metrics.f1_score(truth, one, average="macro", labels=present) for one in (model, baseline)]
    assert f"{exact[0]:.3f} compared with {exact[1]:.3f}" in answer["verdict"]


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCVIZ_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(running, "RunQueue", InlineQueue)


def answer_and_table(
    arguments: list[str], path: Path, capsys: pytest.CaptureFixture[str]
) -> tuple[dict[str, Any], list[dict[str, str]]]:
    assert main([*arguments, "--csv", str(path)]) == 0
    answer = json.loads(capsys.readouterr().out)
    return answer, list(csv.DictReader(StringIO(path.read_text(encoding="utf-8"))))


@pytest.mark.usefixtures("commands")
def test_scores_and_interval_follow_from_the_table(
    opened: Opened, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["annotate", opened.dataset, "--checkpoint", opened.checkpoint, "--label-key", "cell_type"]
    rest = ["--test-fraction", "0.5", "--epochs", "6", "--save-as", "types"]
    answer, rows = answer_and_table([*asked, *rest], tmp_path / "cells.csv", capsys)
    assert len(rows) == 60
    assert {row["role"] for row in rows} == {"train", "validation", "held out"}
    assert {row["known"] for row in rows} == set(TYPES)
    columns = [
        name for name in rows[0] if name not in ("cell", "named", "confidence", "certainty", "role", "known")
    ]
    assert_recomputed(answer, rows, {"model": "named", **{name: name for name in columns}})
    assert answer["cells"] == {
        name: sum(row["named"] == name for row in rows) for name in {row["named"] for row in rows}
    }
    assert {row["named"] for row in rows} <= set(TYPES)

    predict = ["annotate", opened.dataset, "--checkpoint", answer["checkpoint"], "--mode", "predict"]
    more = ["--label-key", "cell_type", "--unassigned-below", "0.6"]
    answer, rows = answer_and_table([*predict, *more], tmp_path / "predicted.csv", capsys)
    assert {row["role"] for row in rows} == {"compared"}
    (baseline,) = [method for method in answer["scores"] if method != "model"]
    assert_recomputed(answer, rows, {"model": "most probable", baseline: baseline})
    doubtful = [row for row in rows if float(row["confidence"]) < 0.6]
    assert all(row["named"] == "" for row in doubtful)
    assert answer["cells_without_a_name"] == len(doubtful)
    kept = [row for row in rows if row["named"]]
    right = sum(row["named"] == row["known"] for row in kept)
    if kept and doubtful:
        share = f"{100 * len(doubtful) / 60:.1f} % of the 60"
        assert any(
            f"{100 * right / len(kept):.1f} % have the name" in n and share in n for n in answer["notes"]
        )
