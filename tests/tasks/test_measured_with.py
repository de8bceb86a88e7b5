"""Every accuracy of names by a reference says with which genes it was measured, and what is known with fewer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scviz.tasks.transfer import LOGISTIC, PCS_NEAREST, FewerGenes, Request, Result
from scviz.tasks.transfer.fewer_genes import joined
from scviz.tasks.transfer.measured import measured_with
from scviz.tasks.transfer.references import keep_reference, references
from scviz.tasks.transfer.run import run
from scviz.tasks.transfer.tables import summary
from tests.tasks.test_transfer import N_GENES, Two, made, opened, two  # noqa: F401 - two is a fixture

HALF = N_GENES // 2


def applied(two: Two, n_genes: int, folder: Path) -> Result:  # noqa: F811
    """Name cells that have the first genes alone, by what was learned with all of them."""
    run(two.ask(), two.context())
    kept = keep_reference(two.context().result / "reference", two.workspace, name="My types")
    fewer = opened(two.workspace, folder, made(200, seed=4)[:, :n_genes].copy(), "fewer")
    return run(Request(dataset=fewer, reference=kept.id), two.context("fewer"))


def test_a_labeled_dataset_is_judged_with_exactly_the_shared_genes(two: Two, tmp_path: Path) -> None:  # noqa: F811
    fewer = opened(two.workspace, tmp_path, made(120, seed=4)[:, :HALF].copy(), "fewer")
    result = run(two.ask(dataset=fewer), two.context())
    sentence = f"That was measured with the {HALF} genes that both have, and no others."
    assert measured_with(result) == sentence
    assert sentence in result.verdict
    assert summary(result)["judged_with"] == sentence


def test_a_kept_reference_says_what_it_does_with_as_few_genes(two: Two, tmp_path: Path) -> None:  # noqa: F811
    whole = applied(two, N_GENES, tmp_path)
    assert f"with all {N_GENES} genes of the reference, and all of them are here." in measured_with(whole)
    result = applied(two, HALF + 20, tmp_path)
    own = next(one for one in result.methods if one.name == result.chosen)
    assert [one.share for one in own.fewer] == [0.75, 0.5, 0.25, 0.1]
    assert own.fewer[-1].accuracy < own.fewer[0].accuracy <= 1
    assert all(one.read == pytest.approx(one.share, abs=0.12) for one in own.fewer)
    like = next(one for one in own.fewer if one.read <= result.fit.read)
    said = f"With random genes that hold {100 * like.read:.0f} % of the molecules, {100 * like.accuracy:.0f} % of the"
    assert said in result.verdict
    assert f"of which {HALF + 20} are here" in result.verdict
    rows = summary(result)["methods"][result.chosen]["with_fewer_genes"]
    assert [row["accuracy"] for row in rows] == [pytest.approx(one.accuracy, abs=1e-4) for one in own.fewer]


def test_what_was_not_measured_and_whom_it_does_not_fit_is_said(two: Two, tmp_path: Path) -> None:  # noqa: F811
    result = applied(two, HALF + 20, tmp_path)
    older = replace(result, methods=tuple(replace(one, fewer=()) for one in result.methods))
    assert "With these it may be less; how much less was not measured." in measured_with(older)
    foreign = replace(result, fit=replace(result.fit, shift=1.2))
    assert "how many of these it names right is not known" in measured_with(foreign)
    thin = replace(result, fit=replace(result.fit, read=0.05))
    assert "with as few as here it may be far less" in measured_with(thin)
    by_model = measured_with(result, "nearest cells on a model")
    assert by_model == "That was measured with all genes of the reference's cells that the model reads."
    assert measured_with(result, PCS_NEAREST) != by_model


def test_folds_count_by_their_cells() -> None:
    one = (FewerGenes(share=0.5, read=0.4, accuracy=1.0),)
    other = (FewerGenes(share=0.5, read=0.6, accuracy=0.5),)
    (found,) = joined([one, other], [300, 100])
    assert (found.share, found.read, found.accuracy) == (0.5, pytest.approx(0.45), pytest.approx(0.875))


def test_the_shipped_reference_loses_right_names_with_its_genes(two: Two) -> None:  # noqa: F811
    (blood,) = [one for one in references(two.workspace) if one.shipped]
    rule = next(one for one in blood.reference.rules if one.name == LOGISTIC)
    right = [rule.accuracy, *(one.accuracy for one in rule.fewer)]
    assert np.all(np.diff(right) < 0)
    assert right[2] == pytest.approx(0.822, abs=5e-4)
