"""Judge rankings of genes by known targets: beside co-expression, and beside control regulators expressed alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import rankdata

from scviz.metrics.evidence import Gain, Interval, fdr, place_of, random_needed, resample
from scviz.metrics.matched_null import MatchedNull
from scviz.networks.attention import SETTINGS, Setting, top_targets
from scviz.tasks.attention_network import ATTENTION, COEXPRESSION, RANDOM, Check, Request
from scviz.tasks.attention_network.inputs import Inputs

FEWEST_KNOWN = 10
"""Fewer known targets of all regulators together give no interval."""
NAN = float("nan")
Maps = Mapping[str, NDArray[np.float32]]
"""By setting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Attention beside co-expression, random genes and control regulators."""

    checks: tuple[Check, ...]
    """Empty without known targets."""
    gain: Gain | None
    """Of attention over co-expression, by the difference between the groups; None where no known target tells."""
    control_auroc: dict[str, NDArray[np.float64]]
    """By setting, (R, n) areas of the control regulators; NaN where there are no known targets."""


def n_tests(n_regulators: int) -> int:
    """Count the p values that are corrected together: every regulator in every setting."""
    return n_regulators * len(SETTINGS)


def control_genes(request: Request, inputs: Inputs) -> NDArray[np.int64]:
    """Draw genes expressed like each regulator, none of them a regulator, (R, n): enough to pass the correction."""
    cells = sparse.vstack(inputs.expression)
    levels = np.column_stack([np.asarray(x.mean(axis=0)).ravel() for x in (cells, cells > 0)])  # (M, 2)
    null, rng = MatchedNull(levels), np.random.default_rng(request.seed)
    wanted = max(request.n_null, random_needed(n_tests(len(inputs.regulators))))
    found = [null.genes(int(one), wanted, rng=rng, without=inputs.regulators) for one in inputs.regulators]
    return np.stack(found)  # as many of each: all are drawn from the genes that are no regulators


def judge(request: Request, inputs: Inputs, *, influence: Maps, coexpression: Maps, controls: Maps) -> Judged:
    """Judge every regulator in every setting.

    Parameters
    ----------
    influence, coexpression
        (R, M) in each setting.
    controls
        (R, n, M) influence of the control regulators in each setting.
    """
    checks: list[Check] = []
    areas = {}
    for setting in SETTINGS:
        tried = np.array(controls[setting])
        for row, regulator in enumerate(inputs.regulators):
            tried[row][:, regulator] = np.nan  # no gene that only one of both could choose is a candidate
        areas[str(setting)] = np.array(
            [aurocs(one, own) for one, own in zip(tried, inputs.known, strict=True)]
        )
        for row in range(len(inputs.regulators)):
            own, plain = influence[setting][row], coexpression[setting][row]
            if (inputs.known[row] & np.isfinite(own)).any():
                checks += _of_regulator(
                    request,
                    row,
                    setting=setting,
                    own=own,
                    plain=plain,
                    known=inputs.known[row],
                    controls=areas[str(setting)][row],
                )
    corrected = _corrected(checks)
    gain = None
    if corrected:
        pair = (influence["difference"], coexpression["difference"])
        gain = gain_of(pair, inputs.known, model=f"Attention of {inputs.model.card.title}", seed=request.seed)
    return Judged(checks=corrected, gain=gain, control_auroc=areas)


def _of_regulator(
    request: Request,
    row: int,
    *,
    setting: Setting,
    own: NDArray[np.floating],
    plain: NDArray[np.floating],
    known: NDArray[np.bool_],
    controls: NDArray[np.float64],
) -> list[Check]:
    """Judge attention, co-expression and random genes for a regulator, on the same candidates."""
    regulator = request.regulators[row]
    mine = check(own, known, regulator=regulator, setting=setting, method=ATTENTION, top=request.top)
    mine = replace(mine, place=place_of(mine.auroc, controls))
    beside = np.where(np.isfinite(own), plain, np.nan)
    theirs = check(beside, known, regulator=regulator, setting=setting, method=COEXPRESSION, top=request.top)
    return [mine, theirs, by_chance(mine)]


def _corrected(checks: list[Check]) -> tuple[Check, ...]:
    """Give each place among control regulators its false discovery rate, over all regulators and settings."""
    rates = fdr([one.p for one in checks])
    return tuple(replace(one, fdr=float(rate)) for one, rate in zip(checks, rates, strict=True))


def aurocs(values: NDArray[np.floating], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Give the chance that a known target stands before another gene in each ranking, (n, M) and (M,) -> (n,).

    NaN is no candidate; rankings without both kinds have NaN.

    Examples
    --------
    >>> aurocs(np.array([[3.0, 2.0, 1.0, np.nan]]), np.array([True, False, False, True])).tolist()
    [1.0]
    """
    allowed = np.isfinite(values)
    n_absent = (~allowed).sum(axis=1)
    ranks = rankdata(np.where(allowed, values, -np.inf), axis=1) - n_absent[:, None]
    n_known = (allowed & known).sum(axis=1)
    n_others = allowed.sum(axis=1) - n_known
    before = np.where(allowed & known, ranks, 0).sum(axis=1) - n_known * (n_known + 1) / 2
    pairs = n_known * n_others
    return np.asarray(np.divide(before, pairs, out=np.full(len(values), np.nan), where=pairs > 0))


