"""How often a model that is no better than principal components is called better by any score, and one that is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from scviz.metrics.evidence import LEVEL, Gain, Interval
from scviz.tasks.compare import PCA, ScoreGain
from scviz.tasks.compare.judging import (
    Drawn,
    Embedded,
    Groups,
    gains_of,
    half_scores,
    score_cells,
    scores_of,
    verdict_of,
)
from tests.metrics.test_halves import nearest

N_SEEDS = 200


def gains(
    seed: int, *, noise: float = 1.3, n_cells: int = 45, n_halves: int = 6, batches: bool = False
) -> tuple[ScoreGain, ...]:
    """Compare the same vectors with noise of `noise` and of 1.3, which stand for principal components."""
    rng, types = np.random.default_rng(seed), np.arange(n_cells) % 3
    vectors = 0.6 * rng.normal(size=(n_cells, 4))
    vectors[np.arange(n_cells), types] += 3.0
    methods = {}
    for name, spread in (("model", noise), (PCA, 1.3)):
        noisy = vectors + spread * rng.normal(size=vectors.shape)
        methods[name] = Embedded(vectors=noisy.astype(np.float32), neighbors=nearest(noisy))
    groups = Groups(types=types, batches=rng.integers(0, 2, n_cells) if batches else np.full(n_cells, -1))
    scores = {
        name: scores_of(score_cells(one, groups, seed=0, n_starts=3), one, groups)
        for name, one in methods.items()
    }
    halves = half_scores(methods, groups, seed=seed, n_halves=n_halves)
    drawn = Drawn(scores=scores, halves=halves, names={"model": "Model", PCA: "PCA"}, groups=groups)
    return gains_of(drawn, ["model"])


def test_the_same_vectors_with_other_noise_are_seldom_called_better_by_any_score() -> None:
    found = [{one.gain.outcome for one in gains(seed)} for seed in range(N_SEEDS)]
    most = binom.ppf(0.999, N_SEEDS, LEVEL)
    assert sum("better" in one for one in found) <= most
    assert sum("worse" in one for one in found) <= most


def test_a_model_with_a_third_of_the_noise_is_called_better() -> None:
    found = [gains(seed, noise=0.4, n_cells=150, n_halves=40) for seed in range(5)]
    for score in ("silhouette_label", "nmi"):
        better = [one.gain.outcome == "better" for each in found for one in each if one.score == score]
        assert np.mean(better) >= 0.8


def test_intervals_are_widened_for_all_scores_and_sentences_say_so() -> None:
    found = gains(0, batches=True)
    assert [one.score for one in found] == [
        "agreement", "silhouette_label", "nmi", "ari", "mixing", "silhouette_batch"
    ]  # fmt: skip
    assert {one.gain.together for one in found} == {6}
    assert "95 % interval of 6 comparisons together" in found[0].gain.sentence
    apart = found[-1].gain  # silhouettes of batches: less is better
    assert apart.difference.mean == pytest.approx(apart.baseline_score - apart.score)


def of(model: str, low: float, high: float) -> ScoreGain:
    middle = (low + high) / 2
    gain = Gain(
        model=model, baseline="principal components", score=0.5 + middle, baseline_score=0.5, unit="score",
        difference=Interval(mean=middle, low=low, high=high, n=90), counted="cells", n=90, together=2,
    )  # fmt: skip
    return ScoreGain(method=model, score="agreement", gain=gain)


def test_the_verdict_is_that_of_the_model_that_scores_highest_and_counts_the_others() -> None:
    outcome, sentence = verdict_of([of("A", -0.3, -0.1), of("B", 0.1, 0.2)])
    assert outcome == "better"
    assert sentence.startswith("B is better than principal components")
    assert sentence.endswith("Of 2 comparisons of 2 models with principal components: 1 better, 1 worse.")
    assert verdict_of([of("A", -0.3, 0.3)])[0] == "unknown"
    assert verdict_of([])[0] == "unknown"


def test_a_score_of_batches_is_taken_over_cells_with_a_batch() -> None:
    groups = Groups(types=np.array([0, -1, -1]), batches=np.array([-1, 0, 1]))
    assert [groups.n_judging(score) for score in ("agreement", "nmi", "mixing", "silhouette_batch")] == [
        1,
        1,
        2,
        2,
    ]
    assert groups.counted.all()
