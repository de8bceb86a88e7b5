"""Genes behind a name, from a finished run to a verdict: cells that choose genes never test them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from scviz.cli import evidence as command
from scviz.errors import RequestError
from scviz.metrics.attribution import rank_agreement
from scviz.tasks import annotation, attribution
from scviz.tasks.annotation.run import run as annotate
from scviz.tasks.attribution.inputs import gather
from scviz.tasks.attribution.run import run
from scviz.tasks.name_evidence import Standing
from scviz.workspace.records import read_record, to_json, write_record
from tests.conftest import Opened

STANDINGS = get_args(Standing)


@pytest.fixture
def asked(opened: Opened) -> attribution.Request:
    """The 60 cells of three planted types, half of them held out from the training of a tiny model."""
    context = opened.context("first")
    question = annotation.Request(
        dataset=opened.dataset,
        checkpoint=opened.checkpoint,
        label_key="cell_type",
        test_fraction=0.5,
        epochs=40,
    )
    write_record(annotate(question, context), context.result)
    said = {"task": "annotation", "request": to_json(question)}
    (context.folder / "request.json").write_text(json.dumps(said), encoding="utf-8")
    return attribution.Request(
        dataset=opened.dataset, run="first", n_cells=8, n_steps=8, n_deleted=5, n_random=6
    )


def test_cells_that_are_asked_are_held_out_and_compared_with_others(
    opened: Opened, asked: attribution.Request
) -> None:
    context = opened.context("second")
    finished = context.finished("first")
    cells = gather(finished, asked, context)
    assert set(cells.rows) <= set(finished.result.test_rows)
    assert (cells.others[cells.rows] == -1).all()
    for k in cells.kept:
        first, second = cells.of(k, chooses=True), cells.of(k, chooses=False)
        assert len(first) == len(second) == 4
        assert not set(cells.rows[first]) & set(cells.rows[second])
    held = replace(finished.result, test_rows=finished.result.test_rows[:4], truth=finished.result.truth[:4])
    with pytest.raises(RequestError, match="held-out cells"):
        gather(replace(finished, result=held), asked, context)
    with pytest.raises(RequestError, match="no classifier"):
        gather(replace(finished, task="markers"), asked, context)


def test_genes_are_ranked_compared_and_deleted(
    opened: Opened, asked: attribution.Request, tmp_path: Path
) -> None:
    result = run(asked, opened.context("second"))
    assert len(result.types) == 3
    assert result.n_cells == (8, 8, 8)
    n_genes = len(result.genes)
    assert result.integrated.shape == result.gradient.shape == result.differential.shape == (3, n_genes)
    assert result.drop.shape == (3, 8)
    planted = [{f"GENE{i}" for i in range(20 * k + 1, 20 * k + 21)} for k in range(3)]
    by_expression = [{result.genes[i] for i in np.argsort(-row)[:20]} for row in result.differential]
    assert sum(max(len(one & own) for one in planted) for own in by_expression) >= 45
    ranked = result.seen * 8 >= 3
    again = rank_agreement(result.integrated, result.differential, ranked)
    assert result.agreement == pytest.approx(again)
    assert "24 held-out cells of 3 types" in result.verdict
    assert result.verdict.startswith("The classifier needs the genes that it goes by for ")
    assert result.other_types is not None
    assert np.diag(result.other_types) == pytest.approx(result.agreement)
    assert result.matched is not None
    assert ((result.matched[:, 1] > 0) & (result.matched[:, 1] <= 1)).all()
    assert result.unexplained < 0.2
    write_record(result, tmp_path / "kept")
    assert read_record(attribution.Result, tmp_path / "kept").verdict == result.verdict
    command.write_genes(result, tmp_path / "genes.csv")
    assert len((tmp_path / "genes.csv").read_text("utf-8").splitlines()) == 1 + 3 * n_genes
    said = command.summary(result, asked.n_deleted)["types"]
    assert set(said) == set(result.types)
    assert {one["standing"] for kind in said.values() for one in kind["name"].values()} <= set(STANDINGS)
