"""Training: it learns, stops, goes on where it was, and makes do with little memory."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from scviz.errors import JobCancelledError, OutOfMemoryError
from scviz.progress import Progress, silent
from scviz.training import Cells, History, TrainingSettings, fit

RNG = np.random.default_rng(0)
POINTS = torch.as_tensor(RNG.normal(size=(80, 6)), dtype=torch.float32)
TARGETS = (POINTS[:, 0] > 0).long()
CELLS = Cells(train=np.arange(60), validation=np.arange(60, 80), lengths=np.arange(80) % 7)
SETTINGS = TrainingSettings(epochs=6, batch_size=8, learning_rate=0.02, patience=None)


def network() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.3), nn.ReLU(), nn.Linear(8, 2))


def train(model: nn.Module, state: Path, *, report=silent, settings=SETTINGS, limit: int = 10**6) -> History:
    def loss(rows: NDArray[np.int64]) -> Tensor:
        if len(rows) > limit:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return nn.functional.cross_entropy(model(POINTS[rows]), TARGETS[rows])

    return fit(model, loss, CELLS, settings=settings, report=report, state=state)


def weights(model: nn.Module) -> NDArray[np.float32]:
    return torch.cat([p.detach().ravel() for p in model.parameters()]).numpy()


def test_the_loss_falls(tmp_path: Path) -> None:
    history = train(network(), tmp_path)
    assert len(history.loss) == len(history.validation_loss) == 6
    assert history.loss[-1] < 0.8 * history.loss[0]


def test_the_weights_of_the_best_epoch_are_kept(tmp_path: Path) -> None:
    model = network()
    history = train(model, tmp_path)
    model.eval()
    rows = CELLS.validation
    kept = float(nn.functional.cross_entropy(model(POINTS[rows]), TARGETS[rows]).detach())
    assert history.best_epoch == int(np.argmin(history.validation_loss))
    assert kept == pytest.approx(min(history.validation_loss), abs=1e-5)


def test_progress_counts_every_batch_once(tmp_path: Path) -> None:
    seen: list[Progress] = []
    train(network(), tmp_path, report=seen.append)
    batches = [progress.done for progress in seen if "loss" in progress.values]
    assert batches == list(range(1, 49))
    assert {progress.total for progress in seen} == {48}


def test_stopped_training_goes_on_and_ends_with_the_same_weights(tmp_path: Path) -> None:
    whole = network()
    expected = train(whole, tmp_path / "whole")

    def stop(progress: Progress) -> None:
        if progress.done == 29:  # in the middle of the fourth epoch
            raise JobCancelledError("stopped")

    with pytest.raises(JobCancelledError):
        train(network(), tmp_path / "parts", report=stop)
    again, seen = network(), []
    history = train(again, tmp_path / "parts", report=seen.append)
    assert seen[0].done == 25
    assert history.loss == pytest.approx(expected.loss)
    np.testing.assert_allclose(weights(again), weights(whole), atol=1e-6)


def test_training_ends_early_when_validation_no_longer_gains(tmp_path: Path) -> None:
    settings = TrainingSettings(epochs=200, batch_size=8, learning_rate=0.05, patience=2)
    history = train(network(), tmp_path, settings=settings)
    assert len(history.loss) < 200
    assert history.best_epoch == len(history.loss) - 3


def test_too_little_memory_halves_the_pieces_and_says_so(tmp_path: Path) -> None:
    notes: list[str] = []
    history = train(network(), tmp_path, report=lambda p: notes.append(p.note) if p.note else None, limit=3)
    assert len(history.loss) == 6
    assert notes == [
        "Memory ran out, so cells are taken 4 at a time; their gradients are added up.",
        "Memory ran out, so cells are taken 2 at a time; their gradients are added up.",
    ]


def test_a_cell_that_does_not_fit_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(OutOfMemoryError, match="one cell at a time does not fit"):
        train(network(), tmp_path, limit=0)


def test_adam_with_a_falling_rate_goes_on_where_it_was(tmp_path: Path) -> None:
    settings = dataclasses.replace(
        SETTINGS, decay=0.5, clip_value=1.0, drop_last=True, weight_decay=5e-4, batch_size=16
    )
    whole = network()
    train(whole, tmp_path / "whole", settings=settings)
    halted, seen = network(), 0

    def stop_in_the_fourth_epoch(progress: Progress) -> None:
        nonlocal seen
        seen = progress.done
        if seen == 11:
            raise JobCancelledError("The run was stopped.")

    with pytest.raises(JobCancelledError):
        train(halted, tmp_path / "halted", settings=settings, report=stop_in_the_fourth_epoch)
    assert seen == 11, "three batches an epoch: the fourth, of 12 cells, is left out"
    again = network()
    train(again, tmp_path / "halted", settings=settings)
    np.testing.assert_allclose(weights(again), weights(whole), atol=1e-6)


def test_a_score_picks_the_epoch(tmp_path: Path) -> None:
    scores = iter([3.0, 1.0, 2.0, 4.0, 5.0, 6.0])
    history = fit(
        model := network(),
        lambda rows: nn.functional.cross_entropy(model(POINTS[rows]), TARGETS[rows]),
        CELLS,
        settings=SETTINGS,
        report=silent,
        state=tmp_path,
        score=lambda: next(scores),
    )
    assert history.validation_loss == [3.0, 1.0, 2.0, 4.0, 5.0, 6.0]
    assert history.best_epoch == 1


def test_updates_taken_in_pieces_are_those_of_whole_batches(tmp_path: Path) -> None:
    settings = dataclasses.replace(SETTINGS, batch_size=20, drop_last=True)
    whole, pieces = network(), network()
    whole[1].p = pieces[1].p = 0.0
    train(whole, tmp_path / "whole", settings=settings)
    train(pieces, tmp_path / "pieces", settings=dataclasses.replace(settings, pieces=4), limit=5)
    np.testing.assert_allclose(weights(pieces), weights(whole), atol=1e-5)
