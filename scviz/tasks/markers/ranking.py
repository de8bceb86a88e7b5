"""Markers of a group, the best first; cheap, for pages too."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scviz.tasks.markers import MOST_FDR, Result


def marker_order(
    score: NDArray[np.floating], adjusted_p: NDArray[np.floating], log2_fold_change: NDArray[np.floating]
) -> NDArray[np.int64]:
    """Rank the genes that pass and are higher in a group, (M,) places, the largest score first.

    Parameters
    ----------
    score, adjusted_p, log2_fold_change
        (G,) of the group.

    Examples
    --------
    >>> marker_order(np.array([2.0, 9.0, -9.0, 5.0]), np.array([0.5, 0.0, 0.0, 0.01]), np.ones(4))
    array([1, 3])
    """
    passing = np.flatnonzero((adjusted_p <= MOST_FDR) & (score > 0) & (log2_fold_change > 0))
    return passing[np.lexsort((-log2_fold_change[passing], -score[passing]))]


def markers_of(result: Result, group: int) -> NDArray[np.int64]:
    """Rank the markers of a group of a result, (M,) places of genes."""
    return marker_order(result.score[group], result.adjusted_p[group], result.log2_fold_change[group])


def given_names(result: Result) -> dict[int, str]:
    """Name the groups that have a suggestion, by place; those of one suggestion are told apart by their own name."""
    wanted = [one.name for one in result.suggestions]
    return {
        k: name if wanted.count(name) == 1 else f"{name} ({result.names[k]})"
        for k, name in enumerate(wanted)
        if name
    }
