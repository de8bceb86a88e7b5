"""Names from a reference by models: the same cells learned from, kept with the hash of the model, and applied."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from scviz.errors import RequestError
from scviz.models.geneformer.model import Geneformer
from scviz.tasks.transfer import PCS_LINEAR, Request
from scviz.tasks.transfer.references import keep_reference, write_reference
from scviz.tasks.transfer.run import price, run
from tests.conftest import Opened, keep_model
from tests.tasks.test_transfer import Two, made, two  # noqa: F401 - two is a fixture

LINEAR, NEAREST = "logistic regression on Tiny", "nearest cells on Tiny"


@pytest.fixture
def checkpoint(two: Two) -> str:  # noqa: F811
    torch.manual_seed(0)
    model = Geneformer.untrained(made(240, seed=1), "tiny")
    return keep_model(Opened(two.workspace, two.query, ""), model).checkpoint


def test_a_model_learns_from_the_same_cells_and_is_compared(two: Two, checkpoint: str) -> None:  # noqa: F811
    result = run(two.ask(checkpoints=(checkpoint,), tuning="lora"), two.context())
    names = [one.name for one in result.methods]
    assert names[-3:] == [LINEAR, NEAREST, "Tiny, LoRA + classifier"]
    assert result.gain is not None
    assert result.gain.n == len(result.truth if result.truth is not None else ())
    for method in result.methods:
        assert np.isfinite(result.probabilities[method.name]).all()


def test_what_a_model_learned_is_applied_with_the_same_weights_only(
    two: Two,  # noqa: F811
    checkpoint: str,
) -> None:
    learned = run(two.ask(checkpoints=(checkpoint,)), two.context())
    kept = keep_reference(two.context().result / "reference", two.workspace)
    asked = Request(dataset=two.query, reference=kept.id, checkpoints=(checkpoint,))
    again = run(asked, two.context("two"))
    np.testing.assert_allclose(again.probabilities[LINEAR], learned.probabilities[LINEAR], atol=1e-3)
    assert PCS_LINEAR in again.probabilities
    other = Geneformer.untrained(made(240, seed=1), "tiny")  # other random weights under the same name
    other.save(two.workspace.checkpoint_folder(checkpoint))
    with pytest.raises(RequestError, match="other weights"):
        run(asked, two.context("three"))


def test_the_price_grows_with_what_is_asked(two: Two, checkpoint: str, tmp_path: Path) -> None:  # noqa: F811
    plain = price(two.ask(), two.context())
    tuned = price(two.ask(checkpoints=(checkpoint,), tuning="full"), two.context())
    assert 0 < plain.seconds < tuned.seconds
    assert "360 cells" in plain.how


def test_a_classifier_that_names_by_a_model_reads_with_it_or_says_that_it_is_not_here(
    two: Two,  # noqa: F811
    checkpoint: str,
) -> None:
    learned = run(two.ask(checkpoints=(checkpoint,)), two.context())
    kept = keep_reference(two.context().result / "reference", two.workspace).with_tensors()
    folder = two.workspace.references / "by-model"
    write_reference(replace(kept.reference, chosen=LINEAR), kept.tensors, folder)
    asked = Request(dataset=two.query, reference="by-model")
    again = run(asked, two.context("two"))
    assert again.chosen == LINEAR
    assert again.names().tolist() == learned.names(LINEAR).tolist()
    shutil.rmtree(two.workspace.checkpoint_folder(checkpoint))
    without = run(asked, two.context("three"))
    assert without.chosen != LINEAR
    assert any(
        f"names by {LINEAR}; that model, with the same weights, is not here" in one for one in without.notes
    )
