"""Score what a method predicted beside baselines and ceiling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.ceiling import Inflation, Screened, shared_control_inflation, split_half
from scviz.metrics.evidence import Interval as MeanScore
from scviz.metrics.evidence import bootstrap as mean_score
from scviz.metrics.perturbation import Profiles, Scores, score
from scviz.metrics.perturbation_table import METRICS
from scviz.tasks.perturbation.screening import Task

HEADLINE = "pearson_delta"
FEW_PERTURBATIONS = 5
FEWEST_PAIRS = 2
LOUD_CONTROLS = 0.05
"""Shared control cells that add more than this to a correlation are told of."""


def scored(task: Task, predicted: NDArray[np.float64], *, without_targets: bool = False) -> Scores:
    """Score the predictions of the test perturbations, (P, G)."""
    learned = [one for one in (*task.split.train, *task.split.validation) if one]
    profiles = Profiles(
        predicted=predicted,
        observed=task.screen.means(task.test),
        control_predicted=task.train.control,
        control_observed=task.control,
        de_order=task.de_order,
        targets=task.targets,
        others=task.screen.means(learned),
        other_targets=[task.columns_of(one) for one in learned],
    )
    return score(profiles, without_targets=without_targets)


def as_array(scores: Scores) -> NDArray[np.float32]:
    """Put the scores in the order of METRICS, (M, P); what is not defined counts as 0, what is not predicted is NaN."""
    rows = []
    for metric in METRICS:
        values = np.asarray(scores.values.get(metric, np.full(len(scores.missing), np.nan)))
        rows.append(np.where(scores.constant & ~scores.missing & np.isnan(values), 0.0, values))
    return np.array(rows, dtype=np.float32)


def ceiling(task: Task, *, independent: bool, seed: int) -> tuple[Scores, Scores]:
    """Score halves of the cells against each other, with all genes and without the perturbed ones."""
    screened = _screened(task)
    with_targets, without = (
        split_half(screened, shared_control=not independent, without_targets=flag, seed=seed)
        for flag in (False, True)
    )
    return with_targets, without


def inflation(task: Task, *, seed: int) -> Inflation:
    """Estimate what sharing control cells adds to a correlation."""
    learned = [task.screen.index[one] for one in task.split.train if one]
    return shared_control_inflation(_screened(task), learned, seed=seed)


def _screened(task: Task) -> Screened:
    return Screened(
        expression=task.screen.expression,
        codes=task.screen.codes,
        control=task.screen.index[()],
        groups=[task.screen.index[one] for one in task.test],
        de_order=task.de_order,
        targets=task.targets,
    )


def gain_over_baselines(
    own: NDArray[np.float32], baselines: Mapping[str, NDArray[np.float32]], *, seed: int
) -> tuple[str, MeanScore, float, float]:
    """Compare a method with the best baseline that predicts all that it predicts.

    Parameters
    ----------
    own
        (P,) correlation of changes; NaN where nothing is predicted.
    baselines
        (P,) the same, by name.

    Returns
    -------
    Name of the baseline, the mean difference with its interval, and the means of both.
    """
    predicted = ~np.isnan(own)
    means = {
        name: float(values[predicted].mean())
        for name, values in baselines.items()
        if predicted.any() and not np.isnan(values[predicted]).any()
    }
    if not means:
        return "", mean_score(np.zeros(0)), float("nan"), float("nan")
    best = max(means, key=means.__getitem__)
    difference = mean_score((own - baselines[best]).astype(np.float64)[predicted], seed=seed)
    return best, difference, float(own[predicted].mean()), means[best]


def gain_in_words(title: str, baseline: str, gain: MeanScore, own: float, other: float, n: int) -> str:
    """Say in a sentence whether a method gains anything."""
    if not baseline:
        return f"{title} predicts nothing that a baseline predicts."
    numbers = (
        f"correlation of changes {own:.3f} against {other:.3f} of “{baseline}” on {n} perturbations "
        f"(difference {gain.mean:+.3f}, 95 % interval {gain.low:+.3f} to {gain.high:+.3f})"
    )
    if gain.low > 0:
        return f"{title} is better than the best baseline: {numbers}."
    if gain.high < 0:
        return f"{title} is worse than the best baseline: {numbers}."
    return f"{title} gains nothing over the best baseline: {numbers}."


def without_the_targets(own: NDArray[np.float32], baseline: NDArray[np.float32]) -> str:
    """Say how a method does where the perturbed genes themselves do not count: that they change, any can know."""
    both = ~np.isnan(own) & ~np.isnan(baseline)
    if not both.any():
        return ""
    return f" Without the perturbed genes themselves: {own[both].mean():.3f} against {baseline[both].mean():.3f}."


def beside_additive(own: NDArray[np.float32], additive: NDArray[np.float32]) -> str:
    """Say how a method does where the changes of two genes could simply be added; empty where they cannot."""
    both = ~np.isnan(own) & ~np.isnan(additive)
    if both.sum() < FEWEST_PAIRS:
        return ""
    return (
        f" On the {both.sum()} pairs of which both genes were seen alone: {own[both].mean():.3f} against "
        f"{additive[both].mean():.3f} of adding them."
    )


def warnings_of(
    task: Task, spreads: Mapping[str, str], share: Inflation, *, independent: bool, ceiling_mean: float
) -> Sequence[str]:
    """Say what makes the scores mislead.

    Parameters
    ----------
    spreads
        Warning of each method whose predictions hardly differ, by its title.
    ceiling_mean
        Mean correlation of the changes in two halves of the cells.
    """
    words = []
    if len(task.test) < FEW_PERTURBATIONS:
        words.append(
            f"Only {len(task.test)} perturbations are judged: differences between methods are chance."
        )
    if share.n and share.difference > LOUD_CONTROLS and not independent:
        words.append(f"Few control cells are shared by both sides of every correlation. {share.sentence}")
    if ceiling_mean < 0.3:
        words.append(
            f"The screen itself is noisy: two halves of the cells of a perturbation agree by {ceiling_mean:.2f}. "
            "Scores of perturbations without a replicated effect say little of a method."
        )
    alike = [title for title, warning in spreads.items() if warning]
    if len(alike) == 1:
        words.append(f"{alike[0]}: {spreads[alike[0]]}")
    elif alike:
        words.append(
            "The predictions of these methods hardly differ between perturbations, so that they say little about "
            f"which gene was perturbed, whatever their scores: {'; '.join(alike)}."
        )
    return words
