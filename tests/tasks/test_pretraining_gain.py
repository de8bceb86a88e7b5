"""How often a model that has learned nothing is called better than the frequency baseline, and one that has."""

from __future__ import annotations

import numpy as np
from scipy.stats import binom

from scviz.metrics.evidence import LEVEL, Gain
from scviz.tasks.pretraining.judging import FEWEST_JUDGED, saved

N_SEEDS = 200


def gain(seed: int, *, lead: float = 0.0, n_cells: int = 35) -> Gain:
    """Compare losses of cells, some of which are hard for both, of a model that saves `lead` of the loss."""
    rng = np.random.default_rng(seed)
    cells = rng.lognormal(0.0, 0.5, n_cells)
    model, baseline = (cells * rng.lognormal(0.0, 0.15, n_cells) for _ in range(2))
    return saved((1 - lead) * model, baseline, name="Mine", over="the frequency baseline", seed=seed)


def test_a_model_that_has_learned_nothing_is_seldom_called_better_or_worse() -> None:
    found = [gain(seed).outcome for seed in range(N_SEEDS)]
    most = binom.ppf(0.999, N_SEEDS, LEVEL / 2)
    assert found.count("better") <= most
    assert found.count("worse") <= most
    assert found.count("unknown") >= N_SEEDS / 2  # of 35 cells few rule a twentieth of the loss out


def test_a_model_that_saves_an_eighth_of_the_loss_is_called_better_and_one_that_adds_it_worse() -> None:
    assert sum(gain(seed, lead=0.125).outcome == "better" for seed in range(50)) >= 40  # power of 80 %
    assert sum(gain(seed, lead=-0.125).outcome == "worse" for seed in range(50)) >= 40


def test_many_cells_rule_a_gain_out_and_few_cannot_tell() -> None:
    found = [gain(seed, n_cells=1000).outcome for seed in range(20)]
    assert found.count("none") >= 16
    assert gain(0, lead=0.5, n_cells=FEWEST_JUDGED - 1).outcome == "unknown"
