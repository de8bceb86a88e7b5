"""Predict the perturbations of a screen that were held out, by every method, beside baselines and a ceiling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.perturbation_split import Kind
from scviz.errors import RequestError
from scviz.metrics.ceiling import Inflation, Spread
from scviz.metrics.perturbation_table import Summary
from scviz.tasks.perturbation.methods import BASELINES, Method

TITLE = "Perturbation prediction"
HEAVY = True

CEILING = "ceiling"
"""Key of the scores of one half of the cells as a prediction of the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which screen, how it is divided, and which methods predict it."""

    dataset: str
    column: str
    """Column of the cells that says which genes were perturbed."""
    control: str = ""
    """Value of the column that is control; empty where its name says so."""
    methods: tuple[Method, ...] = ()
    """Beside the baselines, which always come."""
    split: Kind = "simulation"
    split_seed: int = 1
    most_genes: int = 2000
    """Of all genes, the most variable that are predicted; perturbed genes come on top. 0 takes all."""
    epochs: int = 0
    """For methods that train a network; 0 is what their authors take."""
    independent_controls: bool = False
    """Methods get one half of the control cells, and measured changes start from the other half."""
    terms: str = ""
    """Id of the terms of genes, for methods that read them; empty takes co-expression alone."""
    predict_also: tuple[tuple[str, ...], ...] = ()
    """Perturbations that the screen does not hold: symbols of one gene or of several together."""
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.column:
            raise RequestError("Which column says what was perturbed?", hint="Name a column of the cells.")
        if self.split not in get_args(Kind):
            raise RequestError(f"There is no split {self.split!r}.", hint=f"There are {', '.join(SPLITS)}.")
        if len({method.key for method in self.methods}) < len(self.methods):
            raise RequestError("A method is named twice.", hint="Name each method once.")
        if self.most_genes and not 50 <= self.most_genes <= 20_000:
            raise RequestError(
                f"{self.most_genes:,} genes cannot be predicted.",
                hint="Choose between 50 and 20,000, or 0 for all genes.",
            )
        if not 0 <= self.epochs <= 200:
            raise RequestError(f"{self.epochs} epochs cannot be.", hint="Choose between 1 and 200.")
        if any(not 1 <= len(genes) <= 2 or len(set(genes)) < len(genes) for genes in self.predict_also):
            raise RequestError(
                "One gene or two different genes can be predicted.", hint="Name each gene of a pair once."
            )

    @property
    def every_method(self) -> tuple[Method, ...]:
        """The baselines, then the methods that were asked for."""
        asked = {method.key for method in self.methods}
        always = tuple(Method(name=name) for name in BASELINES if name not in asked)
        return (*always, *self.methods)


SPLITS: dict[Kind, str] = {
    "simulation": "Unseen genes, alone and in pairs",
    "simulation_single": "Unseen genes, alone",
    "combo_seen0": "Pairs, no gene seen",
    "combo_seen1": "Pairs, one gene seen",
    "combo_seen2": "Pairs, both genes seen",
    "single": "A tenth of the single genes",
    "no_split": "Everything, without training",
}
"""Splits in words; "no_test" leaves nothing to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """A perturbation that was held out."""

    genes: tuple[str, ...]
    subgroup: str
    """One of `scviz.metrics.perturbation_table.SUBGROUPS`."""
    n_cells: int

    @property
    def name(self) -> str:
        """How pages call it."""
        return "+".join(self.genes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A perturbation that a method cannot predict."""

    genes: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one method did."""

    method: Method
    title: str
    summaries: dict[str, dict[str, Summary]]
    """By metric, then by subgroup."""
    without_targets: dict[str, dict[str, Summary]]
    """The same where the perturbed genes themselves do not count."""
    spread: Spread | None
    """How much predictions differ; None for the ceiling."""
    refused: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()
    losses: tuple[float, ...] = ()
    """Of each epoch; empty without training."""
    seconds: float = 0.0
    gain: str = ""
    """A sentence: this method against the best baseline."""
    gain_low: float = float("nan")
    """95 % interval of the difference in the correlation of changes, over perturbations that both predict."""
    gain_high: float = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """How the change of a pair follows from those of its genes, as measured or as predicted."""

    genes: tuple[str, ...]
    key: str
    """Of the method; CEILING for what was measured."""
    magnitude: float
    """Size of the weights of both single changes: 1.41 where they simply add."""
    fit: float
    """Correlation of the weighted sum with the change of the pair."""
    dominance: float
    """How unequal the weights are: |log10| of their ratio."""
    kind: str
    """The class of the interaction, in a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """P perturbations that were held out, A that were asked for besides, G genes."""

    genes: tuple[str, ...]
    tested: tuple[Tested, ...]
    asked: tuple[tuple[str, ...], ...]
    train: tuple[tuple[str, ...], ...]
    validation: tuple[tuple[str, ...], ...]
    dropped: tuple[tuple[str, ...], ...]
    control: NDArray[np.float32]
    """(G,) mean log expression of the control cells from which measured changes start."""
    control_predicted: NDArray[np.float32]
    """(G,) of those from which predicted changes start; the same where they are shared."""
    observed: NDArray[np.float32]
    """(P, G) mean log expression of the perturbed cells."""
    de_genes: NDArray[np.int64]
    """(P, 20) the genes that change most, by absolute Welch t."""
    predicted: dict[str, NDArray[np.float32]]
    """By key of the method, (P + A, G); NaN where it predicts nothing."""
    scores: dict[str, NDArray[np.float32]]
    """By key of the method, (M, P): each metric of METRICS for each perturbation."""
    scores_without_targets: dict[str, NDArray[np.float32]]
    outcomes: dict[str, Outcome]
    """By key of the method; CEILING for the split halves."""
    inflation: Inflation
    interactions: tuple[Interaction, ...]
    n_cells: int
    """Cells of the screen, and of control."""
    n_control: int
    n_left_out: int
    """Cells whose perturbation was not understood."""
    verdict: str
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    seconds: float
