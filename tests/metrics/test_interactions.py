"""How two perturbations act together."""

from __future__ import annotations

import numpy as np
import pytest

from scviz.metrics.interactions import distance_correlation, interaction_scores

RNG = np.random.default_rng(3)
FIRST, SECOND = RNG.normal(size=(2, 60))


def test_an_additive_pair_has_weights_of_one() -> None:
    found = interaction_scores(FIRST, SECOND, FIRST + SECOND)
    np.testing.assert_allclose([found.first, found.second], 1.0, atol=1e-6)
    assert found.magnitude == pytest.approx(np.sqrt(2))
    assert found.fit == pytest.approx(1.0)
    assert found.dominance == pytest.approx(0.0, abs=1e-5)


def test_a_dominant_gene_is_seen() -> None:
    found = interaction_scores(FIRST, SECOND, 2 * FIRST + 0.02 * SECOND)
    assert found.dominance == pytest.approx(2.0, abs=0.01)
    assert found.dcor_first > 0.99
    assert found.equality == pytest.approx(found.dcor_second / found.dcor_first)


def test_weights_of_opposite_sign_have_no_dominance() -> None:
    assert np.isnan(interaction_scores(FIRST, SECOND, FIRST - SECOND).dominance)


def test_no_change_interacts_with_nothing() -> None:
    with pytest.raises(ValueError, match="same in all genes"):
        interaction_scores(FIRST, np.zeros(60), FIRST)


def test_distance_correlation_by_the_definition() -> None:
    x, y = RNG.normal(size=(2, 1500)).astype(np.float32)  # more than one block
    y = x**2 + 0.1 * y

    def centered(values: np.ndarray) -> np.ndarray:
        far = np.abs(values[:, None].astype(np.float64) - values[None])
        return far - far.mean(axis=0) - far.mean(axis=1)[:, None] + far.mean()

    a, b = centered(x), centered(y)
    wanted = np.sqrt((a * b).mean() / np.sqrt((a * a).mean() * (b * b).mean()))
    assert distance_correlation(x, y) == pytest.approx(wanted, rel=1e-6)
    assert wanted > 0.4  # which a linear correlation misses


def test_distance_correlation_ignores_shift_scale_and_rotation() -> None:
    both = np.stack([FIRST, SECOND], axis=1)
    turned = both @ np.array([[0.6, -0.8], [0.8, 0.6]]) * 3 + 1
    assert distance_correlation(both, turned) == pytest.approx(1.0)
    assert distance_correlation(FIRST, np.ones(60)) == 0.0
