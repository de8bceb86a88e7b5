"""See which genes a model lets a regulator influence, compared with co-expression and with control regulators."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from scviz.errors import RequestError
from scviz.metrics.evidence import Gain, Outcome, Place
from scviz.networks.attention import SETTINGS, Setting
from scviz.networks.contract import TRUTH, Edges
from scviz.networks.drawing import Drawing
from scviz.tasks.fields import FEW_GENES, SEED, Column, Needs, Number, Switch, check_fields

TITLE = "Attention network"
HEAVY = True
NEEDS = Needs(cells=10, genes=10, lists=("regulators",))

ATTENTION, COEXPRESSION, RANDOM = "attention", "co-expression", "random genes"
MOST_REGULATORS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which regulators, in which two groups of cells, with which model."""

    dataset: str
    checkpoint: str
    column: Annotated[
        str, Column("Compare cells by", help="A column that says what was perturbed, or the types of cells.")
    ]
    control: Annotated[str, Column("Control, or cells A", help="Value of the column.")]
    perturbed: Annotated[str, Column("Perturbed, or cells B", help="Value of the column.")]
    regulators: tuple[str, ...]
    """Names of genes of the dataset."""
    prior: str = ""
    """Prior network, as `read_prior` reads it; "truth" for a simulated screen; empty for none."""
    files_version: str = ""
    """Tells the prior network from others of the same name; `files_version` makes it."""
    most_genes: Annotated[
        int,
        Number(
            "Genes",
            20,
            5000,
            step=100,
            advanced=True,
            help="The most variable ones that the model knows, and every regulator. Twice as many take about four "
            "times as long.",
        ),
    ] = 1200
    most_cells: Annotated[
        int, Number("Cells of each group", 5, 5000, help="More are drawn at random.", advanced=True)
    ] = 100
    top: Annotated[
        int, Number("Top targets", 1, 500, help="So many genes count as predicted targets.", advanced=True)
    ] = 20
    n_null: Annotated[
        int,
        Number(
            "Expression-matched control regulators",
            5,
            1000,
            advanced=True,
            help="Genes expressed like the regulator are tried in its place. More are taken where the correction over "
            "regulators needs them.",
        ),
    ] = 199
    published: Annotated[
        bool,
        Switch(
            "As published",
            advanced=True,
            help="Breaks ties by the order of genes and leaves out the first cell of each group, as the code of "
            "scGPT's authors does. Only to reproduce their numbers.",
        ),
    ] = False
    seed: Annotated[int, SEED] = 0
    few_genes: Annotated[bool, FEW_GENES] = False

    def __post_init__(self) -> None:
        check_fields(self)
        if not self.regulators:
            raise RequestError(
                "No regulator was selected.", hint="Name a gene, such as a transcription factor."
            )
        if len(set(self.regulators)) < len(self.regulators):
            raise RequestError("A regulator is named twice.", hint="Name each gene once.")
        if len(self.regulators) > MOST_REGULATORS:
            raise RequestError(
                f"Regulators must be 1 to {MOST_REGULATORS} (got {len(self.regulators)}).",
                hint="Choose fewer.",
            )
        if self.control == self.perturbed:
            raise RequestError(
                "Both groups are the same cells.", hint="Choose two different values of the column."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """How well one ranking of genes agrees with the known targets of a regulator."""

    regulator: str
    setting: Setting
    method: str
    """ATTENTION, COEXPRESSION or RANDOM."""
    n_candidates: int
    """Genes that were ranked, the regulator left out."""
    n_known: int
    """Known targets among them."""
    share: float
    """Of known targets among all candidates: what random genes would hit."""
    top: int
    hits: float
    """Known targets among the top genes; for random genes what is expected."""
    odds_ratio: float
    auroc: float
    """Chance that a known target stands before another gene; 0.5 is chance."""
    place: Place | None = None
    """Of the area among those of the control regulators; None where they were not tried."""
    fdr: float = float("nan")
    """False discovery rate of the place, over all regulators and settings of the run."""

    @property
    def p(self) -> float:
        """Share of control regulators that do as well, the regulator itself counted; NaN where none was tried."""
        return self.place.p if self.place is not None else float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Influence of R regulators on M genes."""

    genes: tuple[str, ...]
    regulators: tuple[str, ...]
    influence: dict[str, NDArray[np.float32]]
    """By setting, (R, M); NaN for the regulator itself and for genes that no cell holds together with it."""
    coexpression: dict[str, NDArray[np.float32]]
    """By setting, (R, M): change of the correlation without its sign, or the correlation without its sign."""
    control_auroc: dict[str, NDArray[np.float64]]
    """By setting, (R, n) of the control regulators in the place of each; NaN where there are no known targets."""
    checks: tuple[Check, ...]
    """Empty without known targets."""
    gain: Gain | None
    """Of attention over co-expression, by the difference between the groups; None without known targets."""
    outcome: Outcome
    verdict: str
    known: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0), dtype=np.bool_))
    """(R, M) known targets."""
    control_genes: tuple[tuple[str, ...], ...] = ()
    """The n control regulators of each of the R regulators."""
    n_control: int = 0
    n_perturbed: int = 0
    prior: str = ""
    """Where known targets come from, a few words; empty for nowhere."""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    drawings: dict[str, Drawing] = field(default_factory=dict)
    """By setting: the regulators and their top targets."""

    def edges(self, setting: Setting, top: int) -> Edges:
        """Give the links from each regulator to its top targets of positive influence, the strongest first."""
        from scviz.networks.attention import top_targets

        links = [
            (float(values[target]), regulator, self.genes[target])
            for regulator, values in zip(self.regulators, self.influence[setting], strict=True)
            for target in top_targets(values, top)
            if values[target] > 0
        ]
        links.sort(key=lambda link: -link[0])
        return Edges(
            sources=tuple(source for _, source, _ in links),
            targets=tuple(target for _, _, target in links),
            weights=np.array([weight for weight, _, _ in links], dtype=np.float64),
        )


__all__ = ["SETTINGS", "TRUTH", "Check", "Request", "Result", "Setting"]
