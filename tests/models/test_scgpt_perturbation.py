"""scGPT learns a screen: it beats what it must beat, stops and goes on, and says what it cannot do."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from numpy.typing import NDArray

from scviz.datasets.screen import CONTROL, Perturbation, Screen
from scviz.errors import GeneMatchError, JobCancelledError, RequestError
from scviz.models.scgpt.model import ScGPT
from scviz.models.scgpt.screen import ScGptPerturbationSettings, ScGptScreen, genes_of_step, pair_cells
from scviz.predictors.no_change import NoChange
from scviz.predictors.train_mean import TrainMean
from scviz.progress import Progress, silent
from scviz.settings import ROOT
from tests.models.cells import planted_cells

N_GENES = 24
GENES = (*(f"GENE{i}" for i in range(N_GENES - 1)), "LINC01")
SINGLES = [(f"GENE{i}",) for i in range(6)]
FAST = {"epochs": 6, "batch_size": 16, "learning_rate": 3e-3, "genes_per_step": 16, "control_cells": 20}


@cache
def encoder() -> ScGPT:
    torch.manual_seed(0)
    return ScGPT.untrained(planted_cells(), "tiny").eval()


def made(perturbations: list[Perturbation], n_cells: int = 30, seed: int = 0) -> Screen:
    """Each perturbation silences its own genes and lifts three others, the same for all."""
    rng = np.random.default_rng(seed)
    whole = sorted({CONTROL, *perturbations})
    rows = rng.uniform(1, 2, N_GENES) + rng.normal(0, 0.1, (len(whole) * n_cells, N_GENES))
    codes = np.repeat(np.arange(len(whole)), n_cells)
    for row, code in enumerate(codes):
        for gene in whole[code]:
            if gene in GENES:
                rows[row, GENES.index(gene)] = 0
        if whole[code]:
            rows[row, -4:-1] += 1
    return Screen(
        expression=sp.csr_matrix(rows.astype(np.float32)),
        genes=GENES,
        perturbations=tuple(whole),
        codes=codes,
    )


def untrained(**more) -> ScGptScreen:
    return ScGptScreen(encoder().network, encoder().vocab, ScGptPerturbationSettings(**(FAST | more)))


def learned(train: Screen, validation: Screen | None = None, **more) -> ScGptScreen:
    predictor = untrained(**more)
    predictor.fit(train, validation)
    return predictor


def error(predicted: NDArray, screen: Screen, asked: list[Perturbation]) -> float:
    return float(np.mean((predicted - screen.means(asked)) ** 2))


@pytest.mark.slow
def test_it_learns_what_every_perturbation_does_and_what_its_own_gene_does() -> None:
    whole = made(SINGLES, n_cells=60)
    unseen = [SINGLES[5], SINGLES[4]]
    train = whole.only([CONTROL, *SINGLES[:4]])
    predictor = learned(train, epochs=25, genes_per_step=24)
    none, mean = NoChange(), TrainMean()
    for baseline in (none, mean):
        baseline.fit(train, None)
    own = error(predictor.predict(unseen), whole, unseen)
    assert own < 0.5 * error(none.predict(unseen), whole, unseen)
    assert own < 0.7 * error(mean.predict(unseen), whole, unseen)


def test_the_same_seed_gives_the_same_predictions() -> None:
    train = made(SINGLES[:3], n_cells=16)
    first, second, other = (
        learned(train, epochs=2, seed=seed).predict([SINGLES[0], ("GENE0", "GENE1")]) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, second)
    assert not np.allclose(first, other)


def test_stopped_training_goes_on_and_predicts_the_same(tmp_path: Path) -> None:
    whole = made(SINGLES[:4], n_cells=16)
    train, validation = whole.only([CONTROL, *SINGLES[:3]]), whole.only([SINGLES[3]])

    def fit(state: Path, report=silent) -> ScGptScreen:
        predictor = untrained(epochs=4)
        predictor.fit(train, validation, report=report, state=state)
        return predictor

    def stop(progress: Progress) -> None:
        if progress.done == 10:  # in the third epoch of four updates
            raise JobCancelledError("The run was stopped.")

    expected = fit(tmp_path / "whole")
    with pytest.raises(JobCancelledError):
        fit(tmp_path / "parts", stop)
    seen: list[int] = []
    again = fit(tmp_path / "parts", lambda progress: seen.append(progress.done))
    assert next(filter(None, seen)) == 9
    np.testing.assert_allclose(again.predict(SINGLES), expected.predict(SINGLES), atol=1e-6)
    assert again.history.validation_loss == pytest.approx(expected.history.validation_loss)


def test_the_best_epoch_is_that_of_the_highest_correlation() -> None:
    whole = made(SINGLES[:4], n_cells=20)
    validation = whole.only([SINGLES[3]])
    predictor = learned(whole.only([CONTROL, *SINGLES[:3]]), validation)
    history = predictor.history
    assert history.best_epoch == int(np.argmin(history.validation_loss))
    kept = np.corrcoef(predictor.predict([SINGLES[3]])[0], validation.mean(SINGLES[3]))[0, 1]
    assert -min(history.validation_loss) == pytest.approx(kept, abs=1e-5)


def test_a_target_that_is_not_measured_is_a_sentence() -> None:
    predictor = learned(made([*SINGLES[:2], ("FOXP3",)], n_cells=16), epochs=1)
    assert predictor.reason_against(("GENE9",)) == ""
    assert predictor.reason_against(("FOXP3", "GENE1")) == "FOXP3 not measured"
    predicted = predictor.predict([("FOXP3",), ("GENE1",), CONTROL])
    assert np.isnan(predicted).all(axis=1).tolist() == [True, False, False]


def test_training_says_what_it_leaves_out_and_does_not_know() -> None:
    notes: list[str] = []
    predictor = untrained(epochs=1)
    train = made([*SINGLES[:2], ("FOXP3",)], n_cells=16)
    predictor.fit(train, None, report=lambda progress: notes.append(progress.note))
    assert [note for note in notes if note] == [
        "scGPT learns from 2 of 3 perturbations: the others' genes are not measured.",
        "scGPT knows 23 of 24 genes; it tells the others apart by their expression only.",
    ]


def test_screens_from_which_nothing_can_be_learned_are_refused() -> None:
    with pytest.raises(RequestError, match="None of the perturbations"):
        learned(made([("FOXP3",)], n_cells=4))
    with pytest.raises(RequestError, match="no control cells"):
        learned(made(SINGLES[:2], n_cells=4).only(SINGLES[:2]))
    strange = made(SINGLES[:2], n_cells=4)
    strange = Screen(
        expression=strange.expression,
        genes=tuple(f"X{i}" for i in range(N_GENES)),
        perturbations=strange.perturbations,
        codes=strange.codes,
    )
    with pytest.raises(GeneMatchError, match="None of the 24 genes"):
        learned(strange)


def test_genes_outside_the_vocabulary_are_padding_and_predicted() -> None:
    predictor = learned(made(SINGLES[:2], n_cells=8), epochs=1)
    assert int(predictor.gene_ids[-1]) == encoder().vocab.special["<pad>"]
    assert np.isfinite(predictor.predict([SINGLES[0]])).all()


def test_the_foundation_model_stays_as_it_is() -> None:
    before = {name: tensor.clone() for name, tensor in encoder().network.state_dict().items()}
    learned(made(SINGLES[:2], n_cells=8), epochs=1)
    after = encoder().network.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_training_starts_from_the_encoder() -> None:
    train = made(SINGLES[:2], n_cells=8)
    predictor = learned(train, epochs=1, learning_rate=0.0)
    own, theirs = predictor.network.state_dict(), encoder().network.state_dict()
    names = [name for name in own if name.startswith(("encoder.", "value_encoder.", "transformer_encoder."))]
    assert len(names) > 10
    assert all(torch.equal(own[name].cpu(), theirs[name]) for name in names)


def test_perturbed_cells_have_a_control_cell_and_control_cells_themselves() -> None:
    cells = made(SINGLES[:2], n_cells=10)
    pairs = pair_cells(cells, 0)
    controls = set(cells.rows(CONTROL).tolist())
    assert set(pairs.control.tolist()) <= controls
    assert all(pairs.control[row] == row for row in controls)
    assert len(set(pairs.control[10:].tolist())) > 4


def test_a_step_always_reads_the_perturbed_genes() -> None:
    flags = torch.zeros(3, 100, dtype=torch.int64)
    flags[0, 7] = flags[2, 93] = 1
    for _ in range(20):
        some = genes_of_step(flags, 10)
        assert {7, 93} <= set(some.tolist())
        assert 10 <= len(some) <= 12
        assert some.tolist() == sorted(some.tolist())
    assert len(genes_of_step(flags, 1536)) == 100


@pytest.mark.slow
def test_the_demo_weights_learn_a_screen() -> None:
    model = ScGPT.from_checkpoint(ROOT / "assets" / "checkpoints" / "scgpt-blood")
    genes = tuple(model.vocab.genes[:N_GENES])
    cells = made(SINGLES[:3], n_cells=24)
    names = dict(zip(GENES, genes, strict=True))
    train = Screen(
        expression=cells.expression,
        genes=genes,
        perturbations=tuple(tuple(names[gene] for gene in one) for one in cells.perturbations),
        codes=cells.codes,
    )
    predictor = ScGptScreen(
        model.network, model.vocab, ScGptPerturbationSettings(epochs=3, learning_rate=1e-3)
    )
    predictor.fit(train, None)
    assert predictor.history.loss[-1] < 0.5 * predictor.history.loss[0]
