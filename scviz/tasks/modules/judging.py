"""Modules of every method on the same held-out cells, beside random genes and, where it is known, the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.coherence import (
    Coherence,
    RandomSets,
    beside_random,
    correlations,
    gain_difference,
    lasting_share,
    pair_score,
    random_sets,
)
from scviz.metrics.evidence import Gain, Interval, random_needed
from scviz.metrics.matched_null import MatchedNull
from scviz.networks.communities import agreement
from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.modules import EXPRESSION, RANDOM_WEIGHTS, Judged, Request
from scviz.tasks.modules.clustering import Cut
from scviz.tasks.modules.inputs import Inputs, common_regulators

FEWEST_JUDGING = 30
"""Fewer cells give no interval of a gain: too few for the draw of cells to say how far they may lead astray."""
WORTHWHILE_GAIN = 0.01
"""Difference between two methods that is worth having. It is a mean over all genes, and those of no module add 0: where
a fifth of the genes are in modules, it stands for 0.05 in each."""
WORTHWHILE_MODULE = 0.05
"""Mean correlation above that of random genes from which on a single module is worth looking at."""
UNIT = "mean correlation of a gene with its module, beyond expression-matched random genes,"
TITLES = {EXPRESSION: "plain co-expression", RANDOM_WEIGHTS: "the same model with random weights"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is said of every method, and how the first compares with the others."""

    methods: dict[str, Judged]
    gains: dict[str, Gain]
    by_cell: dict[str, NDArray[np.float64]]
    """By other method, (H,)."""
    chance: float
    """Share of all pairs of genes with a regulator in common; NaN where the network is not known."""
    beside: tuple[RandomSets, ...]
    """Random sets of each module of the first."""
    n_held_out: int
    """Cells in which all are judged."""
    lasting: float = 0.0
    """Share of the variance of the random sets, of the module of the first that is hardest to see, that more cells
    would not take away; 0 where nobody asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jury:
    """What all methods are judged by."""

    values: NDArray[np.float32]
    """(H, G) in held-out cells."""
    correlation: NDArray[np.float32]
    """(G, G) in the same."""
    null: MatchedNull
    together: NDArray[np.bool_] | None
    """(G, G) genes with a regulator in common; None where the network is not known."""

    @property
    def chance(self) -> float:
        """Share of all pairs with a regulator in common."""
        if self.together is None:
            return float("nan")
        n_genes = len(self.together)
        return float(self.together.sum() / (n_genes * (n_genes - 1)))


def judge(request: Request, inputs: Inputs, *, cuts: Mapping[str, Cut], context: Context) -> Judgement:
    """Judge the modules of every method; the first is the source asked for."""
    values = inputs.values(inputs.held_out)
    jury = Jury(
        values=values,
        correlation=correlations(values),
        null=MatchedNull(values.mean(axis=0)),
        together=common_regulators(context.workspace.dataset_folder(request.dataset), inputs.genes),
    )
    beside = {method: _beside(jury, cut, request) for method, cut in cuts.items()}
    held = {
        method: _held(jury, one, context, stage=f"Comparing with random genes, {method}")
        for method, one in beside.items()
    }
    own = next(iter(cuts))
    methods = {name: _judged(jury, cut, own=cuts[own], held=held[name]) for name, cut in cuts.items()}
    title = inputs.model.card.title if inputs.model is not None else own
    gains, by_cell = {}, {}
    for name in list(cuts)[1:]:
        pairs = [(beside[own], held[own]), (beside[name], held[name])]
        by_cell[name], difference = gain_difference(values, *pairs, seed=request.seed)
        gains[name] = _gain(title, name, scores=(methods[own], methods[name]), difference=difference)
    return Judgement(
        methods=methods,
        gains=gains,
        by_cell=by_cell,
        chance=jury.chance,
        beside=beside[own],
        n_held_out=len(values),
        lasting=_lasting(values, beside[own], methods[own]),
    )


def _lasting(values: NDArray[np.float32], beside: Sequence[RandomSets], own: Judged) -> float:
    """Tell what more cells would not take away, where it is to be said how many would do."""
    if own.n_beyond or not own.reach >= WORTHWHILE_MODULE:
        return 0.0
    return lasting_share(values, beside[int(np.argmax(own.above_random))].sets)


def _beside(jury: Jury, cut: Cut, request: Request) -> tuple[RandomSets, ...]:
    """Draw the random sets of each module, enough of them for the number of modules."""
    rng, members = np.random.default_rng(request.seed), cut.members
    n_random = max(request.n_random, random_needed(len(members)))
    n_genes = len(cut.membership)
    return tuple(
        random_sets(jury.null, genes, n_others=n_genes - len(genes), n_random=n_random, rng=rng)
        for genes in members
    )


def _held(
    jury: Jury, beside: tuple[RandomSets, ...], context: Context, *, stage: str
) -> tuple[Coherence, ...]:
    """Compare each module with its random sets."""
    held = []
    for number, one in enumerate(beside):
        context.report(Progress(stage=stage, done=number, total=len(beside)))
        held.append(beside_random(jury.correlation, one, n_modules=len(beside)))
    return tuple(held)


def _judged(jury: Jury, cut: Cut, *, own: Cut, held: tuple[Coherence, ...]) -> Judged:
    """Sum up one method."""
    pairs = None if jury.together is None else pair_score(cut.membership, jury.together)
    return Judged(
        n_compared=len(cut.membership),
        held=held,
        precision=float("nan") if pairs is None else pairs.precision,
        recall=float("nan") if pairs is None else pairs.recall,
        agreement=agreement(own.membership, cut.membership),
    )


def _gain(title: str, name: str, *, scores: tuple[Judged, Judged], difference: Interval) -> Gain:
    """Say what the source gains over one other method; no interval from few cells or where one has no module."""
    own, other = scores
    if difference.n < FEWEST_JUDGING:
        nothing = float("nan")
        difference = Interval(mean=difference.mean, low=nothing, high=nothing, n=difference.n)
    return Gain(
        model=title,
        baseline=TITLES[name],
        score=own.gain,
        baseline_score=other.gain,
        difference=difference,
        unit=UNIT,
        counted="held-out cells",
        n=difference.n,
        worthwhile=WORTHWHILE_GAIN,
    )
