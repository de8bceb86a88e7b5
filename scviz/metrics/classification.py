"""How well cells, or genes, are named."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def confusion_matrix(
    truth: NDArray[np.integer], predicted: NDArray[np.integer], n_types: int
) -> NDArray[np.int64]:
    """Count cells by true type and predicted type.

    Parameters
    ----------
    truth, predicted
        (M,) types from 0 to n_types - 1.

    Returns
    -------
    (K, K), rows are true types.

    Examples
    --------
    >>> confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 2)
    array([[1, 1],
           [0, 1]])
    """
    pairs = truth.astype(np.int64) * n_types + predicted
    return np.bincount(pairs, minlength=n_types**2).reshape(n_types, n_types).astype(np.int64)


def accuracy(truth: NDArray[np.integer], predicted: NDArray[np.integer]) -> float:
    """Return the share of cells that are named right; NaN without cells.

    Parameters
    ----------
    truth, predicted
        (M,) types.
    """
    return float((truth == predicted).mean()) if len(truth) else float("nan")


def f1_scores(
    truth: NDArray[np.integer], predicted: NDArray[np.integer], n_types: int
) -> NDArray[np.float64]:
    """Return the F1 of each type, (K,): the harmonic mean of precision and recall.

    0 where no cell of the type is found; NaN for a type that is neither true nor predicted anywhere.

    Examples
    --------
    >>> f1_scores(np.array([0, 0, 1]), np.array([0, 1, 1]), 3).round(3)
    array([0.667, 0.667,   nan])
    """
    counts = confusion_matrix(truth, predicted, n_types)
    either = counts.sum(axis=0) + counts.sum(axis=1)  # (K,)
    scores = np.full(n_types, np.nan)
    np.divide(2.0 * np.diag(counts), either, out=scores, where=either > 0)
    return scores


def macro_f1(truth: NDArray[np.integer], predicted: NDArray[np.integer], n_types: int) -> float:
    """Average F1 over the types that are true or predicted somewhere, each type counting the same.

    Parameters
    ----------
    truth, predicted
        (M,) types from 0 to n_types - 1.

    Examples
    --------
    >>> macro_f1(np.array([0, 0, 1]), np.array([0, 0, 1]), 2)
    1.0
    """
    scores = f1_scores(truth, predicted, n_types)
    return float(np.nanmean(scores)) if len(truth) else float("nan")
