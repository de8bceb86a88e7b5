from __future__ import annotations

import numpy as np
import pytest

from scviz.metrics.harmony import HarmonySettings, harmonize

RNG = np.random.default_rng(0)
TYPES = np.arange(240) % 3
CENTERS = np.array([[6.0, 0.0, 0.0, 0.0], [0.0, 6.0, 0.0, 0.0], [0.0, 0.0, 6.0, 0.0]])
BATCHES = np.repeat([0, 1], 120)
CELLS = CENTERS[TYPES] + RNG.normal(0, 0.4, (240, 4)) + BATCHES[:, None] * np.array([0.0, 0.0, 0.0, 3.0])


def apart(vectors: np.ndarray) -> float:
    """How far the same type lies apart in two batches, averaged over types."""
    means = [
        [vectors[(one == TYPES) & (batch == BATCHES)].mean(axis=0) for batch in (0, 1)] for one in range(3)
    ]
    return float(np.mean([np.linalg.norm(first - second) for first, second in means]))


def test_a_shift_between_batches_is_taken_out() -> None:
    assert apart(CELLS) > 2.9
    assert apart(harmonize(CELLS, BATCHES)) < 0.2 * apart(CELLS)  # the ridge keeps a part


def test_types_stay_apart() -> None:
    moved = harmonize(CELLS, BATCHES)
    means = np.stack([moved[one == TYPES].mean(axis=0) for one in range(3)])
    assert min(np.linalg.norm(means[i] - means[j]) for i, j in ((0, 1), (0, 2), (1, 2))) > 6


def test_one_batch_is_left_as_it_is() -> None:
    assert np.array_equal(harmonize(CELLS, np.zeros(240, dtype=int)), CELLS)


def test_a_stronger_ridge_moves_less() -> None:
    gentle = harmonize(CELLS, BATCHES, HarmonySettings(ridge=20.0))
    assert np.abs(gentle - CELLS).mean() < np.abs(harmonize(CELLS, BATCHES) - CELLS).mean()


def test_the_same_seed_gives_the_same() -> None:
    assert np.array_equal(harmonize(CELLS, BATCHES), harmonize(CELLS, BATCHES))


def test_arrays_of_other_cells_are_refused() -> None:
    with pytest.raises(ValueError, match="not of 3 cells"):
        harmonize(CELLS, np.zeros(3, dtype=int))
