"""How two perturbations act together: the scores of genetic interaction that GEARS reports."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK = 1024
"""Rows of distances that are in memory at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionScores:
    """How the change of a pair follows from the changes of its two genes."""

    first: float
    """Weight of the first gene's change in that of the pair; 1 where both simply add."""
    second: float
    magnitude: float
    """Root of the sum of squared weights: above 1.4 more than additive, below it less."""
    dcor: float
    """Distance correlation of both single changes with that of the pair, 0 to 1."""
    dcor_singles: float
    """Of the single changes with each other: how similar the two genes are."""
    dcor_first: float
    """Of the first gene's change with that of the pair."""
    dcor_second: float
    fit: float
    """Correlation of the weighted sum with the change of the pair; low where the pair does something new."""
    dominance: float
    """How much one weight exceeds the other, in powers of ten; NaN where they differ in sign."""
    equality: float
    """The smaller of `dcor_first` and `dcor_second` by the larger: 1 where both genes contribute alike."""


def interaction_scores(
    first: NDArray[np.floating],
    second: NDArray[np.floating],
    pair: NDArray[np.floating],
    *,
    n_subsets: int = 100_000,
) -> InteractionScores:
    """Explain the change of a pair by the changes of its genes.

    Parameters
    ----------
    first, second, pair
        (G,) change of the mean against control; of a thousand well expressed genes, say, since time grows with the
        square of their number.

    n_subsets
        Pairs of genes that the robust fit looks at; as many as is published take two seconds.

    Raises
    ------
    ValueError
        If a change is the same in all genes.

    References
    ----------
    Norman et al. (2019), doi:10.1126/science.aax4438; Roohani et al. (2024), doi:10.1038/s41587-023-01905-6.
    """
    from sklearn.linear_model import TheilSenRegressor

    if any(np.ptp(delta) == 0 for delta in (first, second, pair)):
        raise ValueError("A change that is the same in all genes interacts with nothing.")
    both = np.stack([first, second], axis=1)  # (G, 2)
    robust = TheilSenRegressor(
        fit_intercept=False, max_subpopulation=n_subsets, max_iter=1000, random_state=1000
    )
    robust.fit(both, pair)
    one, other = (float(weight) for weight in robust.coef_)
    shares = [distance_correlation(single, pair) for single in (first, second)]
    return InteractionScores(
        first=one,
        second=other,
        magnitude=float(np.hypot(one, other)),
        dcor=distance_correlation(both, pair),
        dcor_singles=distance_correlation(first, second),
        dcor_first=shares[0],
        dcor_second=shares[1],
        fit=float(np.corrcoef(robust.predict(both), pair)[0, 1]),
        dominance=abs(float(np.log10(one / other))) if one * other > 0 else float("nan"),
        equality=min(shares) / max(shares),
    )


def distance_correlation(x: NDArray[np.floating], y: NDArray[np.floating]) -> float:
    """Measure any dependence between two variables, which may be vectors.

    Parameters
    ----------
    x, y
        (G,) or (G, D).

    Returns
    -------
    From 0 (independent, with many values) to 1 (the same but for shift, rotation and scale); 0 for a constant.

    References
    ----------
    Székely et al. (2007), doi:10.1214/009053607000000505.

    Examples
    --------
    >>> round(distance_correlation(np.array([0.0, 1.0, 4.0]), np.array([1.0, 3.0, 9.0])), 6)
    1.0
    """
    x, y = (np.asarray(part, np.float64).reshape(len(part), -1) for part in (x, y))
    together, alone_x, alone_y = _covariances(x, y)
    size = np.sqrt(alone_x * alone_y)
    return float(np.sqrt(max(together, 0.0) / size)) if size > 0 else 0.0


def _covariances(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared distance covariance of x with y, x with x, and y with y, by blocks of rows."""
    from scipy.spatial.distance import cdist

    n = len(x)
    products = np.zeros(3)
    means = np.empty((2, n))
    for start in range(0, n, BLOCK):
        far_x, far_y = (cdist(part[start : start + BLOCK], part) for part in (x, y))  # (b, G)
        means[:, start : start + BLOCK] = far_x.mean(axis=1), far_y.mean(axis=1)
        products += [(far_x * far_y).sum(), (far_x**2).sum(), (far_y**2).sum()]
    a, b = means
    rows = np.array([(a * b).mean(), (a**2).mean(), (b**2).mean()])
    overall = np.array([a.mean() * b.mean(), a.mean() ** 2, b.mean() ** 2])
    return np.asarray(products / n**2 - 2 * rows + overall)
