"""Find the regulators that drive cells: links, regulons and their activity, beside plain correlation and chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from scviz.errors import RequestError
from scviz.metrics.evidence import Gain, Outcome, Place
from scviz.metrics.networks import Overlap
from scviz.networks.contract import TRUTH
from scviz.networks.drawing import Drawing
from scviz.tasks.fields import FEW_GENES, SEED, TYPE_KINDS, Choice, Column, Needs, Number, check_fields

TITLE = "Regulons"
HEAVY = True
VERSION = 2
"""1: boosted trees of scikit-learn, one seed."""
NEEDS = Needs(cells=10, genes=4)
FANS_OUT = True
"""On a cluster its other workers help: `run.py` has a `help_out` beside `run`."""

Method = Literal["boosting", "correlation", "similarity", "interventions"]
METHODS: dict[Method, str] = {
    "boosting": "Boosted trees (GRNBoost2)",
    "correlation": "Plain correlation",
    "similarity": "Similar vectors in a model",
    "interventions": "What perturbing the regulator changes",
}
WORDS: dict[Method, str] = {
    "boosting": "GRNBoost2",
    "similarity": "similarity of vectors",
    "interventions": "perturbing the regulators",
    "correlation": "plain correlation",
}
RANDOM = "random"
"""Key of the scores of a random ranking."""
Pruned = Literal["motif", "prior", "none"]
PRUNED: dict[Pruned, str] = {
    "motif": "kept where a motif of the regulator supports them",
    "prior": "kept where a prior network (TF - target) names them",
    "none": "not pruned: co-expression alone",
}
MOST_LINKS = 5000
"""Links of each method that a page shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which cells, which regulators, and what supports their targets."""

    dataset: str
    regulators: str = ""
    """File with a symbol of a regulator in each line; empty takes those of the known links, without any those
    that scviz ships."""
    method: Annotated[
        Method,
        Choice(
            "Links by",
            METHODS,
            help="Plain correlation is always compared with, and takes a second. In cells with few "
            "counts it is often better than boosted trees; perturbations, where there are any, tell more "
            "than both. Similar vectors are those of the model and checkpoint that are chosen above.",
        ),
    ] = "boosting"
    checkpoint: str = ""
    """Weights whose vectors of genes are compared; for `similarity` alone."""
    condition_key: Annotated[
        str,
        Column(
            "Perturbed gene",
            none="do not look at perturbations",
            help="Column of a screen: what changes when a regulator is perturbed is compared with the other rankings.",
        ),
    ] = ""
    model_cells: Annotated[
        int,
        Number(
            "Cells that a model reads",
            1,
            50_000,
            help="For links by similar vectors; drawn at random.",
            advanced=True,
        ),
    ] = 100
    most_genes: Annotated[
        int,
        Number(
            "Genes",
            50,
            20_000,
            step=100,
            help="The most variable ones are targets; regulators come on top.",
            advanced=True,
        ),
    ] = 1000
    most_cells: Annotated[
        int,
        Number(
            "Cells",
            50,
            50_000,
            step=500,
            help="Links are looked for in as many, drawn at random. Activity is scored in all.",
            advanced=True,
        ),
    ] = 2000
    prior: str = ""
    """Table of known links, from a file; empty for none. Simulated cells are checked by their own network anyway."""
    rankings: str = ""
    """Database of rankings of genes by motif (.genes_vs_motifs.rankings.feather)."""
    annotations: str = ""
    """Table that ties motifs to regulators (.tbl); comes with `rankings`."""
    files_version: str = ""
    """Tells the files from others of the same names; `files_version` makes it."""
    fewest_genes: Annotated[
        int,
        Number(
            "Genes of a module, at least",
            3,
            500,
            help="Smaller modules are left out. SCENIC takes 20.",
            advanced=True,
        ),
    ] = 20
    label_key: Annotated[
        str | None,
        Column(
            "Known cell types",
            none="no column",
            help="To see in which types each regulon is active.",
            kinds=TYPE_KINDS,
        ),
    ] = None
    seed: Annotated[int, SEED] = 0
    few_genes: Annotated[bool, FEW_GENES] = False

    def __post_init__(self) -> None:
        check_fields(self)
        if self.prior == TRUTH:
            raise RequestError(
                "The network behind simulated cells is no prior network: it checks their links in any case, and it is "
                "known of no other cells.",
                hint="Name none, or a file of your own.",
            )
        if bool(self.rankings) != bool(self.annotations):
            raise RequestError(
                "Rankings by motif and the table that ties motifs to regulators belong together.",
                hint="Give both files, or neither.",
            )
        if self.method == "similarity" and not self.checkpoint:
            raise RequestError("No checkpoint was selected for similar vectors.", hint="Choose a checkpoint.")
        if self.method == "interventions" and not self.condition_key:
            raise RequestError(
                "No column was selected that says what was perturbed.",
                hint="Only cells of a perturbation screen have one.",
            )

    @property
    def pruned(self) -> Pruned:
        """What supports the targets of a regulon."""
        return "motif" if self.rankings else "prior" if self.prior else "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A regulon."""

    name: str
    regulator: str
    genes: tuple[str, ...]
    """Its targets, the strongest link first; the regulator is left out."""
    weights: tuple[float, ...]
    score: float
    """NES of its best motif, or -log10 p of the overlap with known links; NaN without pruning."""
    motifs: tuple[str, ...]
    """That support it."""
    n_linked: int
    """Targets before known links chose among them; else the number of its targets."""
    n_known: int
    """Known ones among those that were linked; -1 where nothing is known."""
    expected: float
    """How many that would be by chance."""
    p: float
    """Hypergeometric; NaN where nothing is known."""
    fdr: float
    """False discovery rate over all regulators that had a module, also those that known links left out."""
    share_on: float
    """Share of the cells in which it is on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """The strongest links of a method."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    weights: tuple[float, ...]
    known: tuple[bool, ...]
    """Whether each is among the known links; empty where nothing is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A ranking of all candidate links against the known ones."""

    auprc: float
    auprc_ratio: float
    """By the share of candidates that are known: random has 1."""
    auroc: float
    early_precision: float
    """Of the first links, as many as are known."""
    hits: int
    """Known links among the first, as many as are known."""
    odds_ratio: float
    place: Place
    """Of the area among those by known links whose targets were exchanged at random."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """R regulons in N cells of T types."""

    method: Method
    pruned: Pruned
    regulons: tuple[Found, ...]
    """The R regulons, the highest score first, or the largest first without scores."""
    auc: NDArray[np.float32]
    """(N, R) activity, as a share of the best that a set of this size can reach (AUCell)."""
    on: NDArray[np.bool_]
    """(N, R) whether the activity is above the threshold of the regulon."""
    types: tuple[str, ...]
    mean_auc: NDArray[np.float32]
    """(T, R) mean activity in each type."""
    rss: NDArray[np.float32]
    """(T, R) specificity; NaN for regulons that are active nowhere."""
    rss_fdr: NDArray[np.float32]
    """(T, R) false discovery rate of the specificity over all types and regulons, against types given at random."""
    links: dict[str, Links]
    """By method; plain correlation always."""
    regulators: tuple[str, ...]
    """The Q regulators that links were looked for from."""
    targets: tuple[str, ...]
    """The G targets."""
    strengths: dict[str, NDArray[np.float64]]
    """(Q, G) of every link, by method; 0 is none."""
    known: NDArray[np.bool_]
    """(Q, G) known links; (0, 0) where nothing is known."""
    judged: NDArray[np.bool_]
    """(Q, G) links that are compared with known ones; (0, 0) where nothing is known."""
    overlaps: dict[str, Overlap]
    """Of every regulator that had a module with its known targets, by name of the regulon, also of those that are left
    out; empty where nothing is known."""
    checks: dict[str, Check]
    """By method, and for a random ranking; empty where nothing is known."""
    gain: Gain | None
    """Of the method over correlation; None where nothing is known, or correlation was asked for."""
    outcome: Outcome
    checked_by: str
    """What the known links are, in words; empty where nothing is known."""
    n_candidates: int
    n_known: int
    """Known links among the candidates."""
    n_regulators: int
    n_targets: int
    n_cells: int
    """Cells in which links were looked for."""
    n_modules: int
    """Co-expression modules before pruning."""
    verdict: str
    notes: tuple[str, ...]
    seconds: float
    drawing: Drawing | None = None
    """Regulators and their strongest targets; None in records of runs that did not draw them."""
