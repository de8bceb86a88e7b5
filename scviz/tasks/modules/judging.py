"""Modules of every method on the same held-out cells, beside random genes and, where it is known, the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.labels import Labels
from scviz.metrics.coherence import (
    Coherence,
    beside_random,
    correlations,
    expression_groups,
    gain_of_genes,
    matched_genes,
    mean_interval,
    pair_score,
    separation,
)
from scviz.metrics.in_silico import benjamini_hochberg
from scviz.networks.communities import agreement
from scviz.networks.module_scores import module_scores
from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.modules import EXPRESSION, MOST_FDR, Facts, Gain, Judged, Request
from scviz.tasks.modules.cutting import Cut
from scviz.tasks.modules.inputs import Inputs, common_regulators

RANDOM_SCORED = 50
"""Random gene sets whose scores are held against the types of cells, beside each module."""
CELLS_SCORED = 2000
"""Cells in which those are scored, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is said of every method, and of the modules of the first."""

    methods: dict[str, Judged]
    gains: tuple[Gain, ...]
    facts: tuple[Facts, ...]
    chance: float
    """Share of all pairs of genes with a regulator in common; NaN where the network is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jury:
    """What all methods are judged by."""

    correlation: NDArray[np.float32]
    """(G, G) in held-out cells."""
    groups: NDArray[np.int64]
    """(G,) group of expression of each gene."""
    together: NDArray[np.bool_] | None
    """(G, G) genes with a regulator in common; None where the network is not known."""

    @property
    def chance(self) -> float:
        """Share of all pairs with a regulator in common."""
        if self.together is None:
            return float("nan")
        n_genes = len(self.together)
        return float(self.together.sum() / (n_genes * (n_genes - 1)))

    def gain(self, cut: Cut) -> NDArray[np.float64]:
        """Tell for each gene how much more it goes with its fellows than with genes expressed alike, (G,)."""
        return gain_of_genes(self.correlation, cut.membership, self.groups)


def judge(
    request: Request,
    inputs: Inputs,
    cuts: Mapping[str, Cut],
    types: Labels,
    auroc: NDArray[np.float32],
    context: Context,
) -> Judgement:
    """Judge the modules of every method; the first is the source asked for.

    Parameters
    ----------
    auroc
        (T, M) how well the scores of its modules tell each type from all others.
    """
    context.report(Progress(stage="Comparing with chance"))
    values = inputs.values(inputs.held_out)
    jury = Jury(
        correlation=correlations(values),
        groups=expression_groups(values.mean(axis=0)),
        together=common_regulators(context.workspace.dataset_folder(request.dataset), inputs.genes),
    )
    found = {method: _coherences(jury, cut, request, context, method) for method, cut in cuts.items()}
    own, method = next(iter(cuts.values())), next(iter(cuts))
    beside = _random_separation(inputs, own, jury, types, request, context)
    return Judgement(
        methods={name: _judged(jury, cut, own, found[name]) for name, cut in cuts.items()},
        gains=_gains(jury, cuts, request.seed),
        facts=_facts(own, cuts[EXPRESSION], found[method], types, auroc, beside),
        chance=jury.chance,
    )


def _coherences(
    jury: Jury, cut: Cut, request: Request, context: Context, method: str
) -> tuple[Coherence, ...]:
    """Hold each module against random genes that are expressed alike."""
    rng, found, members = np.random.default_rng(request.seed), [], cut.members
    for number, genes in enumerate(members):
        context.report(
            Progress(stage=f"Comparing with random genes, {method}", done=number, total=len(members))
        )
        found.append(beside_random(jury.correlation, genes, jury.groups, n_random=request.n_random, rng=rng))
    return tuple(found)


