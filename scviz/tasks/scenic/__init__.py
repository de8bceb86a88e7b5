"""Find the regulators that drive cells: links, regulons and their activity, beside plain correlation and chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from scviz.errors import RequestError
from scviz.networks.drawing import Drawing

TITLE = "Regulons"
HEAVY = True
FANS_OUT = True
"""On a cluster its other workers help: `run.py` has a `help_out` beside `run`."""

Method = Literal["boosting", "correlation", "similarity", "interventions"]
METHODS: dict[Method, str] = {
    "boosting": "Boosted trees (GRNBoost2)",
    "correlation": "Plain correlation",
    "similarity": "Similar vectors in a model",
    "interventions": "What perturbing the regulator changes",
}
RANDOM = "random"
"""Key of the scores of a random ranking."""
Pruned = Literal["motif", "prior", "none"]
PRUNED: dict[Pruned, str] = {
    "motif": "kept where a motif of the regulator supports them",
    "prior": "kept where a table of known links names them (a prior, not a motif)",
    "none": "not pruned: co-expression alone",
}
MOST_LINKS = 5000
"""Links that are kept of each method."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which cells, which regulators, and what supports their targets."""

    dataset: str
    regulators: str = ""
    """File with a symbol of a regulator in each line; empty takes those of the known links."""
    method: Method = "boosting"
    checkpoint: str = ""
    """Weights whose vectors of genes are compared; for `similarity` alone."""
    condition_key: str = ""
    """Column of a perturbation screen that says what was perturbed; empty leaves interventions out."""
    model_cells: int = 100
    """Cells that the model reads; more are drawn at random."""
    most_genes: int = 1000
    """Targets: the most variable genes; regulators come on top."""
    most_cells: int = 2000
    """More cells are drawn at random to find links; activity is scored in all."""
    prior: str = ""
    """Table of known links, from a file; empty takes none, or the known network of a simulated screen as a check."""
    rankings: str = ""
    """Database of rankings of genes by motif (.genes_vs_motifs.rankings.feather)."""
    annotations: str = ""
    """Table that ties motifs to regulators (.tbl); comes with `rankings`."""
    files_version: str = ""
    """Tells the files from others of the same names; `files.files_version` makes it."""
    fewest_genes: int = 20
    """Smaller modules are left out."""
    label_key: str | None = None
    """Column with known cell types."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            raise RequestError(
                f"There is no method {self.method!r}.", hint=f"There are {', '.join(METHODS)}."
            )
        if bool(self.rankings) != bool(self.annotations):
            raise RequestError(
                "Rankings by motif and the table that ties motifs to regulators belong together.",
                hint="Give both files, or neither.",
            )
        if self.method == "similarity" and not self.checkpoint:
            raise RequestError("Similar vectors in which model?", hint="Choose weights.")
        if self.method == "interventions" and not self.condition_key:
            raise RequestError(
                "Which column says what was perturbed?", hint="Only cells of a perturbation screen have one."
            )
        for name, value, low, high in (
            ("cells that the model reads", self.model_cells, 1, 50_000),
            ("genes", self.most_genes, 50, 20_000),
            ("cells", self.most_cells, 50, 50_000),
            ("genes of a module", self.fewest_genes, 3, 500),
        ):
            if not low <= value <= high:
                raise RequestError(f"{value:,} {name} cannot be.", hint=f"Choose between {low} and {high:,}.")

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
    """Benjamini-Hochberg over the regulons."""
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
    p: float
    """Hypergeometric chance of as many."""
    odds_ratio: float


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
    rss_shuffled: NDArray[np.float32]
    """(T, R) what 95 % of specificities stay below with types given to cells at random."""
    links: dict[str, Links]
    """By method; plain correlation always."""
    checks: dict[str, Check]
    """By method, and for a random ranking; empty where nothing is known."""
    gain_low: float
    """95 % interval, over targets, of how much the method's AUPRC is above that of correlation; NaN where not known."""
    gain_high: float
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
