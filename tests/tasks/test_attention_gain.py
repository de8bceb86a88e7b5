"""How often attention that finds no more than co-expression is called better, and one that does."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.metrics import roc_auc_score

from scviz.metrics.evidence import LEVEL, Gain
from scviz.tasks.attention_network.judging import gain_of


def gain(seed: int, *, strength: float = 0.0, n_known: float = 0.15) -> Gain:
    rng = np.random.default_rng(seed)
    known = rng.random((2, 150)) < n_known
    attention, plain = rng.normal(size=(2, 2, 150))
    found = gain_of((attention + strength * known, plain), known, model="Attention", seed=seed)
    assert found is not None
    return found


def test_rankings_that_find_as_much_are_seldom_called_different() -> None:
    found = [gain(seed).outcome for seed in range(200)]
    assert found.count("better") <= binom.ppf(0.999, 200, LEVEL / 2)
    assert found.count("worse") <= binom.ppf(0.999, 200, LEVEL / 2)


def test_a_ranking_that_finds_more_is_called_better() -> None:
    assert sum(gain(seed, strength=1.5).outcome == "better" for seed in range(20)) >= 18  # power above 90 %


def test_scores_are_mean_areas_and_few_known_targets_cannot_tell() -> None:
    rng = np.random.default_rng(3)
    known = rng.random((2, 150)) < 0.15
    one, other = rng.normal(size=(2, 2, 150))
    found = gain_of((one, other), known, model="Attention", seed=0)
    assert found is not None
    assert found.score == pytest.approx(
        np.mean([roc_auc_score(*pair) for pair in zip(known, one, strict=True)])
    )
    assert gain(0, n_known=0.02).outcome == "unknown"


def test_no_known_target_gives_no_gain() -> None:
    nothing = np.zeros((1, 20), dtype=bool)
    assert gain_of((np.ones((1, 20)), np.ones((1, 20))), nothing, model="Attention", seed=0) is None