def _judged(jury: Jury, cut: Cut, own: Cut, found: tuple[Coherence, ...]) -> Judged:
    """Sum up one method."""
    sizes = np.array([len(genes) for genes in cut.members], dtype=float)
    weights = sizes / max(sizes.sum(), 1.0)
    pairs = None if jury.together is None else pair_score(cut.membership, jury.together)
    return Judged(
        n_modules=len(sizes),
        share=float((cut.membership >= 0).mean()),
        modularity=cut.modularity,
        coherence=_mean([one.mean for one in found], weights),
        random=_mean([one.random for one in found], weights),
        n_beyond=int((_fdr(found) <= MOST_FDR).sum()),
        gain=float(jury.gain(cut).mean()),
        precision=float("nan") if pairs is None else pairs.precision,
        recall=float("nan") if pairs is None else pairs.recall,
        agreement=agreement(own.membership, cut.membership),
    )


def _gains(jury: Jury, cuts: Mapping[str, Cut], seed: int) -> tuple[Gain, ...]:
    """Compare the source asked for with every other method, gene by gene."""
    own, *others = cuts
    members = cuts[own].membership
    clusters = np.where(
        members >= 0, members, len(members) + np.arange(len(members))
    )  # a gene of none is its own
    gains = []
    for name in others:
        more = jury.gain(cuts[own]) - jury.gain(cuts[name])
        low, high = mean_interval(more, clusters, rng=np.random.default_rng(seed))
        gains.append(Gain(over=name, mean=float(more.mean()), low=low, high=high))
    return tuple(gains)


def _facts(
    own: Cut,
    plain: Cut,
    found: tuple[Coherence, ...],
    types: Labels,
    auroc: NDArray[np.float32],
    random_auroc: NDArray[np.float64],
) -> tuple[Facts, ...]:
    """Describe the modules of the source asked for."""
    rates = _fdr(found)
    facts = []
    for number, (one, genes) in enumerate(zip(found, own.members, strict=True)):
        column = auroc[:, number]
        best = int(np.nanargmax(column)) if np.isfinite(column).any() else None
        facts.append(
            Facts(
                coherence=one.mean,
                random=one.random,
                random_high=one.random_high,
                z=one.z,
                p=one.p,
                fdr=float(rates[number]),
                overlap=max((_jaccard(genes, other) for other in plain.members), default=0.0),
                best_type="" if best is None else types.names[best],
                auroc=float("nan") if best is None else float(column[best]),
                random_auroc=float(random_auroc[number]),
            )
        )
    return tuple(facts)


def _random_separation(
    inputs: Inputs, own: Cut, jury: Jury, types: Labels, request: Request, context: Context
) -> NDArray[np.float64]:
    """Tell how well random genes tell their best type from others: the 95 % quantile beside each module, (M,)."""
    members = own.members
    found = np.full(len(members), np.nan)
    rng = np.random.default_rng(request.seed)
    rows = np.sort(rng.permutation(np.flatnonzero(types.codes >= 0))[:CELLS_SCORED])
    if not len(rows):
        return found
    for number, genes in enumerate(members):
        context.report(Progress(stage="Scoring random genes", done=number, total=len(members)))
        sets = [inputs.columns[matched_genes(jury.groups, genes, rng)] for _ in range(RANDOM_SCORED)]
        scores = module_scores(inputs.expression[rows], sets)
        auroc = separation(scores, types.codes[rows], len(types.names))
        known = auroc[np.isfinite(auroc).all(axis=1)]  # (T, R)
        if len(known):
            found[number] = np.quantile(known.max(axis=0), 0.95)
    return found


def _fdr(found: tuple[Coherence, ...]) -> NDArray[np.float64]:
    p = np.array([one.p for one in found])
    return benjamini_hochberg(p) if len(p) else p


def _mean(values: list[float], weights: NDArray[np.float64]) -> float:
    return float(np.dot(values, weights)) if values else float("nan")


def _jaccard(genes: NDArray[np.int64], others: NDArray[np.int64]) -> float:
    """Count the genes that two modules share, by those of either."""
    return float(len(np.intersect1d(genes, others)) / len(np.union1d(genes, others)))
