"""Find genes that work together, for a model or by plain co-expression, and judge them on cells held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from scviz.errors import RequestError
from scviz.networks.communities import Communities, Stability
from scviz.networks.contract import Edges, GeneSet
from scviz.networks.drawing import Drawing
from scviz.tasks.filters import Filter

TITLE = "Gene modules"
HEAVY = True

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
    source: Source = "expression"
    checkpoint: str = ""
    """Weights of the model; none for plain co-expression."""
    cells: tuple[Filter, ...] = ()
    """Cells that pass all of these; empty for all cells."""
    group: str = ""
    """Name of a group that was circled on a map; empty for none."""
    group_version: str = ""
    """Hash of the cells that the group had when it was chosen."""
    most_genes: int = 1200
    """The most variable genes that the model knows."""
    most_cells: int = 4000
    """More are drawn at random. Modules are found in half of them and judged in the other half; scores are of all."""
    context_cells: int = 100
    """Of the first half, how many the model reads to make vectors of genes in cells."""
    graph: Graph = "nearest"
    n_neighbors: int = 15
    threshold: float = 0.5
    method: Communities = "louvain"
    resolution: float = 1.0
    """More makes more and smaller modules."""
    fewest_genes: int = 5
    """Smaller modules are left out."""
    centered: bool = True
    """Subtract the mean vector before vectors are compared; published pipelines do not."""
    scaled: bool = False
    """Stretch the scores of each module from 0 to 1 over cells, as published."""
    label_key: str | None = None
    """Column with known cell types or states; it is not read to find modules."""
    n_random: int = 500
    """Random gene sets beside each module."""
    seed: int = 0

    def __post_init__(self) -> None:
        for kind, value, known in (
            ("source", self.source, get_args(Source)),
            ("graph", self.graph, get_args(Graph)),
            ("method", self.method, get_args(Communities)),
        ):
            if value not in known:
                raise RequestError(f"There is no {kind} {value!r}.", hint=f"There are {', '.join(known)}.")
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
        for name, number, low, high in (
            ("genes", self.most_genes, 20, 5000),
            ("cells", self.most_cells, 40, 20_000),
            ("cells that the model reads", self.context_cells, 5, 10_000),
            ("neighbors", self.n_neighbors, 2, 200),
            ("genes of a module", self.fewest_genes, 2, 500),
            ("random gene sets", self.n_random, 20, 10_000),
        ):
            if not low <= number <= high:
                raise RequestError(
                    f"{number:,} {name} cannot be.", hint=f"Choose between {low} and {high:,}."
                )
        for name, share, most in (("resolution", self.resolution, 200), ("cosine", self.threshold, 1)):
            if not 0 < share <= most:
                raise RequestError(f"A {name} of {share:g} cannot be.", hint=f"Choose above 0, up to {most}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a module beside its genes."""

    coherence: float
    """Mean correlation between its genes, in cells that were not used to find it."""
    random: float
    """The same of random genes, as many and expressed alike: their mean."""
    random_high: float
    """What 95 % of the random sets stay below."""
    z: float
    p: float
    """(1 + random sets that are as coherent) / (1 + all)."""
    fdr: float
    """Benjamini-Hochberg over the modules."""
    overlap: float
    """Genes shared with the most similar module of plain co-expression, by those of either (Jaccard)."""
    best_type: str
    """Type of cells that its score tells best from all others; empty without types."""
    auroc: float
    """Of that type against all others; 0.5 is chance. NaN without types."""
    random_auroc: float
    """What the best type of 95 % of random gene sets stays below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The modules of one method, judged on the same genes and held-out cells as those of every other."""

    n_modules: int
    share: float
    """Of the genes in modules."""
    modularity: float
    """Of the method's own graph, at resolution 1."""
    coherence: float
    """Mean over modules, weighted by their genes."""
    random: float
    """The same of random genes, as many and expressed alike."""
    n_beyond: int
    """Modules more coherent than random genes, at a false discovery rate of 5 %."""
    gain: float
    """Mean over all genes of how much more each correlates with its fellows than with genes expressed alike; 0 for
    genes in no module."""
    precision: float
    """Share of pairs in modules that have a regulator in common; NaN where the network is not known."""
    recall: float
    """Share of pairs with a regulator in common that are in one module."""
    agreement: float
    """With the modules of the source asked for, adjusted Rand index; genes in no module are a module of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """What the source asked for gains over another method."""

    over: str
    mean: float
    low: float
    high: float
    """95 % bootstrap interval over modules; NaN for fewer than three."""


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
    gains: tuple[Gain, ...]
    """Over each other method; empty for plain co-expression."""
    chance: float
    """Share of all pairs of genes with a regulator in common; NaN where the network is not known."""
    stability: Stability
    types: tuple[str, ...]
    mean_scores: NDArray[np.float32]
    """(T, M)."""
    auroc: NDArray[np.float32]
    """(T, M) of each type against all others."""
    n_found: int
    """Cells in which modules were found; of a model's own knowledge of genes none are read."""
    n_held_out: int
    """Cells in which they were judged."""
    verdict: str
    notes: tuple[str, ...]
    seconds: float

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
