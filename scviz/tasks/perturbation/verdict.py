"""Decide whether a method gains anything over the best baseline, and say it; page and command show the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.ceiling import Inflation
from scviz.metrics.evidence import FEWEST_UNITS, LEVEL, Gain, bootstrap
from scviz.tasks.perturbation import HALVES, HEADLINE, Outcome

FEWEST_PAIRS = 2
LOUD_CONTROLS = 0.05
"""Shared control cells that add more than this to a correlation are told of."""
NOISY = 0.3
"""Halves of the cells that agree by less say that the screen is noisy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A method and its scores."""

    title: str
    values: NDArray[np.float64]
    """(P,) correlation of changes; NaN where nothing is predicted."""


def gain_over(own: Row, baselines: Sequence[Row], *, n_compared: int = 1, seed: int = 0) -> Gain | None:
    """Compare a method with the best baseline that predicts all that it predicts; None where there is none.

    Parameters
    ----------
    n_compared
        Methods that are compared in the same run. The intervals hold for all of them together, so that the best of
        several is not found better because it is the best of several.
    """
    predicted = ~np.isnan(own.values)
    rivals = [one for one in baselines if predicted.any() and not np.isnan(one.values[predicted]).any()]
    if not rivals:
        return None
    best = max(rivals, key=lambda one: float(one.values[predicted].mean()))
    score, other = own.values[predicted], best.values[predicted]
    return Gain(
        model=own.title,
        baseline=f"the best baseline, “{best.title}”",
        score=float(score.mean()),
        baseline_score=float(other.mean()),
        difference=bootstrap(score - other, level=LEVEL / n_compared, seed=seed),
        unit="correlation of changes",
        counted="perturbations",
        n=int(predicted.sum()),
    )


def beside(own: Mapping[str, NDArray[np.float64]], others: Mapping[str, NDArray[np.float64]]) -> str:
    """Say how a method does without the perturbed genes, and where two changes could simply be added.

    Parameters
    ----------
    own
        (P,) correlation of changes of the method by "every" and "bare": with the perturbed genes and without.
    others
        (P,) without the perturbed genes of the best baseline by "bare", and with them by "additive".
    """
    sentences = []
    mine, theirs = _both(own["bare"], others["bare"])
    if len(mine):
        sentences.append(
            f"Without the perturbed genes themselves: {mine.mean():.3f} compared with {theirs.mean():.3f}."
        )
    mine, theirs = _both(own["every"], others["additive"])
    if len(mine) >= FEWEST_PAIRS:
        sentences.append(
            f"On the {len(mine)} pairs of which both genes were seen alone: {mine.mean():.3f} compared with "
            f"{theirs.mean():.3f} of adding their changes."
        )
    return " ".join(sentences)


def _both(
    one: NDArray[np.float64], other: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    known = ~np.isnan(one) & ~np.isnan(other)
    return one[known], other[known]


def conclusion(outcomes: Mapping[str, Outcome], n_judged: int) -> tuple[Gain | None, str]:
    """Name the best method among those that predict all, and say what the comparison shows."""
    asked = [one for one in outcomes.values() if one.asked]
    rivals = [(one.gain, one) for one in asked if one.gain is not None and predicts_all(one, n_judged)]
    if rivals:
        gain, best = max(rivals, key=lambda pair: pair[0].score)
        several = (
            f"The best of {len(asked)} methods; the intervals hold for all together." if asked[1:] else ""
        )
        return gain, " ".join(filter(None, (gain.sentence, several, best.beside)))
    words = _best_baseline(outcomes, n_judged)
    if asked:
        partial = ", ".join(f"{one.title} {one.summaries[HEADLINE]['all'].n}" for one in asked)
        words = f"No method that was asked for predicts all {n_judged} perturbations ({partial}). {words}"
    return None, words


def _best_baseline(outcomes: Mapping[str, Outcome], n_judged: int) -> str:
    """Name the best baseline among those that predict all."""
    means = {
        one.title: one.summaries[HEADLINE]["all"].mean
        for one in outcomes.values()
        if one.method is not None and not one.asked and predicts_all(one, n_judged)
    }
    first = max(means, key=means.__getitem__)
    return (
        f"The best baseline is “{first}”, with a correlation of changes of {means[first]:.3f} on "
        f"{n_judged} perturbations."
    )


def predicts_all(outcome: Outcome, n_judged: int) -> bool:
    """Tell whether a method competes: a mean over some perturbations is not compared with one over all of them."""
    return outcome.summaries[HEADLINE]["all"].n == n_judged


def warnings_of(
    outcomes: Mapping[str, Outcome], n_judged: int, share: Inflation, *, independent: bool
) -> tuple[str, ...]:
    """Say what makes the scores mislead."""
    words = []
    if n_judged < FEWEST_UNITS:
        words.append(
            f"Only {n_judged} perturbations are judged: differences between methods are chance. "
            f"{FEWEST_UNITS} or more are needed for an interval."
        )
    if share.n and share.difference > LOUD_CONTROLS and not independent:
        words.append(f"Few control cells are shared by both sides of every correlation. {share.sentence}")
    agreement = outcomes[HALVES].summaries[HEADLINE]["all"].mean
    if agreement < NOISY:
        words.append(
            f"The screen itself is noisy: two halves of the cells of a perturbation agree by {agreement:.2f}. "
            "Scores of perturbations without a replicated effect say little of a method."
        )
    return (*words, *_alike(outcomes))


def _alike(outcomes: Mapping[str, Outcome]) -> tuple[str, ...]:
    """Name the methods whose predictions hardly differ."""
    told = {
        one.title: one.spread.warning for one in outcomes.values() if one.asked and one.spread is not None
    }
    alike = [title for title, warning in told.items() if warning]
    if len(alike) < 2:
        return tuple(f"{title}: {told[title]}" for title in alike)
    return (
        "The predictions of these methods hardly differ between perturbations, so that they say little about "
        f"which gene was perturbed, whatever their scores: {'; '.join(alike)}.",
    )
