"""Predict the perturbations of a screen that were held out, by every method, compared with baselines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.perturbation_split import Kind
from scviz.errors import RequestError
from scviz.metrics.ceiling import Inflation, Spread
from scviz.metrics.evidence import Gain
from scviz.metrics.perturbation_table import Summary
from scviz.tasks.fields import FEW_GENES, SEED, Choice, Column, Needs, Number, Switch, check_fields
from scviz.tasks.perturbation.methods import BASELINES, Method

TITLE = "Perturbation prediction"
HEAVY = True
NEEDS = Needs(cells=10, genes=10)

HALVES = "halves"
"""Key of the scores of one half of the cells as a prediction of the other."""
MEASURED = "measured"
"""Key of what was measured, among the interactions."""
HEADLINE = "pearson_delta"
"""The score that the verdict is about."""
TOP_DE = 20

Split = Literal[Kind, "own"]
SPLITS: dict[Split, str] = {
    "simulation": "Unseen genes, alone and in pairs",
    "simulation_single": "Unseen genes, alone",
    "combo_seen0": "Pairs, no gene seen",
    "combo_seen1": "Pairs, one gene seen",
    "combo_seen2": "Pairs, both genes seen",
    "single": "A tenth of the single genes",
    "no_split": "Everything, without training",
    "own": "Your own split",
}
"""Splits in words; "no_test" leaves nothing to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which screen, how it is divided, and which methods predict it."""

    dataset: str
    column: Annotated[
        str,
        Column(
            "Perturbed gene",
            help="Column that says which gene was perturbed in a cell: GENE+ctrl, GENE1+GENE2, names of guides such as "
            "GENE_1, or plain names of genes.",
        ),
    ]
    control: Annotated[
        str,
        Column(
            "Control",
            none="by its name",
            help="Value of cells that were not perturbed, or got a guide that targets nothing.",
        ),
    ] = ""
    methods: tuple[Method, ...] = ()
    """Beside the baselines, which always come and take seconds; networks train for minutes to hours."""
    split: Annotated[
        Split,
        Choice(
            "Held out",
            SPLITS,
            help="Whole perturbations are held out, never single cells: the same rules and random numbers as GEARS. "
            "Your own comes from a file or from a column that says train, validation or test.",
        ),
    ] = "simulation"
    split_seed: Annotated[int, Number("Seed of the split", 0, 9999, advanced=True)] = 1
    held_out: tuple[tuple[str, ...], ...] = ()
    """Perturbations of your own split that are judged by."""
    stop_by: tuple[tuple[str, ...], ...] = ()
    """Those of your own split that training stops by."""
    most_genes: Annotated[
        int,
        Number(
            "Genes",
            50,
            20_000,
            step=100,
            automatic="all genes",
            help="The most variable ones are predicted, and every perturbed gene that is measured.",
            advanced=True,
        ),
    ] = 2000
    epochs: Annotated[
        int,
        Number(
            "Maximum epochs",
            1,
            200,
            automatic="what the authors of each method take",
            help="Passes over the training cells, for methods that train a network.",
            advanced=True,
        ),
    ] = 0
    independent_controls: Annotated[
        bool,
        Switch(
            "Different control cells for prediction and truth",
            help="Methods see one half of the control cells, and measured changes start from the other half, so that "
            "no score gains from the noise of shared controls.",
            advanced=True,
        ),
    ] = False
    cell_eval: Annotated[
        bool,
        Switch(
            "Table of cell-eval",
            help="Scores by the names and rules of cell-eval 0.8, to compare with printed numbers. Methods predict "
            "means: control cells, scaled to them, stand for predicted cells.",
            advanced=True,
        ),
    ] = False
    terms: Annotated[
        str,
        Column(
            "Gene annotations (GO)",
            help="GEARS connects genes that share GO terms; without them, genes that are expressed together. Add your "
            "own on the Data page.",
            advanced=True,
        ),
    ] = ""
    """Id of the annotations, for methods that read them; empty takes co-expression alone."""
    predict_also: tuple[tuple[str, ...], ...] = ()
    """Perturbations that the screen does not hold: symbols of one gene or of several together."""
    seed: Annotated[int, SEED] = 0
    few_genes: Annotated[bool, FEW_GENES] = False

    def __post_init__(self) -> None:
        check_fields(self)
        if not self.column:
            raise RequestError("No column was named that says what was perturbed.", hint="Name one.")
        if len({method.key for method in self.methods}) < len(self.methods):
            raise RequestError("A method is named twice.", hint="Name each method once.")
        if (self.split == "own") != bool(self.held_out):
            raise RequestError(
                "Your own split and the perturbations that it holds out go together.",
                hint="Give a file or a column that says which perturbations are test, or choose another split.",
            )
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

    method: Method | None
    """None for the halves of the cells."""
    title: str
    summaries: dict[str, dict[str, Summary]]
    """By metric, then by subgroup."""
    without_targets: dict[str, dict[str, Summary]]
    """The same where the perturbed genes themselves do not count."""
    spread: Spread | None
    """How much predictions differ; None for the halves."""
    refused: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()
    losses: tuple[float, ...] = ()
    """Of each epoch; empty without training."""
    seconds: float = 0.0
    gain: Gain | None = None
    """Against the best baseline that predicts all that this method does; None for baselines and halves."""
    beside: str = ""
    """Further sentences about the comparison."""

    @property
    def asked(self) -> bool:
        """Whether it is a method that was asked for."""
        return self.method is not None and self.method.name not in BASELINES


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """How the change of a pair follows from those of its genes, as measured or as predicted."""

    genes: tuple[str, ...]
    key: str
    """Of the method; MEASURED for what was measured."""
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
    learned: NDArray[np.float32]
    """(Q, G) that of the training and validation perturbations, in the order of `learned_from`."""
    de_order: NDArray[np.int64]
    """(P, D) the genes that change most, by absolute Welch t; a few more than TOP_DE, as targets may be left out."""
    predicted: dict[str, NDArray[np.float32]]
    """By key of the method, (P + A, G); NaN where it predicts nothing."""
    scores: dict[str, NDArray[np.float32]]
    """By key of the method, (M, P): each metric of METRICS for each perturbation."""
    scores_without_targets: dict[str, NDArray[np.float32]]
    outcomes: dict[str, Outcome]
    """By key of the method; HALVES for one half of the cells as a prediction of the other."""
    ceiling: NDArray[np.float32]
    """(2, P) correlation of changes that the true change would have, with and without the perturbed genes."""
    cell_eval: dict[str, dict[str, float]]
    """Means by the rules of cell-eval: by key of the method, then by the authors' name; empty if not asked for."""
    inflation: Inflation
    interactions: tuple[Interaction, ...]
    n_cells: int
    """Cells of the screen, and of control."""
    n_control: int
    n_left_out: int
    """Cells of no perturbation that is used."""
    verdict: str
    gain: Gain | None
    """Of the best method among those that were asked for and predict all; None where there is none."""
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    seconds: float
    left_out: dict[str, int] = field(default_factory=dict)
    """Cells that are left out, by reason, in a few words; empty in results of earlier versions."""

    @property
    def de_genes(self) -> NDArray[np.int64]:
        """The genes that each perturbation changes most, (P, TOP_DE)."""
        return self.de_order[:, :TOP_DE]

    @property
    def learned_from(self) -> tuple[tuple[str, ...], ...]:
        """Training and validation perturbations, without control."""
        return tuple(one for one in (*self.train, *self.validation) if one)
