"""How well measured changes agree with themselves, and what sharing control cells adds to a score.

Two halves of the cells of a perturbation, each with its own half of the control cells, are measured alike but for
noise, so the score of one as a prediction of the other says how much of the change was measured at all. It is no
ceiling: a prediction with less noise than a half of the cells exceeds it. `best_reachable` says how far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from scviz.metrics.differential import Cells
from scviz.metrics.perturbation import Profiles, Scores, pearson_delta, pearson_rows, score

N_REPEATS = 10
CHOSEN_BY_BOTH = ("pearson_delta_de", "mse_de", "direction_de")
"""Scores over genes that were chosen by all cells, those of both halves: halves have none of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened:
    """Cells of a screen, and what its scores need to know of the P perturbations that are asked for."""

    expression: Cells
    """(N, G) log1p."""
    codes: NDArray[np.int64]
    """(N,) perturbation of each cell."""
    control: int
    """Code of the control cells."""
    groups: Sequence[int]
    """Codes of the P perturbations."""
    targets: Sequence[Sequence[int]]
    """As in Profiles."""
    others: NDArray[np.floating]
    """As in Profiles, (Q, G); Q may be 0."""
    other_targets: Sequence[Sequence[int]]
    """As in Profiles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inflation:
    """How much the correlation of changes gains when both changes start from the same control cells."""

    shared: float
    """Mean correlation of the mean of training perturbations with the truth, one half of the controls on both sides."""
    independent: float
    """The same with one half of the controls on each side."""
    n: int
    """Perturbations."""

    @property
    def difference(self) -> float:
        """What is gained."""
        return self.shared - self.independent

    @property
    def sentence(self) -> str:
        """Say it in words."""
        if not self.n:
            return "There are too few control cells to tell what sharing them adds."
        return (
            f"The mean of the training perturbations scores {self.shared:.3f} when its change and the measured one "
            f"start from the same control cells, and {self.independent:.3f} when they start from different ones: "
            f"noise of the control cells alone adds about {self.difference:+.3f}. Half of the control cells were "
            "used, so with all of them it is less."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How much predicted changes differ between perturbations, against how much measured ones do."""

    predicted_correlation: float
    """Mean correlation of the predicted changes of two perturbations; NaN with fewer than two that change."""
    observed_correlation: float
    """The same of measured changes."""
    variance_ratio: float
    """Variance between perturbations, summed over genes, predicted by measured; NaN with fewer than two."""

    @property
    def warning(self) -> str:
        """Say that predictions hardly differ; empty when they do."""
        if np.isnan(self.variance_ratio) or self.variance_ratio >= 0.05:
            return ""
        return (
            "The predictions hardly differ between perturbations: they vary "
            f"{self.variance_ratio:.1%} as much as the measured changes do. Whatever the other scores, "
            "this method says little about which gene was perturbed."
        )


def split_half(
    cells: Screened, *, without_targets: bool = False, n_repeats: int = N_REPEATS, seed: int = 0
) -> Scores:
    """Score one half of the cells of each perturbation as a prediction of the other half.

    No cell is on both sides, control cells included: the changes of two halves that start from the same control cells
    agree by the noise of these alone.

    Parameters
    ----------
    n_repeats
        Splits to average over.

    Returns
    -------
    Mean of each score over the splits, without those of CHOSEN_BY_BOTH. Missing where a perturbation, or control, has
    fewer than two cells.
    """
    rng = np.random.default_rng(seed)
    runs = []
    for _ in range(n_repeats):
        first, second = half_means(cells, [*cells.groups, cells.control], rng)
        profiles = Profiles(
            predicted=first[:-1],
            observed=second[:-1],
            control_predicted=first[-1],
            control_observed=second[-1],
            de_order=[np.empty(0, dtype=np.int64)] * len(cells.groups),
            targets=cells.targets,
            others=cells.others,
            other_targets=cells.other_targets,
        )
        runs.append(score(profiles, without_targets=without_targets))
    shown = [name for name in runs[0].values if name not in CHOSEN_BY_BOTH]
    return Scores(
        values={name: _mean_over([run.values[name] for run in runs]) for name in shown},
        missing=np.all([run.missing for run in runs], axis=0),
        constant=np.all([run.constant for run in runs], axis=0),
    )


def best_reachable(reliability: NDArray[np.floating]) -> NDArray[np.float64]:
    """Estimate the correlation with the change in all cells that the true change reaches.

    Of each perturbation, and averaged afterwards: the root of a mean would promise too much, since perturbations
    without an effect and those with a strong one do not reach what one between them does.

    Parameters
    ----------
    reliability
        (P,) correlation of the changes of two halves, each with its own control cells; below 0 counts as 0.

    Returns
    -------
    (P,) from 0 to 1.

    References
    ----------
    Spearman (1910), doi:10.1111/j.2044-8295.1910.tb00206.x: all cells are twice as many as a half.

    Examples
    --------
    >>> best_reachable(np.array([0.0, 0.5, 1.0])).round(3)
    array([0.   , 0.816, 1.   ])
    """
    r = np.maximum(np.asarray(reliability, np.float64), 0.0)
    return np.asarray(np.sqrt(2 * r / (1 + r)))