def odds_ratio(hits: float, *, top: int, n_known: int, n_candidates: int) -> float:
    """Compare the odds of a known target among the top with those among the others; 0.5 is added to each count.

    Examples
    --------
    >>> odds_ratio(5, top=10, n_known=10, n_candidates=20)
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
) -> Check:
    """Judge one ranking.

    Parameters
    ----------
    values
        (M,) the higher, the more likely a target; NaN is no candidate.
    known
        (M,) known targets.
    """
    candidates = np.isfinite(values)
    n_candidates, n_known = int(candidates.sum()), int((known & candidates).sum())
    chosen = top_targets(values, top)
    hits = int(known[chosen].sum())
    return Check(
        regulator=regulator,
        setting=setting,
        method=method,
        n_candidates=n_candidates,
        n_known=n_known,
        share=n_known / max(n_candidates, 1),
        top=len(chosen),
        hits=hits,
        odds_ratio=odds_ratio(hits, top=len(chosen), n_known=n_known, n_candidates=n_candidates),
        auroc=float(aurocs(values[None], known)[0]),
    )


def by_chance(like: Check) -> Check:
    """Say what random genes would do on the same candidates."""
    hits = like.top * like.share
    return replace(like, method=RANDOM, hits=hits, odds_ratio=1.0, auroc=0.5, place=None, fdr=NAN)


def gain_of(
    rankings: tuple[NDArray[np.floating], NDArray[np.floating]],
    known: NDArray[np.bool_],
    *,
    model: str,
    seed: int,
) -> Gain | None:
    """Compare attention with co-expression: mean area over regulators, genes drawn again and again.

    Parameters
    ----------
    rankings
        (R, M) of attention and of co-expression; candidates are the genes that both have.
    known
        (R, M) known targets; regulators without any are left out of both.

    Returns
    -------
    None where no regulator has known targets among its candidates.
    """
    candidates = np.isfinite(rankings[0]) & np.isfinite(rankings[1])
    told = (known & candidates).any(axis=1) & (~known & candidates).any(axis=1)
    if not told.any():
        return None
    pairs = [
        tuple(_Ranked(ranking[row], known[row], candidates[row]) for ranking in rankings)
        for row in np.flatnonzero(told).tolist()
    ]

    def mean(times: NDArray[np.int64], which: int) -> NDArray[np.float64]:
        return np.asarray(np.mean([pair[which].aurocs(times) for pair in pairs], axis=0))

    once = np.ones((1, known.shape[1]), dtype=np.int64)
    difference = resample(lambda times: mean(times, 0) - mean(times, 1), known.shape[1], seed=seed)
    if (known & candidates)[told].sum() < FEWEST_KNOWN:
        difference = Interval(mean=difference.mean, low=NAN, high=NAN, n=difference.n)
    return Gain(
        model=model,
        baseline="co-expression",
        score=float(mean(once, 0)[0]),
        baseline_score=float(mean(once, 1)[0]),
        difference=difference,
        unit="chance that a known target ranks before another gene",
        counted="genes",
        n=int(candidates[told].any(axis=0).sum()),
    )


class _Ranked:
    """A ranking of M genes sorted once, whose area can be taken for any weights of the genes."""

    def __init__(
        self, values: NDArray[np.floating], known: NDArray[np.bool_], candidates: NDArray[np.bool_]
    ) -> None:
        own = np.flatnonzero(candidates)
        self._order = own[np.argsort(values[own], kind="stable")]
        ranked = values[self._order]
        self._starts = np.flatnonzero(
            np.r_[True, ranked[1:] != ranked[:-1]]
        )  # equal values share their place
        self._known = known[self._order]

    def aurocs(self, times: NDArray[np.int64]) -> NDArray[np.float64]:
        """Give the area where each gene counts some times, (B, M) -> (B,); NaN where a kind is not drawn."""
        drawn = times[:, self._order].astype(np.float64)
        hits = np.add.reduceat(drawn * self._known, self._starts, axis=1)  # (B, groups)
        others = np.add.reduceat(drawn * ~self._known, self._starts, axis=1)
        below = others.cumsum(axis=1) - others / 2
        pairs = hits.sum(axis=1) * others.sum(axis=1)
        return np.asarray(
            np.divide((hits * below).sum(axis=1), pairs, out=np.full(len(times), np.nan), where=pairs > 0)
        )
