"""Hold rankings of genes against known targets: hits among the top, area under the curve, chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import hypergeom, rankdata

from scviz.networks.attention import Setting, top_targets
from scviz.tasks.attention_network import RANDOM, Check

NAN = float("nan")


def area(values: NDArray[np.floating], known: NDArray[np.bool_]) -> float:
    """Give the chance that a known target stands before another gene; NaN without both kinds.

    Examples
    --------
    >>> area(np.array([3.0, 2.0, 1.0, np.nan]), np.array([True, False, False, True]))
    1.0
    """
    ranked = np.isfinite(values)
    values, known = values[ranked], known[ranked]
    n_known, n_others = int(known.sum()), int((~known).sum())
    if not n_known or not n_others:
        return NAN
    total = float(rankdata(values)[known].sum())
    return (total - n_known * (n_known + 1) / 2) / (n_known * n_others)


def odds_ratio(hits: float, top: int, n_known: int, n_candidates: int) -> float:
    """Compare the odds of a known target among the top with those among the others; 0.5 is added to each count.

    Examples
    --------
    >>> odds_ratio(5, 10, 10, 20)
    1.0
    """
    others = n_candidates - n_known - top + hits
    return (hits + 0.5) * (others + 0.5) / ((n_known - hits + 0.5) * (top - hits + 0.5))


def check(
    values: NDArray[np.floating],
    known: NDArray[np.bool_],
    *,
    regulator: str,
    setting: Setting,
    method: str,
    top: int,
    null: Sequence[float] = (),
) -> Check:
    """Judge one ranking.

    Parameters
    ----------
    values
        (M,) the higher, the more likely a target; NaN is no candidate.
    known
        (M,) known targets.
    null
        Areas of other genes in the place of the regulator.
    """
    candidates = np.isfinite(values)
    n_candidates, n_known = int(candidates.sum()), int((known & candidates).sum())
    chosen = top_targets(values, top)
    hits, auroc = int(known[chosen].sum()), area(values, known)
    tried = [one for one in null if one == one]
    return Check(
        regulator=regulator,
        setting=setting,
        method=method,
        n_candidates=n_candidates,
        n_known=n_known,
        share=n_known / max(n_candidates, 1),
        top=len(chosen),
        hits=hits,
        odds_ratio=odds_ratio(hits, len(chosen), n_known, n_candidates),
        p=float(hypergeom.sf(hits - 1, n_candidates, n_known, len(chosen))),
        auroc=auroc,
        p_null=(1 + sum(one >= auroc for one in tried)) / (1 + len(tried)) if tried else NAN,
    )


def by_chance(like: Check) -> Check:
    """Say what random genes would do on the same candidates."""
    return Check(
        regulator=like.regulator,
        setting=like.setting,
        method=RANDOM,
        n_candidates=like.n_candidates,
        n_known=like.n_known,
        share=like.share,
        top=like.top,
        hits=like.top * like.share,
        odds_ratio=1.0,
        p=NAN,
        auroc=0.5,
        p_null=NAN,
    )
