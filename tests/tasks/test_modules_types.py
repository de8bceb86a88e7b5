"""How often modules are said to tell types apart better than random genes where types mean nothing, and where not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.stats import binom

from scviz.metrics.coherence import random_sets
from scviz.metrics.evidence import LEVEL
from scviz.metrics.matched_null import MatchedNull
from scviz.networks.module_scores import expression_bins
from scviz.tasks.modules import telling
from scviz.tasks.modules.telling import TypedCells, places_among_random

N_SEEDS, N_CELLS, N_GENES = 200, 45, 150


@pytest.fixture(autouse=True)
def fewer_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """39 draws can still put one of 40 first, which is what is asked for here."""
    monkeypatch.setattr(telling, "N_DRAWS", 39)


def best_p(seed: int, *, lift: float = 0.0) -> float:
    """Give the smallest p of two modules and three types; cells of the first type have more of the first module."""
    rng = np.random.default_rng(seed)
    codes = rng.permutation(np.arange(N_CELLS) % 3)
    level = np.log(rng.gamma(1.0, size=N_GENES) + 0.3) + np.zeros((N_CELLS, 1))
    level[:, :10] += lift * (codes == 0)[:, None]
    expression = sp.csr_matrix(np.log1p(rng.poisson(np.exp(level))).astype(np.float32))
    cells = TypedCells(
        rows=np.arange(N_CELLS), expression=expression, bins=expression_bins(expression), codes=codes,
        few=np.empty(0, dtype=np.int64), n_types=3,
    )  # fmt: skip
    null = MatchedNull(np.asarray(expression.mean(axis=0)).ravel())
    modules = [np.arange(10), np.arange(10, 20)]
    beside = [random_sets(null, one, n_others=N_GENES - 10, n_random=39, rng=rng) for one in modules]
    inputs: Any = SimpleNamespace(columns=np.arange(N_GENES))
    context: Any = SimpleNamespace(report=lambda _: None)
    return min(one.p for one in places_among_random(inputs, cells, beside, context=context))


def test_types_that_mean_nothing_are_seldom_told_apart_by_any_module() -> None:
    assert sum(best_p(seed) <= LEVEL for seed in range(N_SEEDS)) <= binom.ppf(0.999, N_SEEDS, LEVEL)


def test_a_module_that_is_twice_as_high_in_a_type_tells_it_apart() -> None:
    assert sum(best_p(seed, lift=0.7) <= LEVEL for seed in range(20)) >= 16  # power of 80 %
