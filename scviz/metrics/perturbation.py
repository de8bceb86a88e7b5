"""How well predicted expression changes match measured ones, one score for each perturbation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.differential import TOP_DE, order_by_change

NO_CHANGE = 1e-6
"""Changes that differ by less between genes are rounding noise, and nothing can be correlated with them."""
COUNTS_AS_NOTHING = ("pearson_delta", "pearson_delta_de", "pearson_delta_centroid", "overlap_de")
"""Scores that are 0, and not left out, where a method predicts the same change in all genes."""
MOST_EXPRESSED = 1000
"""Genes over which the L2 distance runs, by mean control expression."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiles:
    """What was predicted for P perturbations, and what was measured."""

    predicted: NDArray[np.floating]
    """(P, G) mean log1p expression; NaN where a method predicts nothing."""
    observed: NDArray[np.floating]
    """(P, G), in the same order."""
    control_predicted: NDArray[np.floating]
    """(G,) mean of the control cells that the predicted change starts from."""
    control_observed: NDArray[np.floating]
    """(G,) mean of the control cells that the measured change starts from; the same array where they are shared."""
    de_order: Sequence[NDArray[np.int64]]
    """Of each perturbation, its genes, the most changed first: TOP_DE at least, or all."""
    targets: Sequence[Sequence[int]]
    """Of each perturbation, the columns of the perturbed genes that are measured."""
    others: NDArray[np.floating]
    """(Q, G) measured means of further perturbations of the screen, such as those of training; Q may be 0."""
    other_targets: Sequence[Sequence[int]]
    """Of each of those, the columns of the perturbed genes."""

    def __post_init__(self) -> None:
        shape = self.observed.shape
        if self.predicted.shape != shape or self.others.shape[1] != shape[1]:
            raise ValueError(
                f"Predicted {self.predicted.shape}, others {self.others.shape}, observed {shape}."
            )
        if not len(self.de_order) == len(self.targets) == shape[0]:
            raise ValueError(f"{len(self.de_order)} orders and {len(self.targets)} targets for {shape[0]}.")
        if len(self.other_targets) != len(self.others):
            raise ValueError(f"{len(self.other_targets)} targets for {len(self.others)} others.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Scores of P perturbations."""

    values: dict[str, NDArray[np.float64]]
    """By key of METRICS, (P,); NaN where a score is not defined."""
    missing: NDArray[np.bool_]
    """(P,) the method predicts nothing: left out of means."""
    constant: NDArray[np.bool_]
    """(P,) the predicted or the measured change is the same in all genes: correlations are NaN and count as 0."""

    def counted(self, metric: str) -> NDArray[np.float64]:
        """Give a score as it counts in means, (P,): 0 for a correlation with no change, NaN where nothing is said."""
        values = self.values.get(metric)
        if values is None:
            return np.full(len(self.missing), np.nan)
        if metric not in COUNTS_AS_NOTHING:
            return values
        return np.where(self.missing, np.nan, np.nan_to_num(values))


def pearson_rows(x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.float64]:
    """Correlate each row of one array with that of another.

    Returns
    -------
    (P,) from -1 to 1; NaN where the values of a row differ by less than NO_CHANGE.

    Examples
    --------
    >>> pearson_rows(np.array([[0.0, 1.0, 2.0], [0.0, 0.0, 1e-8]]), np.array([[5.0, 6.0, 7.0], [1.0, 2.0, 3.0]]))
    array([ 1., nan])
    """
    x, y = (part - part.mean(axis=1, keepdims=True) for part in (np.asarray(x, np.float64), np.asarray(y)))
    size = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    undefined = is_constant(x) | is_constant(y)
    r = np.divide((x * y).sum(axis=1), size, out=np.full(len(x), np.nan), where=~undefined)
    return np.asarray(r.clip(-1, 1))


def is_constant(delta: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Say which rows of (P, G) have, but for rounding, one value; a row that is NaN has not."""
    return np.asarray(np.ptp(delta, axis=1) < NO_CHANGE)


def pearson_delta(
    predicted: NDArray[np.floating], observed: NDArray[np.floating], control: NDArray[np.floating]
) -> NDArray[np.float64]:
    r"""Correlate predicted with observed expression changes.

    The change of a perturbation is its mean expression less that of control, :math:`\delta = \bar{x} - \bar{c}`.

    Parameters
    ----------
    predicted, observed
        (P, G) mean log1p expression.
    control
        (G,) mean log1p expression of the control cells.

    Returns
    -------
    (P,) from -1 to 1; NaN where a change is the same in all genes.

    References
    ----------
    Roohani et al. (2024), doi:10.1038/s41587-023-01905-6.

    Examples
    --------
    >>> control = np.array([1.0, 1.0, 1.0])
    >>> observed = np.array([[3.0, 1.0, 0.0]])
    >>> pearson_delta(observed, observed, control), pearson_delta(control[None], observed, control)
    (array([1.]), array([nan]))
    """
    return pearson_rows(predicted - control, observed - control)


def score(profiles: Profiles, *, without_targets: bool = False) -> Scores:
    """Score each perturbation by every metric of METRICS.

    Parameters
    ----------
    without_targets
        Leave the perturbed genes themselves out: they change the most, and any method can know that.
    """
    rows = [_row(profiles, row, without_targets=without_targets) for row in range(len(profiles.observed))]
    missing = np.array([np.isnan(one.predicted).any() for one in rows], dtype=bool)
    nan = float("nan")
    values = {
        name: np.array([nan if gone else metric(one) for one, gone in zip(rows, missing, strict=True)])
        for name, metric in _PER_ROW.items()
    }
    values |= _told_apart(profiles)
    screen = np.concatenate([np.asarray(profiles.observed, np.float64), profiles.others])  # (P + Q, G)
    values["centroid_accuracy"] = centroid_accuracy(profiles.predicted, screen)
    known = ~np.isnan(screen).any(axis=1)
    centroid = screen[known].mean(axis=0) if known.any() else np.zeros(screen.shape[1])
    from_centroid = profiles.predicted - centroid, profiles.observed - centroid
    values["pearson_delta_centroid"] = np.array(
        [_pearson(*(delta[row, one.genes] for delta in from_centroid)) for row, one in enumerate(rows)]
    )
    constant = np.array([one.is_constant for one in rows], dtype=bool)
    return Scores(values=values, missing=missing, constant=constant)


def _told_apart(profiles: Profiles) -> dict[str, NDArray[np.float64]]:
    """Tell perturbations apart by genes that none of them perturbs.

    If only its own target were left out, a perturbation would be nearer to any prediction than the others, which still
    show theirs: predicting no change at all would look good.
    """
    predicted = profiles.predicted - profiles.control_predicted
    observed, others = (part - profiles.control_observed for part in (profiles.observed, profiles.others))
    answer = {}
    for name, candidates, targets in (
        ("discrimination", observed, profiles.targets),
        (
            "discrimination_screen",
            np.vstack([observed, others]),
            [*profiles.targets, *profiles.other_targets],
        ),
    ):
        columns = sorted({column for of_one in targets for column in of_one})
        kept = [np.delete(part, columns, axis=1) for part in (predicted, candidates)]
        answer[name] = discrimination(kept[0], kept[1], [[]] * len(predicted))
    return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """The changes of one perturbation, and the genes that count."""

    predicted: NDArray[np.float64]
    observed: NDArray[np.float64]
    error: NDArray[np.float64]
    genes: NDArray[np.int64]
    top: NDArray[np.int64]
    expressed: NDArray[np.int64]

    @property
    def is_constant(self) -> bool:
        """Whether a change is, but for rounding, the same in all genes that count."""
        deltas = np.stack([self.predicted[self.genes], self.observed[self.genes]])
        return bool(is_constant(deltas).any()) if len(self.genes) else False


def _row(profiles: Profiles, row: int, *, without_targets: bool) -> _Row:
    """Take one perturbation, and the genes that count for it."""
    counts = np.ones(profiles.observed.shape[1], dtype=bool)
    counts[list(profiles.targets[row]) if without_targets else []] = False
    order = np.asarray(profiles.de_order[row])
    expressed = np.argsort(-profiles.control_observed, kind="stable")[:MOST_EXPRESSED]
    predicted, observed = (
        np.asarray(part[row], np.float64) for part in (profiles.predicted, profiles.observed)
    )
    return _Row(
        predicted=predicted - profiles.control_predicted,
        observed=observed - profiles.control_observed,
        error=predicted - observed,
        genes=np.flatnonzero(counts),
        top=order[counts[order]][:TOP_DE],
        expressed=expressed[counts[expressed]],
    )


def _pearson(x: NDArray[np.floating], y: NDArray[np.floating]) -> float:
    """Correlate two changes; NaN without two genes."""
    return float(pearson_rows(x[None], y[None])[0]) if len(x) > 1 else float("nan")


def _direction(one: _Row, genes: NDArray[np.int64]) -> float:
    """Share of genes that are predicted to go the way they go."""
    ways = [
        np.where(np.abs(delta) < NO_CHANGE, 0.0, np.sign(delta))[genes]
        for delta in (one.predicted, one.observed)
    ]
    return float(np.mean(ways[0] == ways[1])) if len(genes) else float("nan")


def _overlap(one: _Row) -> float:
    """Share of the genes that change most which are predicted to; NaN where none changes more than another."""
    deltas = [delta[one.genes] for delta in (one.predicted, one.observed)]
    if any(np.ptp(delta) < NO_CHANGE for delta in deltas):
        return float("nan")
    most = [set(order_by_change(delta)[:TOP_DE]) for delta in deltas]
    return len(most[0] & most[1]) / len(most[1])


def _mean_square(values: NDArray[np.float64]) -> float:
    """Average squares; NaN of nothing."""
    return float(np.mean(values**2)) if len(values) else float("nan")


_PER_ROW: dict[str, Callable[[_Row], float]] = {
    "pearson_delta": lambda one: _pearson(one.predicted[one.genes], one.observed[one.genes]),
    "pearson_delta_de": lambda one: _pearson(one.predicted[one.top], one.observed[one.top]),
    "mse": lambda one: _mean_square(one.error[one.genes]),
    "mse_de": lambda one: _mean_square(one.error[one.top]),
    "direction": lambda one: _direction(one, one.genes),
    "direction_de": lambda one: _direction(one, one.top),
    "overlap_de": _overlap,
    "l2": lambda one: float(np.linalg.norm(one.error[one.expressed])),
}


def discrimination(
    predicted: NDArray[np.floating],
    candidates: NDArray[np.floating],
    targets: Sequence[Sequence[int]],
    *,
    distance: str = "cityblock",
    published: bool = False,
) -> NDArray[np.float64]:
    """Say how near each predicted change is to its own measured change, among those of all perturbations.

    Parameters
    ----------
    predicted
        (P, G) predicted changes.
    candidates
        (P + Q, G) measured changes; the first P are those of the predicted perturbations.
    targets
        Columns of the perturbed genes of each of the P, left out of the distances: a method may know them without
        knowing anything else.
    distance
        cityblock, euclidean or cosine.
    published
        Divide by all candidates, the true one too, as cell-eval 0.8 does: the farthest then scores 1 / (P + Q), and
        the middle one (P + Q + 1) / (2 (P + Q)), which is 0.6 among five.

    Returns
    -------
    (P,) one less the share of the other candidates that are nearer than the true one (as near: half): 1 for the
    nearest, 0 for the farthest. The same prediction for all P scores 0.5 on average if there are no other candidates
    and no targets; among others it scores less where the P lie farther out. NaN where nothing is predicted, or with
    nothing to compare with.

    Examples
    --------
    >>> changes = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> discrimination(changes, changes, [[], []]), discrimination(0 * changes, changes, [[], []])
    (array([1., 1.]), array([0.5, 0.5]))
    >>> discrimination(0 * changes, changes, [[], []], published=True)
    array([0.75, 0.75])
    """
    known = ~np.isnan(candidates).any(axis=1)
    compared = int(known.sum()) - (not published)
    asked = known[: len(predicted)] & ~np.isnan(predicted).any(axis=1)
    candidates = np.array(candidates, dtype=np.float64)  # ours to change
    answer = np.full(len(predicted), np.nan)
    for row in np.flatnonzero(asked).tolist() if compared else ():
        columns = list(targets[row])
        aside, one = candidates[:, columns].copy(), np.array(predicted[row], dtype=np.float64)
        candidates[:, columns] = one[columns] = 0
        far = _distances(one[None], candidates, distance)[0]
        candidates[:, columns] = aside
        nearer = (far[known] < far[row]).sum() + ((far[known] == far[row]).sum() - 1) / 2
        answer[row] = 1 - nearer / compared
    return answer


def centroid_accuracy(predicted: NDArray[np.floating], screen: NDArray[np.floating]) -> NDArray[np.float64]:
    """Say which share of the other perturbations lies farther from each prediction than its own does.

    Parameters
    ----------
    predicted
        (P, G) predicted means.
    screen
        (P + Q, G) measured means; the first P are those of the predicted perturbations.

    Returns
    -------
    (P,) from 0 to 1. The same prediction for all P does not score 0.5, but less where the P lie farther out than the
    others. NaN where nothing is predicted, or with nothing to compare with.

    References
    ----------
    Viñas Torné et al. (2025), doi:10.1038/s41587-025-02777-8.
    """
    n_known = int((~np.isnan(screen).any(axis=1)).sum())
    if n_known < 2:
        return np.full(len(predicted), np.nan)
    far = _distances(np.asarray(predicted, np.float64), screen, "euclidean")  # (P, P + Q)
    own = np.diagonal(far)
    return np.where(np.isnan(own), np.nan, (far > own[:, None]).sum(axis=1) / (n_known - 1))


def _distances(some: NDArray[np.float64], many: NDArray[np.floating], name: str) -> NDArray[np.float64]:
    """Measure how far some profiles are from many; nothing has a cosine with no change, and is at 1."""
    from scipy.spatial.distance import cdist

    far = np.asarray(cdist(some, many, name), dtype=np.float64)
    return np.where(np.isnan(far), 1.0, far) if name == "cosine" else far
