"""Scores of neighbors with an interval from halves of the cells: how often equal methods are called different."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.stats import binom

from scviz.metrics.evidence import LEVEL, Gain
from scviz.metrics.halves import FEWEST_CELLS, half_interval, halves
from scviz.metrics.neighbors import agreement_gain, neighbor_agreement, neighbor_names, without_rare

N_SEEDS = 200


def nearest(vectors: NDArray[np.float64], k: int = 10) -> NDArray[np.int32]:
    distances = cdist(vectors, vectors)
    np.fill_diagonal(distances, np.inf)
    return np.argsort(distances, axis=1)[:, :k].astype(np.int32)


def gain(seed: int, *, noise: float = 1.3, n_cells: int = 90) -> Gain:
    """Compare the same vectors with noise of `noise` and of 1.3."""
    rng, types = np.random.default_rng(seed), np.arange(n_cells) % 3
    vectors = 0.6 * rng.normal(size=(n_cells, 4))
    vectors[np.arange(n_cells), types] += 3.0
    one, two = (nearest(vectors + spread * rng.normal(size=vectors.shape)) for spread in (noise, 1.3))
    return agreement_gain(one, two, types, name="Model", over="principal components", seed=seed)


def test_the_same_vectors_with_other_noise_are_seldom_called_better_or_worse() -> None:
    found = [gain(seed).outcome for seed in range(N_SEEDS)]
    most = binom.ppf(0.999, N_SEEDS, LEVEL / 2)
    assert found.count("better") <= most
    assert found.count("worse") <= most


def test_vectors_with_half_the_noise_are_called_better() -> None:
    found = [gain(seed, noise=0.65, n_cells=200).outcome for seed in range(30)]
    assert found.count("better") >= 24  # power of 80 %


def test_halves_of_a_mean_have_the_interval_of_the_mean() -> None:
    rng, inside, widths = np.random.default_rng(0), 0, []
    for seed in range(N_SEEDS):
        values = rng.normal(size=60)
        drawn = [values[half].mean() for half in halves(np.zeros(60), seed=seed)]
        found = half_interval(values.mean(), drawn, n_cells=60)
        inside += found.low <= 0 <= found.high
        widths.append(found.high - found.low)
    assert binom.cdf(inside, N_SEEDS, 1 - LEVEL) > 0.001
    assert np.mean(widths) == pytest.approx(2 * 2.02 / np.sqrt(60), rel=0.1)


def test_every_half_holds_half_of_each_type_and_few_cells_cannot_tell() -> None:
    types = np.repeat([0, 1, 2], [10, 5, 30])
    for half in halves(types, n_halves=5):
        assert np.bincount(types[half]).tolist() == [5, 2, 15]
    assert not half_interval(0.5, np.zeros(40), n_cells=FEWEST_CELLS - 1).known
    assert not half_interval(0.5, [0.1] * 30 + [np.nan] * 10, n_cells=60).known
    assert gain(0, n_cells=24).outcome == "unknown"


def test_types_of_few_cells_are_left_out_of_both_scores() -> None:
    types = np.repeat([0, 1, 2], [20, 20, 4])
    assert np.array_equal(without_rare(types) >= 0, types < 2)
    rows = nearest(np.random.default_rng(0).normal(size=(44, 3)))
    found = agreement_gain(rows, rows, types, name="a", over="b")
    assert found.n == 40
    assert found.score == neighbor_agreement(rows, without_rare(types))
    assert found.outcome == "none"  # the same vectors


def test_votes_name_cells_and_cells_without_type_are_not_asked() -> None:
    neighbors = np.array([[1, 2], [0, 2], [0, 1], [0, 1]])
    assert neighbor_names(neighbors, np.array([0, 0, 1, -1])).tolist() == [0, 0, 0, -1]
