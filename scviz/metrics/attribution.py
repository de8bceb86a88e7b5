"""Whether two rankings of genes agree, and more than genes that are expressed as much."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEWEST_GENES = 10
"""Fewer genes say nothing of a ranking."""
MATCHED = 20
"""Genes of nearly the same expression, among which numbers are dealt anew."""
N_TIMES = 199
NOTHING = float("nan")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """How far two rankings agree, beside genes of the same expression."""

    agreement: float
    """Rank correlation."""
    expected: float
    """The same where one number is dealt anew among genes that are expressed as much; mean over deals."""
    p: float
    """Share of the deals, the data among them, that agree as much or more; NaN where nothing can be ranked."""


def matched_agreement(
    one: NDArray[np.floating], other: NDArray[np.floating], levels: NDArray[np.floating], *, seed: int = 0
) -> Matched:
    """Correlate the ranks of genes by two numbers, and again with one of them dealt among genes expressed alike.

    Parameters
    ----------
    one, other
        (G,) numbers of each gene.
    levels
        (G,) mean expression.

    Examples
    --------
    >>> levels = np.arange(100.0)
    >>> alike = matched_agreement(levels, levels, levels)
    >>> alike.agreement > 0.99, alike.expected > 0.9
    (True, True)
    """
    from scipy.stats import rankdata  # loads slowly

    if len(one) < FEWEST_GENES or not np.ptp(one) or not np.ptp(other):
        return Matched(agreement=NOTHING, expected=NOTHING, p=NOTHING)
    order = np.argsort(levels, kind="stable")
    ranks, others = (_unit(rankdata(values[order])) for values in (one, other))
    bins, rng = np.arange(len(order)) // MATCHED, np.random.default_rng(seed)
    found = float(ranks @ others)
    dealt = np.array([ranks @ others[np.argsort(bins + rng.random(len(bins)))] for _ in range(N_TIMES)])
    return Matched(
        agreement=found,
        expected=float(dealt.mean()),
        p=float((1 + (dealt >= found).sum()) / (1 + N_TIMES)),
    )


def _unit(values: NDArray[np.floating]) -> NDArray[np.floating]:
    off = values - values.mean()
    return np.asarray(off / np.linalg.norm(off))
