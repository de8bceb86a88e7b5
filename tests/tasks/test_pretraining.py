"""Pre-training as a run, and taking weights in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from anndata import AnnData

from scviz.errors import CheckpointError, RequestError, ScvizError
from scviz.foundation.classifier import CellTypeClassifier
from scviz.models import model_class
from scviz.tasks import importing
from scviz.tasks.importing.run import run as take_in
from scviz.tasks.pretraining import Request
from scviz.tasks.pretraining.run import price, run, split
from scviz.workspace.store import write_checkpoint_info
from tests.conftest import Opened


@pytest.mark.slow
def test_a_new_model_beats_the_guess_by_frequency_on_planted_types(opened: Opened, adata: AnnData) -> None:
    request = Request(
        dataset=opened.dataset,
        configuration="tiny",
        name="My model",
        epochs=60,
        batch_size=12,
        learning_rate=3e-3,
    )
    result = run(request, opened.context())
    assert min(result.validation_losses) < result.baseline_loss
    assert result.n_train == 54
    assert (result.n_validation, result.gain.n) == (3, 3)
    assert result.gain.difference.mean > 0
    assert result.gain.outcome == "unknown"  # three cells cannot tell
    assert result.further is None
    assert result.first_loss is None
    info = opened.workspace.checkpoint(result.checkpoint)
    assert info.name == "My model"
    assert info.n_genes == int((adata.X.sum(axis=0) > 0).sum())
    model = model_class(info.model).from_checkpoint(opened.workspace.checkpoint_folder(info.id))
    assert np.isfinite(model.embed(adata)).all()


def test_an_unknown_configuration_is_refused(opened: Opened) -> None:
    with pytest.raises(RequestError, match="no configuration 'huge'"):
        run(Request(dataset=opened.dataset, configuration="huge"), opened.context())


def test_a_folder_of_weights_is_taken_in_once(opened: Opened, adata: AnnData) -> None:
    folder = opened.workspace.checkpoint_folder(opened.checkpoint)
    request = importing.Request(model="geneformer", folder=str(folder), name="Mine")
    first, again = take_in(request, opened.context("a")), take_in(request, opened.context("b"))
    assert first == again
    assert first.missing == ()
    assert len(first.loaded) > 30
    kept = model_class("geneformer").from_checkpoint(opened.workspace.checkpoint_folder(first.checkpoint))
    before = model_class("geneformer").from_checkpoint(folder)
    assert np.array_equal(kept.embed(adata), before.embed(adata))


def test_a_folder_without_weights_is_refused(opened: Opened, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError) as refusal:
        take_in(importing.Request(model="geneformer", folder=str(tmp_path), name="x"), opened.context())
    assert refusal.value.hint


def test_weights_remember_what_those_before_them_have_seen(opened: Opened) -> None:
    folder = opened.workspace.checkpoint_folder(opened.checkpoint)
    first = opened.workspace.checkpoint(opened.checkpoint)
    assert opened.workspace.seen_in_training(first.id, opened.dataset) == "not known"
    write_checkpoint_info(replace(first, trained_on=("earlier-12345678",)), folder)
    asked = {"dataset": opened.dataset, "checkpoint": opened.checkpoint, "epochs": 1}
    result = run(Request(**asked, name="Further"), opened.context())
    assert opened.workspace.checkpoint(result.checkpoint).trained_on == ("earlier-12345678", opened.dataset)
    assert opened.workspace.seen_in_training(result.checkpoint, opened.dataset) == "seen"
    kept = opened.workspace.checkpoint_folder(result.checkpoint)
    taken = take_in(importing.Request(model="geneformer", folder=str(kept), name="back"), opened.context())
    assert opened.workspace.checkpoint(taken.checkpoint).trained_on == ("earlier-12345678", opened.dataset)


def test_training_goes_on_from_weights_that_are_there(opened: Opened, adata: AnnData) -> None:
    asked = {"dataset": opened.dataset, "checkpoint": opened.checkpoint, "configuration": "ignored"}
    result = run(Request(**asked, name="Further", epochs=2, learning_rate=1e-7), opened.context())
    info = opened.workspace.checkpoint(result.checkpoint)
    assert info.id.startswith("geneformer/further-")
    assert (
        info.description
        == "Pre-trained further on 54 cells of cells, from the weights Tiny (geneformer/tiny)."
    )
    assert "--checkpoint geneformer/tiny" in info.command
    assert "--validation-fraction 0.1 " in info.command
    first = model_class("geneformer").from_checkpoint(opened.workspace.checkpoint_folder(opened.checkpoint))
    kept = model_class("geneformer").from_checkpoint(opened.workspace.checkpoint_folder(info.id))
    assert kept.vocab.genes == first.vocab.genes
    np.testing.assert_allclose(kept.embed(adata), first.embed(adata), atol=1e-4)
    assert result.losses[0] != result.losses[1]  # other genes are hidden in each pass
    assert result.validation_losses[0] == pytest.approx(result.validation_losses[1], abs=1e-4)
    assert result.first_loss == pytest.approx(result.validation_losses[0], abs=1e-4)
    assert result.further is not None
    assert result.further.difference.mean == pytest.approx(0, abs=1e-4)


def test_cells_that_judge_are_of_the_whole_file(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scviz.tasks.pretraining.run.MOST_JUDGED", 5)
    adata = opened.context().counts(opened.dataset)
    model = model_class("geneformer").untrained(adata, "tiny")
    seeds = range(20)
    parts = [
        split(model, adata, Request(dataset=opened.dataset, validation_fraction=0.5, seed=n)) for n in seeds
    ]
    assert all(len(one.test) == 5 for one in parts)
    middles = [float(np.mean(one.test)) for one in parts]
    assert np.mean(middles) == pytest.approx(
        (adata.n_obs - 1) / 2, abs=6
    )  # the first of each half are near 9


def test_going_on_has_a_price_and_needs_weights_that_exist(opened: Opened) -> None:
    asked = {"dataset": opened.dataset, "checkpoint": opened.checkpoint}
    few, many = (price(Request(**asked, epochs=n), opened.context()) for n in (1, 500))
    assert many.seconds > few.seconds
    with pytest.raises(ScvizError) as refusal:
        run(Request(dataset=opened.dataset, checkpoint="geneformer/gone"), opened.context())
    assert refusal.value.hint


def test_a_fine_tuned_checkpoint_keeps_its_head_and_names_cells(opened: Opened, adata: AnnData) -> None:
    encoder = model_class("geneformer").from_checkpoint(opened.workspace.checkpoint_folder(opened.checkpoint))
    folder = opened.context().state / "tuned"
    torch.manual_seed(1)
    made = CellTypeClassifier(encoder, encoder.classifier(3), ("B cell", "NK cell", "T cell"))
    made.save(folder, trained_on=("earlier-12345678",))
    result = take_in(
        importing.Request(model="geneformer", folder=str(folder), name="tuned"), opened.context()
    )
    info = opened.workspace.checkpoint(result.checkpoint)
    assert info.types == result.types == ("B cell", "NK cell", "T cell")
    assert info.trained_on == ("earlier-12345678",)
    kept = CellTypeClassifier.load(opened.workspace.checkpoint_folder(info.id), model_class(info.model))
    named, expected = kept.classify(adata), made.classify(adata)
    assert named.types == info.types
    np.testing.assert_allclose(named.probabilities, expected.probabilities, atol=1e-6)
    assert named.best.tolist() == named.probabilities.argmax(axis=1).tolist()
    plain = take_in(
        importing.Request(
            model="geneformer",
            folder=str(opened.workspace.checkpoint_folder(opened.checkpoint)),
            name="tuned",
        ),
        opened.context(),
    )
    assert opened.workspace.checkpoint(plain.checkpoint).types == ()
    assert plain.checkpoint != result.checkpoint
