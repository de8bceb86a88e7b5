"""Whether two rankings of genes agree."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FEWEST_GENES = 10
"""Fewer genes say nothing of a ranking."""


def rank_agreement(
    one: NDArray[np.floating], other: NDArray[np.floating], among: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Correlate the ranks of genes by two numbers, type by type.

    Parameters
    ----------
    one, other
        (K, G) numbers of each gene for each type.
    among
        (K, G) genes that are ranked.

    Returns
    -------
    (K,) Spearman's correlation; NaN for types with fewer than `FEWEST_GENES` genes, or where one number is the same
    for all of them.

    Examples
    --------
    >>> up = np.arange(12.0)[None]
    >>> rank_agreement(up, up**3, np.ones((1, 12), dtype=bool)).round(6), rank_agreement(up, -up, up >= 0).round(6)
    (array([1.]), array([-1.]))
    """
    from scipy.stats import rankdata  # loads slowly

    found = np.full(len(one), np.nan)
    for k, genes in enumerate(among):
        ranks = [rankdata(values[k, genes]) for values in (one, other)]
        if genes.sum() >= FEWEST_GENES and all(np.ptp(own) > 0 for own in ranks):
            found[k] = np.corrcoef(ranks[0], ranks[1])[0, 1]
    return found
