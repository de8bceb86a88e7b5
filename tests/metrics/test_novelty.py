"""Cells of a planted new type are found, and nothing is found where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from scviz.metrics.novelty import (
    energy,
    max_softmax,
    missed,
    neighbor_distance,
    novelty_auroc,
    type_clouds,
)


def cells(seed: int, shift: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Give known cells, their types, and others of which half are of a new type, `shift` away."""
    rng = np.random.default_rng(seed)
    types = rng.integers(0, 3, 300)
    means = np.array([[4.0, 0, 0, 0], [0, 4, 0, 0], [0, 0, 4, 0]])
    known = means[types] + rng.normal(size=(300, 4))
    novel = np.arange(160) < 80
    others = means[rng.integers(0, 3, 160)] + rng.normal(size=(160, 4))
    others[novel, 3] += shift
    return known, types, others, novel


@pytest.mark.parametrize("score", ["clouds", "shrunk", "neighbors"])
def test_a_new_type_lies_far_from_the_known(score: str) -> None:
    known, types, others, novel = cells(0, 6.0)
    values = {
        "clouds": lambda: type_clouds(known, types).distance(others),
        "shrunk": lambda: type_clouds(known, types, shrink=True).distance(others),
        "neighbors": lambda: neighbor_distance(known, others),
    }[score]()
    found = novelty_auroc(values, novel)
    assert found.low > 0.9
    assert missed(values, novel) < 0.1


def test_what_varies_within_types_as_among_them_all_does_not_count_relatively() -> None:
    known, types, others, novel = cells(0, 6.0)
    clouds = type_clouds(known, types)
    assert (
        novelty_auroc(clouds.relative_distance(others), novel).mean
        < novelty_auroc(clouds.distance(others), novel).mean - 0.3
    )


def test_nothing_is_found_where_nothing_is_new() -> None:
    outside = 0
    for seed in range(40):
        known, _, others, novel = cells(seed, 0.0)
        found = novelty_auroc(neighbor_distance(known, others), novel, seed=seed)
        outside += not found.low <= 0.5 <= found.high
    assert binom.sf(outside - 1, 40, 0.05) > 1e-3


def test_the_interval_is_that_of_whole_draws() -> None:
    rng = np.random.default_rng(1)
    novel = np.arange(60) < 20
    values = np.round(rng.normal(size=60) + novel, 1)  # with ties
    found = novelty_auroc(values, novel)
    again = []
    for _ in range(1500):
        rows = np.concatenate(
            [rng.choice(np.flatnonzero(novel == side), (novel == side).sum()) for side in (0, 1)]
        )
        new, old = values[rows[novel[rows]]], values[rows[~novel[rows]]]
        again.append((new[:, None] > old).mean() + (new[:, None] == old).mean() / 2)
    low, high = np.quantile(again, [0.025, 0.975])
    assert found.low == pytest.approx(low, abs=0.03)
    assert found.high == pytest.approx(high, abs=0.03)
    assert np.isnan(novelty_auroc(values, np.zeros(60, dtype=bool)).mean)


def test_doubt_and_energy_are_high_where_no_type_scores_high() -> None:
    scores = np.array([[9.0, 0.0], [0.1, 0.0]])
    assert energy(scores)[1] > energy(scores)[0]
    assert max_softmax(np.array([[0.9, 0.1], [0.5, 0.5]])).tolist() == pytest.approx([0.1, 0.5])