def shared_control_inflation(
    cells: Screened, training: Sequence[int], *, n_repeats: int = N_REPEATS, seed: int = 0
) -> Inflation:
    """Estimate how much of the correlation of changes comes from noise of the control cells on both sides.

    Parameters
    ----------
    training
        Codes of the perturbations whose mean is the prediction; none of `cells.groups`.

    Raises
    ------
    ValueError
        If a perturbation is both trained on and asked for.
    """
    if set(training) & set(cells.groups):
        raise ValueError(f"Both trained on and asked for: {sorted(set(training) & set(cells.groups))}.")
    rng = np.random.default_rng(seed)
    n_controls = int((cells.codes == cells.control).sum())
    if n_controls < 2 or not len(training) or not len(cells.groups):
        return Inflation(shared=float("nan"), independent=float("nan"), n=0)
    predicted = _group_means(cells.expression, cells.codes, training).mean(axis=0)  # (G,)
    observed = _group_means(cells.expression, cells.codes, cells.groups)  # (P, G)
    same, other = [], []
    for _ in range(n_repeats):
        halves = half_means(cells, [cells.control], rng)
        for one, two in ((halves[0][0], halves[1][0]), (halves[1][0], halves[0][0])):
            guesses = np.broadcast_to(predicted, observed.shape)
            same.append(pearson_delta(guesses, observed, one))
            other.append(pearson_rows(guesses - one, observed - two))
    return Inflation(
        shared=float(np.nan_to_num(same).mean()),
        independent=float(np.nan_to_num(other).mean()),
        n=len(observed),
    )


def spread(predicted: NDArray[np.floating], observed: NDArray[np.floating]) -> Spread:
    """Compare how much changes differ between perturbations.

    Parameters
    ----------
    predicted, observed
        (P, G) changes of the mean; rows with NaN are left out of both.
    """
    known = ~np.isnan(predicted).any(axis=1)
    predicted, observed = predicted[known], observed[known]
    variances = [np.var(part, axis=0).sum() if len(part) > 1 else 0.0 for part in (predicted, observed)]
    return Spread(
        predicted_correlation=mean_correlation(predicted),
        observed_correlation=mean_correlation(observed),
        variance_ratio=float(variances[0] / variances[1]) if variances[1] > 0 else float("nan"),
    )


def mean_correlation(deltas: NDArray[np.floating]) -> float:
    """Average the correlation of two rows of (P, G) over all pairs that vary; NaN with fewer than two.

    Examples
    --------
    >>> round(mean_correlation(np.array([[0.0, 1.0], [0.0, 2.0], [1.0, 0.0]])), 3)
    -0.333
    """
    centered = deltas - deltas.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centered, axis=1)
    unit = centered[length > 1e-6] / length[length > 1e-6, None]
    n = len(unit)
    total = float((unit.sum(axis=0) ** 2).sum())  # of all pairs, each row with itself among them
    return (total - n) / (n * (n - 1)) if n > 1 else float("nan")


def half_means(
    cells: Screened, groups: Sequence[int], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Part the cells of each group at random in halves, and average each; NaN with fewer than two cells.

    Returns
    -------
    (K, G) each, with K the number of groups; of an odd number of cells the second half has one more.
    """
    half = np.full(len(cells.codes), -1)
    for place, group in enumerate(groups):
        rows = rng.permutation(np.flatnonzero(cells.codes == group))
        half[rows[: len(rows) // 2]], half[rows[len(rows) // 2 :]] = 2 * place, 2 * place + 1
        if len(rows) < 2:
            half[rows] = -1
    means = _group_means(cells.expression, half, range(2 * len(groups)))
    return means[0::2], means[1::2]


def _group_means(expression: Cells, codes: NDArray[np.int64], groups: Sequence[int]) -> NDArray[np.float64]:
    """Average the cells of each group, (len(groups), G); NaN without cells."""
    place = {group: i for i, group in enumerate(groups)}
    rows = np.flatnonzero(np.isin(codes, list(groups)))
    where = np.array([place[code] for code in codes[rows]], dtype=np.int64)
    chosen = sp.csr_matrix((np.ones(len(rows)), (where, rows)), shape=(len(groups), len(codes)))
    total = chosen @ expression
    counts = np.bincount(where, minlength=len(groups)).astype(np.float64)
    total = total.toarray() if sp.issparse(total) else np.asarray(total)
    counts[counts == 0] = np.nan
    return np.asarray(total / counts[:, None])


def _mean_over(runs: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Average repeats; a value that is not defined in one counts as 0 there, and is NaN only where it never is."""
    stacked = np.array(runs)
    never = np.isnan(stacked).all(axis=0)
    return np.where(never, np.nan, np.nan_to_num(stacked).mean(axis=0))
