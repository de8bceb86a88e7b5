"""scFoundation with GEARS: genes in their control cells take the place of learned vectors."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from scviz.datasets.screen import Screen
from scviz.errors import GeneMatchError, JobCancelledError
from scviz.foundation.perturbing import PerturbationInputs
from scviz.models.scfoundation.model import ScFoundation
from scviz.models.scfoundation.perturbation import (
    ContextGearsSettings,
    ScFoundationGears,
    restored_totals,
)
from scviz.progress import Progress
from scviz.settings import ROOT
from tests.models.cells import planted_cells
from tests.predictors.screens import planted_screen

BLOOD = ROOT / "assets" / "checkpoints" / "scfoundation-blood"
GENES = tuple(f"GENE{i}" for i in range(0, 60, 2))
"""Thirty of the model's genes."""
SHORT = ContextGearsSettings(epochs=2, batch_size=8, at_once=4)
ASKED = [("GENE12",), ()]
TRAIN = planted_screen(
    [("GENE0",), ("GENE2",), ("GENE4",)], n_cells=6, n_controls=9, genes=(*GENES, "STRANGE1")
)
VALIDATION = planted_screen([("GENE6",)], n_cells=5, n_controls=0, genes=TRAIN.genes, seed=1)


@cache
def model() -> ScFoundation:
    torch.manual_seed(0)
    return ScFoundation.untrained(planted_cells(), "tiny").eval()


def untrained(settings: ContextGearsSettings) -> ScFoundationGears:
    return ScFoundationGears(model().network, model().vocab, settings)


def fitted(settings: ContextGearsSettings, *, state: Path | None = None) -> ScFoundationGears:
    predictor = untrained(settings)
    predictor.fit(TRAIN, VALIDATION, state=state)
    return predictor


@pytest.mark.parametrize("mode", ["v1", "v2"])
def test_it_learns(mode: str) -> None:
    settings = ContextGearsSettings(
        epochs=8, batch_size=8, at_once=4, learning_rate=5e-3, decay=0.9, mode=mode
    )
    history = fitted(settings).gears.history
    assert history.loss[-1] < 0.8 * history.loss[0]
    assert min(history.validation_loss) < history.validation_loss[0]


def test_only_what_gears_adds_is_trained() -> None:
    before = {name: tensor.clone() for name, tensor in model().state_dict().items()}
    network = fitted(SHORT).gears.network
    assert all(torch.equal(tensor, before[name]) for name, tensor in model().state_dict().items())
    names = {name.split(".")[0] for name, _ in network.named_parameters()}
    assert "gene_emb" not in names
    assert "emb_pos" in names


def test_in_the_second_mode_no_vector_of_a_gene_is_learned() -> None:
    network = fitted(ContextGearsSettings(epochs=1, batch_size=8, at_once=4, mode="v2")).gears.network
    assert not {name for name, _ in network.named_parameters() if name.startswith(("gene_emb", "emb_pos"))}


def test_genes_that_the_model_does_not_know_stay_as_in_control() -> None:
    predictor = fitted(SHORT)
    found = predictor.predict(ASKED)
    assert found.shape == (2, len(TRAIN.genes))
    assert np.array_equal(found[:, -1], np.repeat(TRAIN.control[-1], 2))
    assert (np.abs(found[0, :-1] - TRAIN.control[:-1]) > 1e-6).all()
    assert "knows 30 of the 31 measured genes" in predictor.notes[0]


def test_vectors_kept_and_vectors_made_anew_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = fitted(SHORT)
    assert kept.gears.kept is not None
    monkeypatch.setattr("scviz.models.scfoundation.perturbation.MOST_KEPT_GB", 0.0)
    anew = fitted(SHORT)
    assert anew.gears.kept is None
    np.testing.assert_allclose(kept.predict(ASKED), anew.predict(ASKED), atol=1e-4)


def test_the_same_seed_gives_the_same_and_a_resumed_run_too(tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        if "validation_loss" in progress.values:
            raise JobCancelledError("Stopped.")

    stopped = untrained(SHORT)
    with pytest.raises(JobCancelledError):
        stopped.fit(TRAIN, VALIDATION, report=stop, state=tmp_path)
    resumed, whole = fitted(SHORT, state=tmp_path), fitted(SHORT)
    assert np.array_equal(resumed.predict(ASKED), whole.predict(ASKED))


def test_an_unknown_gene_has_a_reason_and_no_prediction() -> None:
    predictor = fitted(SHORT)
    assert "NEW" in predictor.reason_against(("NEW",))
    assert np.isnan(predictor.predict([("NEW",)])).all()


def test_the_blood_model_predicts_a_small_screen() -> None:
    blood = ScFoundation.for_task(BLOOD, "perturbation")
    genes = blood.vocab.genes[:50]
    rng = np.random.default_rng(0)
    screen = Screen(
        expression=sp.csr_matrix(np.log1p(rng.poisson(1.0, size=(24, 50))).astype(np.float32)),
        genes=genes,
        perturbations=((), (genes[0],), (genes[1],)),
        codes=np.arange(24) % 3,
    )
    predictor = blood.perturbation_predictor(PerturbationInputs(epochs=1, batch_size=6))
    predictor.fit(screen, None)
    assert predictor.gears.network.shape.hidden == blood.config.decoder_width
    assert np.isfinite(predictor.predict([(genes[2],)])).all()


def test_reads_are_restored_where_counts_were_only_scaled() -> None:
    counts = np.random.default_rng(0).poisson(1.0, size=(20, 60)).astype(float)
    counts[:, 0] = 1
    logs = np.log1p(counts / counts.sum(axis=1, keepdims=True) * 1e4)
    totals, note = restored_totals(sp.csr_matrix(logs, dtype=np.float32))
    np.testing.assert_allclose(totals, counts.sum(axis=1), rtol=1e-4)
    assert "restored" in note


def test_where_reads_cannot_be_restored_the_sum_of_values_takes_their_place() -> None:
    values = np.random.default_rng(0).gamma(2.0, 1.0, size=(20, 60))
    totals, note = restored_totals(sp.csr_matrix(values))
    np.testing.assert_allclose(totals, values.sum(axis=1))
    assert "unknown" in note


def test_genes_of_another_species_are_refused() -> None:
    screen = planted_screen([("Gm1992",)], genes=("Gm1992", "Gm37381"))
    with pytest.raises(GeneMatchError, match="none of the measured genes"):
        untrained(SHORT).fit(screen, None)


def test_the_published_smoothing_is_no_choice() -> None:
    with pytest.raises(ValueError, match="no choice"):
        untrained(ContextGearsSettings(published=True))
