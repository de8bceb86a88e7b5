"""Guesses that read no cell: what any pre-training must beat."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def frequency_loss(known: NDArray[np.integer], asked: NDArray[np.integer], n_kinds: int) -> float:
    """Cross entropy of naming values by how common each is elsewhere.

    Parameters
    ----------
    known, asked
        (n,) and (m,) kinds from 0 to n_kinds - 1: those that are counted, and those that are guessed.

    Examples
    --------
    >>> round(frequency_loss(np.array([0, 1]), np.array([0, 1, 1]), 2), 3)
    0.693
    """
    times = np.bincount(known, minlength=n_kinds) + 1.0  # one more, so that nothing is impossible
    return float(-np.log(times / times.sum())[asked].mean())


def mean_loss(
    known: NDArray[np.integer],
    values: NDArray[np.floating],
    *,
    asked: NDArray[np.integer],
    truth: NDArray[np.floating],
    n_kinds: int,
) -> float:
    """Mean squared error of guessing values by the mean that their gene has elsewhere.

    Parameters
    ----------
    known, values
        (n,) genes from 0 to n_kinds - 1 and their values, which give the means; genes that never
        occur get the overall one.
    asked, truth
        (m,) genes whose values are guessed, and these values.

    Examples
    --------
    >>> asked, truth = np.array([0, 1]), np.array([2.0, 4.0])
    >>> mean_loss(np.array([0, 0]), np.array([1.0, 3.0]), asked=asked, truth=truth, n_kinds=2)
    2.0
    """
    times = np.bincount(known, minlength=n_kinds)
    sums = np.bincount(known, weights=values, minlength=n_kinds)
    means = np.divide(sums, times, out=np.full(n_kinds, values.mean()), where=times > 0)
    return float(np.square(truth - means[asked]).mean())
