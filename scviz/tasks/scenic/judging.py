"""Links against what is known, compared with correlation, a random ranking and exchanged targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.evidence import Gain, Interval, fdr
from scviz.metrics.networks import (
    Overlap,
    auprc_difference,
    auprc_place,
    link_scores,
    overlap,
    top_overlap,
)
from scviz.networks.boosting import edges_of
from scviz.networks.regulons import Regulon
from scviz.tasks.scenic import MOST_LINKS, RANDOM, WORDS, Check, Found, Links, Method
from scviz.tasks.scenic.inputs import Inputs

NAN = float("nan")
WORTHWHILE = 0.5
"""A difference, in multiples of a random ranking, that a reader would act on."""


def known_matrix(inputs: Inputs) -> NDArray[np.bool_] | None:
    """Tell which candidate links are known, (R, T); None where nothing is known."""
    if inputs.known is None:
        return None
    place = {gene: i for i, gene in enumerate(inputs.target_names)}
    known = np.zeros((len(inputs.regulators), len(inputs.targets)), dtype=bool)
    for row, regulator in enumerate(inputs.regulator_names):
        columns = [place[gene] for gene in inputs.known.targets.get(regulator, ()) if gene in place]
        known[row, columns] = True
    return known if known.any() else None


def candidates(inputs: Inputs, known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which links are judged, (R, T): none from a gene to itself."""
    found: NDArray[np.bool_] = np.array(inputs.regulators)[:, None] != np.array(inputs.targets)[None, :]
    if inputs.truth is None:  # a regulator without a known target tells nothing
        found = found & (known.sum(axis=1) > 0)[:, None]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Every method against the known links, all on the same candidates."""

    checks: dict[str, Check]
    gain: Gain | None
    """Of the method that was asked for over correlation; None where nothing is known, or correlation was asked for."""
    n_candidates: int
    n_known: int
    judged: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0), dtype=np.bool_))
    """(R, T) links that are judged: of regulators of which every method can tell."""


def judge(
    inputs: Inputs,
    weights: Mapping[Method, NDArray[np.float64]],
    known: NDArray[np.bool_] | None,
    *,
    seed: int,
) -> Judged:
    """Judge each method, the one that was asked for first, and a random ranking.

    Only regulators that every method has links of are judged, so that all are compared on the same candidates.

    Parameters
    ----------
    weights
        (R, T) of each method.
    known
        (R, T) known links; None where nothing is known.
    """
    nothing = Judged(
        checks={}, gain=None, n_candidates=len(inputs.regulators) * (len(inputs.targets) - 1), n_known=0
    )
    if known is None:
        return nothing
    told = np.all([(one > 0).any(axis=1) for one in weights.values()], axis=0)
    judged = candidates(inputs, known) & told[:, None]
    truth = known[judged]
    if not 0 < truth.sum() < len(truth):
        return nothing
    random = np.random.default_rng(seed).random(known.shape)
    named = [*weights.items(), (RANDOM, random)]
    checks = {name: _check(one, known, judged=judged, seed=seed) for name, one in named}
    asked = next(iter(weights))
    gain = None
    if asked != "correlation":
        difference = auprc_difference(
            weights[asked][judged], weights["correlation"][judged], truth,
            targets=np.nonzero(judged)[1], seed=seed,
        )  # fmt: skip
        gain = _gain(asked, checks, difference, density=float(truth.mean()), n=len(inputs.targets))
    return Judged(
        checks=checks,
        gain=gain,
        n_candidates=len(truth),
        n_known=int(truth.sum()),
        judged=judged,
    )


def _check(
    weight: NDArray[np.float64], known: NDArray[np.bool_], *, judged: NDArray[np.bool_], seed: int
) -> Check:
    scores = link_scores(weight[judged], known[judged])
    top = top_overlap(weight[judged], known[judged], scores.n_known)
    return Check(
        auprc=scores.auprc,
        auprc_ratio=scores.auprc_ratio,
        auroc=scores.auroc,
        early_precision=scores.early_precision,
        hits=top.hits,
        odds_ratio=top.odds_ratio,
        place=auprc_place(weight, known, judged=judged, seed=seed),
    )


def _gain(
    method: Method, checks: Mapping[str, Check], difference: Interval, *, density: float, n: int
) -> Gain:
    """Compare a method with correlation, both as multiples of what random links have."""
    return Gain(
        model=WORDS[method],
        baseline="plain correlation",
        score=checks[method].auprc_ratio,
        baseline_score=checks["correlation"].auprc_ratio,
        difference=Interval(
            mean=difference.mean / density,
            low=difference.low / density,
            high=difference.high / density,
            n=difference.n,
        ),
        unit="known links found, in multiples of a random ranking,",
        counted="target genes",
        n=n,
        worthwhile=WORTHWHILE,
    )


def strongest(inputs: Inputs, strength: NDArray[np.float64], known: NDArray[np.bool_] | None) -> Links:
    """List the strongest links of a method, (R, T)."""
    edges = edges_of(strength, inputs.regulator_names, inputs.target_names, most=MOST_LINKS)
    rows = {gene: i for i, gene in enumerate(inputs.regulator_names)}
    columns = {gene: i for i, gene in enumerate(inputs.target_names)}
    pairs = zip(edges.sources, edges.targets, strict=True)
    return Links(
        sources=edges.sources,
        targets=edges.targets,
        weights=tuple(edges.weights.tolist()),
        known=() if known is None else tuple(bool(known[rows[a], columns[b]]) for a, b in pairs),
    )


def tested(regulons: Sequence[Regulon], inputs: Inputs) -> dict[str, Overlap]:
    """Compare what was linked to each regulator with its known targets, by name; empty where nothing is known.

    All regulators with a module are tested, before known links choose among their targets: those that hold too few
    known targets to be kept count in the correction.
    """
    if inputs.known is None:
        return {}
    measured, found = frozenset(inputs.target_names), {}
    for one in regulons:
        known = (inputs.known.targets.get(one.regulator, frozenset()) & measured) - {one.regulator}
        genes = (one.weights.keys() & measured) - {one.regulator}
        found[one.name] = overlap(
            len(known & genes), n_chosen=len(genes), n_known=len(known), n_all=len(inputs.targets) - 1
        )
    return found


def described(
    regulons: Sequence[Regulon], overlaps: Mapping[str, Overlap], shares_on: NDArray[np.floating]
) -> tuple[Found, ...]:
    """Describe regulons, with the known links among their targets beside chance.

    Parameters
    ----------
    overlaps
        Of all regulons that were tested, by name.
    shares_on
        (R,) share of cells in which each is on.
    """
    rates = dict(zip(overlaps, fdr([one.p for one in overlaps.values()]).tolist(), strict=True))
    return tuple(
        _found(one, overlaps.get(one.name), fdr=rates.get(one.name, NAN), share_on=float(share))
        for one, share in zip(regulons, shares_on, strict=True)
    )


def _found(regulon: Regulon, seen: Overlap | None, *, fdr: float, share_on: float) -> Found:
    own = regulon.gene_set
    pairs = [(g, w) for g, w in zip(own.genes, own.weights, strict=True) if g != regulon.regulator]
    known = {"n_linked": len(pairs), "n_known": -1, "expected": NAN, "p": NAN}
    if seen is not None:
        known = {"n_linked": seen.n_chosen, "n_known": seen.hits, "expected": seen.expected, "p": seen.p}
    return Found(
        name=regulon.name,
        regulator=regulon.regulator,
        genes=tuple(gene for gene, _ in pairs),
        weights=tuple(weight for _, weight in pairs),
        score=regulon.score,
        motifs=regulon.evidence,
        fdr=fdr,
        share_on=share_on,
        **known,  # type: ignore[arg-type]
    )
