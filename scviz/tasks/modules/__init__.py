"""Find genes that work together, for a model or by plain co-expression, and judge them on cells held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from scviz.errors import RequestError
from scviz.metrics.coherence import Coherence
from scviz.metrics.evidence import Gain, Outcome, Place, fdr
from scviz.networks.communities import Communities, Stability
from scviz.networks.contract import Edges, GeneSet
from scviz.networks.drawing import Drawing
from scviz.tasks.fields import (
    FEW_GENES,
    SEED,
    TYPE_KINDS,
    Choice,
    Column,
    Needs,
    Number,
    Switch,
    check_fields,
)
from scviz.tasks.filters import Filter

TITLE = "Gene modules"
HEAVY = True
NEEDS = Needs(cells=20, genes=20)

Source = Literal["expression", "static", "context"]
SOURCES: dict[Source, str] = {
    "expression": "Plain co-expression, no model",
    "static": "What the model knows of each gene",
    "context": "What the model makes of each gene in these cells",
}
Graph = Literal["nearest", "threshold", "published"]
GRAPHS: dict[Graph, str] = {
    "nearest": "Nearest neighbors by cosine",
    "threshold": "All pairs above a cosine",
    "published": "As published: Euclidean neighbors, weights of UMAP",
}
METHODS: dict[Communities, str] = {"louvain": "Louvain", "leiden": "Leiden"}
EXPRESSION, RANDOM_WEIGHTS = "co-expression", "random weights"
"""What stands beside the modules of a model."""
MOST_LINKS = 50_000
"""Links that are kept, the strongest first."""
MOST_FDR = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which genes, in which cells, by what they are compared, and how the graph is cut."""

    dataset: str
    source: Annotated[
        Source,
        Choice(
            "Genes are alike by",
            SOURCES,
            help="Plain co-expression always stands beside what a model gives. The model is the one in the header.",
        ),
    ] = "expression"
    checkpoint: str = ""
    """Weights of the model; none for plain co-expression."""
    cells: tuple[Filter, ...] = ()
    """Cells that pass all of these; empty for all cells."""
    group: str = ""
    """Name of a group that was circled on a map; empty for none."""
    group_version: str = ""
    """Hash of the cells that the group had when it was chosen."""
    most_genes: Annotated[
        int,
        Number(
            "Genes", 20, 5000, step=100, help="The most variable genes that the model knows.", advanced=True
        ),
    ] = 1200
    most_cells: Annotated[
        int,
        Number(
            "Cells",
            40,
            20_000,
            unit="cells",
            step=500,
            help="More are drawn at random. Modules are found in half of them and judged in the other half; scores are "
            "of all.",
            advanced=True,
        ),
    ] = 4000
    context_cells: Annotated[
        int,
        Number(
            "Cells that the model reads",
            5,
            10_000,
            unit="cells",
            help="Of the first half, to make a vector of each gene; as many again are read with random weights.",
            advanced=True,
        ),
    ] = 100
    graph: Annotated[Graph, Choice("Genes are linked by", GRAPHS, advanced=True)] = "nearest"
    n_neighbors: Annotated[int, Number("Neighbors", 2, 200, advanced=True)] = 15
    threshold: Annotated[float, Number("Minimum cosine similarity", 0.01, 1, step=0.05, advanced=True)] = 0.5
    method: Annotated[Communities, Choice("Clustering", METHODS, advanced=True)] = "louvain"
    resolution: Annotated[
        float,
        Number(
            "Resolution",
            0.01,
            200,
            step=0.25,
            help="More makes more and smaller modules. The result shows how firm they are at each; published pipelines "
            "take 5 to 40, which shatters small gene sets.",
        ),
    ] = 1.0
    fewest_genes: Annotated[
        int,
        Number(
            "Minimum genes of a module",
            2,
            500,
            help="Smaller modules are left out. The authors of scGPT take 5.",
        ),
    ] = 5
    centered: Annotated[
        bool,
        Switch(
            "Subtract the mean vector",
            help="Vectors of models share a large common part, which makes all genes alike. Published work "
            "leaves it in.",
            advanced=True,
        ),
    ] = True
    scaled: Annotated[
        bool,
        Switch(
            "Scores from 0 to 1, as published",
            help="Stretch the scores of each module over cells.",
            advanced=True,
        ),
    ] = False
    label_key: Annotated[
        str | None,
        Column(
            "Compare scores between",
            none="no column",
            help="Known types or states. The column is not read to find the modules.",
            kinds=TYPE_KINDS,
        ),
    ] = None
    n_random: Annotated[
        int,
        Number(
            "Random gene sets",
            20,
            10_000,
            help="Beside each module, at least; as many as the number of modules needs are drawn (20 for each module).",
            advanced=True,
        ),
    ] = 500
    seed: Annotated[int, SEED] = 0
    few_genes: Annotated[bool, FEW_GENES] = False

    def __post_init__(self) -> None:
        check_fields(self)
        if (self.source == "expression") == bool(self.checkpoint):
            raise RequestError(
                "Plain co-expression reads no model, every other source reads one.",
                hint="Choose weights for a model's genes, and none for co-expression.",
            )
        if self.group and self.cells:
            raise RequestError(
                "Cells come from a named group or from a column, not from both.",
                hint="Leave one of them out.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a module beside its genes and how they hold together."""

    overlap: float
    """Genes shared with the most similar module of plain co-expression, by those of either (Jaccard)."""
    best_type: str
    """Type of cells that its score tells best from all others; empty without types."""
    auroc: float
    """Of that type against all others, in cells that did not make the module; 0.5 is chance. NaN without types."""
    type_place: Place
    """Among draws of random sets, one for each module: the best that any of them tells any type. So the place counts
    that the best of all modules and types is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The modules of one method, judged on the same genes and held-out cells as those of every other."""

    n_compared: int
    """Genes that were compared, in modules or not."""
    held: tuple[Coherence, ...]
    """Of each module, in cells that did not make it."""
    precision: float
    """Share of pairs in modules that have a regulator in common; NaN where the network is not known."""
    recall: float
    """Share of pairs with a regulator in common that are in one module."""
    agreement: float
    """With the modules of the source asked for, adjusted Rand index; genes in no module are a module of their own."""

    @property
    def n_modules(self) -> int:
        """Modules that are large enough."""
        return len(self.held)

    @property
    def share(self) -> float:
        """Of the genes in modules."""
        return sum(one.n_genes for one in self.held) / self.n_compared

    @property
    def coherence(self) -> float:
        """Mean over modules, weighted by their genes."""
        return self._mean([one.mean for one in self.held])

    @property
    def random(self) -> float:
        """Give the same of expression-matched random genes."""
        return self._mean([one.random for one in self.held])

    @property
    def gain(self) -> float:
        """Mean over all genes of coherence less that of random genes; 0 for genes in no module."""
        more = [one.n_genes * np.nan_to_num(one.mean - one.random) for one in self.held]
        return float(sum(more)) / self.n_compared

    @property
    def rates(self) -> NDArray[np.float64]:
        """(M,) false discovery rate at which each module holds together more than random genes."""
        return fdr([one.place.p for one in self.held])

    @property
    def n_beyond(self) -> int:
        """Modules that hold together more than random genes, at a false discovery rate of 5 %."""
        return int((self.rates <= MOST_FDR).sum())

    @property
    def above_random(self) -> list[float]:
        """How far above its random genes each module must be to pass among all; NaN without random genes."""
        return [one.bar - one.random if one.place.n else float("nan") for one in self.held]

    @property
    def reach(self) -> float:
        """The same of the module that is hardest to see; NaN where one cannot be compared, or there is none."""
        return float(np.max(self.above_random)) if self.held else float("nan")

    def _mean(self, values: list[float]) -> float:
        weights = [one.n_genes for one in self.held]
        return float(np.average(values, weights=weights)) if values else float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """M modules among G genes, scored in N cells of T types."""

    source: Source
    modules: tuple[GeneSet, ...]
    """The largest first; genes by their similarity to the mean vector of the module, which is their weight."""
    facts: tuple[Facts, ...]
    """Of each module."""
    scores: NDArray[np.float32]
    """(N, M) of all cells: mean expression less that of control genes."""
    scaled: bool
    """Whether scores are stretched from 0 to 1."""
    genes: tuple[str, ...]
    """The G genes that were compared."""
    membership: dict[str, NDArray[np.int64]]
    """By method, (G,) number of the module of each gene, -1 for none."""
    link_genes: NDArray[np.int64]
    """(L, 2) genes of the strongest links, the strongest first."""
    link_weights: NDArray[np.float32]
    """(L,)."""
    drawing: Drawing
    methods: dict[str, Judged]
    """The source asked for, plain co-expression, and for a model the same with random weights."""
    gains: dict[str, Gain]
    """By other method, what the source asked for gains over it; empty for plain co-expression."""
    by_cell: dict[str, NDArray[np.float64]]
    """By other method, (H,) what each held-out cell says of the gain, ascending cells; the gain is their mean."""
    used: NDArray[np.int8]
    """(N,) what each cell was used for: 1 to find modules, 2 to judge how they hold together, 0 for neither."""
    told: NDArray[np.int64]
    """(S,) cells with known types in which modules tell types apart; none of them was used to find modules."""
    chance: float
    """Share of all pairs of genes with a regulator in common; NaN where the network is not known."""
    stability: Stability
    types: tuple[str, ...]
    mean_scores: NDArray[np.float32]
    """(T, M)."""
    auroc: NDArray[np.float32]
    """(T, M) of each type against all others in cells that did not make the modules; NaN for types of few cells."""
    n_found: int
    """Cells in which modules were found; of a model's own knowledge of genes none are read."""
    n_held_out: int
    """Cells in which they were judged."""
    outcome: Outcome
    """Of the source over plain co-expression; for plain co-expression over random genes."""
    verdict: str
    notes: tuple[str, ...]
    seconds: float

    @property
    def own(self) -> Judged:
        """The method asked for."""
        return self.methods[EXPRESSION if self.source == "expression" else self.source]

    def edges(self) -> Edges:
        """Name the links."""
        return Edges(
            sources=tuple(self.genes[i] for i in self.link_genes[:, 0]),
            targets=tuple(self.genes[i] for i in self.link_genes[:, 1]),
            weights=self.link_weights.astype(np.float64),
            directed=False,
        )

    def module_of(self) -> dict[str, str]:
        """Name the module of each gene that has one."""
        return {gene: one.name for one in self.modules for gene in one.genes}
