"""Links against what is known, beside a random ranking, and what to say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.in_silico import benjamini_hochberg
from scviz.metrics.networks import Gain, Overlap, auprc_gain, link_scores, overlap, top_overlap
from scviz.networks.boosting import edges_of
from scviz.networks.regulons import Regulon
from scviz.tasks.scenic import MOST_LINKS, RANDOM, Check, Found, Links, Method, Pruned
from scviz.tasks.scenic.inputs import Inputs


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
    """Every method against the known links."""

    checks: dict[str, Check]
    gain: Gain
    """Of the method that was asked for over correlation."""
    n_candidates: int
    n_known: int


def judge(
    inputs: Inputs,
    strengths: Mapping[Method, NDArray[np.float64]],
    known: NDArray[np.bool_] | None,
    *,
    seed: int,
) -> Judged:
    """Judge each method, the one that was asked for first, and a random ranking by all candidates."""
    nan = float("nan")
    if known is None:
        n_candidates = len(inputs.regulators) * (len(inputs.targets) - 1)
        return Judged(checks={}, gain=Gain(mean=nan, low=nan, high=nan), n_candidates=n_candidates, n_known=0)
    judged = candidates(inputs, known)
    truth = known[judged]
    random = np.random.default_rng(seed).random(known.shape)
    found: dict[str, Check] = {}
    for name, strength in [*strengths.items(), (RANDOM, random)]:
        scores = link_scores(strength[judged], truth)
        top = top_overlap(strength[judged], truth, scores.n_known)
        found[name] = Check(
            auprc=scores.auprc,
            auprc_ratio=scores.auprc_ratio,
            auroc=scores.auroc,
            early_precision=scores.early_precision,
            hits=top.hits,
            p=top.p,
            odds_ratio=top.odds_ratio,
        )
    own = next(iter(strengths.values()))
    gain = auprc_gain(own[judged], strengths["correlation"][judged], truth, np.nonzero(judged)[1], seed=seed)
    return Judged(checks=found, gain=gain, n_candidates=int(judged.sum()), n_known=int(truth.sum()))


def strongest(inputs: Inputs, strength: NDArray[np.float64], known: NDArray[np.bool_] | None) -> Links:
    """List the strongest links of a method."""
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


def described(
    regulons: Sequence[Regulon], inputs: Inputs, shares_on: NDArray[np.floating]
) -> tuple[Found, ...]:
    """Describe regulons, with the known links among their targets beside chance."""
    overlaps = [_overlap(regulon, inputs) for regulon in regulons]
    p = np.array([np.nan if one is None else one.p for one in overlaps])
    fdr = benjamini_hochberg(p) if len(p) and np.isfinite(p).all() else np.full(len(p), np.nan)
    found = []
    for i, (regulon, seen) in enumerate(zip(regulons, overlaps, strict=True)):
        own = regulon.gene_set
        pairs = [(g, w) for g, w in zip(own.genes, own.weights, strict=True) if g != regulon.regulator]
        found.append(
            Found(
                name=regulon.name,
                regulator=regulon.regulator,
                genes=tuple(gene for gene, _ in pairs),
                weights=tuple(weight for _, weight in pairs),
                score=regulon.score,
                motifs=regulon.evidence,
                n_linked=len(pairs) if seen is None else seen.n_chosen,
                n_known=-1 if seen is None else seen.hits,
                expected=float("nan") if seen is None else seen.expected,
                p=float(p[i]),
                fdr=float(fdr[i]),
                share_on=float(shares_on[i]),
            )
        )
    return tuple(found)


def _overlap(regulon: Regulon, inputs: Inputs) -> Overlap | None:
    """Compare the targets with the true ones, or with known ones; None where nothing is known."""
    if inputs.truth is None and regulon.overlap is not None:
        return regulon.overlap
    if inputs.known is None:
        return None
    measured = frozenset(inputs.target_names)
    known = inputs.known.targets.get(regulon.regulator, frozenset()) & measured
    genes = (regulon.weights.keys() & measured) - {regulon.regulator}
    return overlap(len(known & genes), len(genes), len(known), len(inputs.targets) - 1)


def verdict(
    method: Method, judged: Judged, regulons: Sequence[Found], pruned: Pruned, checked_by: str
) -> str:
    """Say in a few sentences what was found, and whether it is more than co-expression."""
    words = f"{len(regulons)} {'regulon' if len(regulons) == 1 else 'regulons'}, "
    words += {
        "motif": "each with a motif of its regulator",
        "prior": "each with known targets of its regulator",
        "none": "from co-expression alone",
    }[pruned]
    if not judged.checks:
        return f"{words}. Nothing here says which links are true: give a table of known links to check them."
    n_beyond = sum(one.fdr <= MOST_FDR for one in regulons)
    words += f"; {n_beyond} hold more known targets than chance gives (false discovery rate 5 %). "
    own, plain, random = judged.checks[method], judged.checks["correlation"], judged.checks[RANDOM]
    words += f"Against {checked_by}, {WORDS[method]} ranks links with an AUPRC of {own.auprc:.3f}, "
    for other in WORDS:
        if other != method and other in judged.checks:
            words += f"{WORDS[other]} with {judged.checks[other].auprc:.3f}, "
    words += f"a random ranking with {random.auprc:.3f}. "
    if max(own.auprc_ratio, plain.auprc_ratio) < LITTLE:
        return words + "That is hardly better than chance, so single links should not be trusted."
    return words + _beside_correlation(method, judged, own.auprc_ratio) + _best_of_all(method, judged)


def _beside_correlation(method: Method, judged: Judged, ratio: float) -> str:
    name = WORDS[method][0].upper() + WORDS[method][1:]
    if method == "correlation":
        return f"That is {ratio:.1f} times as good as chance."
    if judged.gain.low > 0:
        return f"{name} finds more than plain co-expression."
    if judged.gain.high < 0:
        return f"Plain correlation does better: {WORDS[method]} adds nothing to co-expression here."
    return f"{name} does about as well as plain correlation: the 95 % interval of the difference holds 0."


def _best_of_all(method: Method, judged: Judged) -> str:
    best = max(WORDS, key=lambda name: judged.checks[name].auprc if name in judged.checks else -1.0)
    return "" if best in (method, "correlation") else f" The highest of all has {WORDS[best]}."


WORDS: Mapping[Method, str] = {
    "boosting": "GRNBoost2",
    "similarity": "similarity of vectors",
    "interventions": "perturbing the regulators",
    "correlation": "plain correlation",
}
LITTLE = 1.5
"""Rankings less than this many times as good as random are called no better."""
MOST_FDR = 0.05
