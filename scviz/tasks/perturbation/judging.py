"""Score what was predicted, and how well the cells of the screen agree with themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.screen import CONTROL, Screen
from scviz.metrics.ceiling import Inflation, Screened, best_reachable, shared_control_inflation, split_half
from scviz.metrics.perturbation import Profiles, Scores, score
from scviz.metrics.perturbation_table import METRICS
from scviz.tasks.perturbation import HEADLINE
from scviz.tasks.perturbation.inputs import Inputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What was measured, in the precision in which it is kept and exported: scores are of these numbers."""

    observed: NDArray[np.float32]
    """(P, G) mean log expression of the test perturbations."""
    learned: NDArray[np.float32]
    """(Q, G) of those of training and validation."""
    control: NDArray[np.float32]
    """(G,) of the control cells from which measured changes start."""
    control_predicted: NDArray[np.float32]
    """(G,) of those from which predicted changes start."""
    de_order: NDArray[np.int64]
    """(P, D) genes, the most changed first."""
    targets: Sequence[Sequence[int]]
    """Columns of the perturbed genes of each of the P."""
    learned_targets: Sequence[Sequence[int]]
    """Of each of the Q."""

    def score(self, predicted: NDArray[np.float32], *, without_targets: bool = False) -> Scores:
        """Score predictions of the test perturbations, (P, G)."""
        whole = [
            np.asarray(part, dtype=np.float64)
            for part in (predicted, self.observed, self.control_predicted, self.control, self.learned)
        ]
        profiles = Profiles(
            predicted=whole[0],
            observed=whole[1],
            control_predicted=whole[2],
            control_observed=whole[3],
            de_order=list(self.de_order),
            targets=self.targets,
            others=whole[4],
            other_targets=self.learned_targets,
        )
        return score(profiles, without_targets=without_targets)


def truth_of(inputs: Inputs) -> Truth:
    """Average the cells of a screen that is divided."""
    return Truth(
        observed=inputs.judged.means(inputs.test).astype(np.float32),
        learned=inputs.screen.means(inputs.learned).astype(np.float32),
        control=inputs.judged.control.astype(np.float32),
        control_predicted=inputs.train.control.astype(np.float32),
        de_order=inputs.de_order,
        targets=[inputs.columns_of(one) for one in inputs.test],
        learned_targets=[inputs.columns_of(one) for one in inputs.learned],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Scores of one way of predicting, with the perturbed genes and without them."""

    every: Scores
    bare: Scores

    @property
    def headline(self) -> NDArray[np.float64]:
        """Give the score that the verdict is about, (P,)."""
        return self.every.counted(HEADLINE)


def scored(truth: Truth, predicted: NDArray[np.float32]) -> Scored:
    """Score predictions of the test perturbations, (P, G), with the perturbed genes and without them."""
    return Scored(every=truth.score(predicted), bare=truth.score(predicted, without_targets=True))


def as_array(scores: Scores) -> NDArray[np.float32]:
    """Put the scores in the order of METRICS, (M, P): 0 for a correlation with no change, NaN for what is not there."""
    return np.array([scores.counted(metric) for metric in METRICS], dtype=np.float32)


def halves(inputs: Inputs, truth: Truth, *, seed: int) -> Scored:
    """Score halves of the judged cells against each other, each with its own control cells."""
    screened = _screened(inputs.judged, inputs, truth)
    every, bare = (split_half(screened, without_targets=flag, seed=seed) for flag in (False, True))
    return Scored(every=every, bare=bare)


def ceiling(half: Scored) -> NDArray[np.float32]:
    """Estimate the correlation of changes that the true change has, (2, P): with the perturbed genes and without."""
    return np.array(
        [best_reachable(one.counted(HEADLINE)) for one in (half.every, half.bare)], dtype=np.float32
    )


def inflation(inputs: Inputs, truth: Truth, *, seed: int) -> Inflation:
    """Estimate what sharing control cells adds to a correlation."""
    learned = [inputs.screen.index[one] for one in inputs.split.train if one]
    return shared_control_inflation(_screened(inputs.screen, inputs, truth), learned, seed=seed)


def _screened(screen: Screen, inputs: Inputs, truth: Truth) -> Screened:
    """Take the cells of a screen, whole or judged, and what scores need of its test perturbations."""
    return Screened(
        expression=screen.expression,
        codes=screen.codes,
        control=screen.index[CONTROL],
        groups=[screen.index[one] for one in inputs.test],
        targets=truth.targets,
        others=truth.learned,
        other_targets=truth.learned_targets,
    )
