"""With nothing to predict no method is found better, and with something to find it is found."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.stats import binom

from scviz.datasets.perturbation_split import split_perturbations
from scviz.datasets.screen import Screen
from scviz.foundation.predictor import PerturbationPredictor
from scviz.metrics.evidence import Gain
from scviz.metrics.perturbation import pearson_rows
from scviz.predictors.linear import Linear
from scviz.predictors.no_change import NoChange
from scviz.predictors.ridge import Neighbors, Ridge
from scviz.predictors.train_mean import TrainMean
from scviz.predictors.vectors import GeneVectors
from scviz.tasks.perturbation.verdict import Row, gain_over

N_GENES, N_TARGETS, WIDTH = 100, 32, 6
N_SEEDS = 200


def made(effect: float, rng: np.random.Generator) -> tuple[Screen, GeneVectors]:
    """Cells of noise around changes that follow from vectors of the perturbed genes."""
    genes = tuple(f"G{i}" for i in range(N_GENES))
    targets = sorted((gene,) for gene in genes[:N_TARGETS])
    codes = np.repeat(np.arange(N_TARGETS + 1), [60, *[15] * N_TARGETS])
    vectors = rng.normal(size=(N_TARGETS + 1, WIDTH))
    deltas = effect * vectors @ rng.normal(size=(WIDTH, N_GENES)) / np.sqrt(WIDTH)
    deltas[0] = 0
    cells = rng.uniform(1, 2, N_GENES) + deltas[codes] + 0.7 * rng.normal(size=(len(codes), N_GENES))
    screen = Screen(
        expression=sp.csr_matrix(cells.astype(np.float32)),
        genes=genes,
        perturbations=((), *targets),
        codes=codes,
    )
    names = tuple(one[0] for one in targets)
    return screen, GeneVectors(genes=names, vectors=vectors[1:].astype(np.float32), source="made")


def best_gain(seed: int, effect: float, *, independent: bool, n_methods: int) -> Gain:
    """The gain of the best of several methods over the best baseline on held-out perturbations."""
    rng = np.random.default_rng(seed)
    screen, vectors = made(effect, rng)
    split = split_perturbations(screen.perturbations, "simulation_single", seed=seed)
    controls = rng.permutation(screen.rows(()))
    seen, judging = (controls[:30], controls[30:]) if independent else (controls, controls)
    rows = np.concatenate([seen, *(screen.rows(one) for one in split.train if one)])
    train = screen.take(np.sort(rows))
    observed = screen.means(split.test) - np.asarray(screen.expression[judging].mean(axis=0)).ravel()

    def row(title: str, predictor: PerturbationPredictor) -> Row:
        predictor.fit(train, None)
        values = pearson_rows(predictor.predict(split.test) - train.control, observed)
        return Row(title=title, values=np.nan_to_num(values))

    baselines = [row("none", NoChange()), row("mean", TrainMean()), row("linear", Linear())]
    methods = [Ridge(vectors), Neighbors(vectors), Linear(perturbation_vectors=vectors)][:n_methods]
    gains = [
        gain_over(row(str(i), one), baselines, n_compared=n_methods, seed=seed)
        for i, one in enumerate(methods)
    ]
    return max((one for one in gains if one), key=lambda one: one.score)


@pytest.mark.slow
@pytest.mark.parametrize("n_methods", [1, 3])
@pytest.mark.parametrize("independent", [False, True])
def test_without_effects_few_methods_are_found_better(n_methods: int, *, independent: bool) -> None:
    found = sum(
        best_gain(seed, 0.0, independent=independent, n_methods=n_methods).outcome == "better"
        for seed in range(N_SEEDS)
    )
    assert found <= binom.ppf(0.99, N_SEEDS, 0.05)
    assert found / N_SEEDS <= 0.05


def test_a_method_that_knows_the_effects_is_found_better() -> None:
    found = [best_gain(seed, 0.5, independent=True, n_methods=3).outcome for seed in range(20)]
    assert found.count("better") >= 19
