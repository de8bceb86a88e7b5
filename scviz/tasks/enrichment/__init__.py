"""Ask what genes have in common: gene sets that hold more of them than chance gives, beside random genes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from scviz.errors import RequestError
from scviz.metrics.evidence import Outcome
from scviz.tasks.fields import FEW_GENES, SEED, Choice, Needs, Number, check_fields

TITLE = "Enrichment"
HEAVY = False
NEEDS = Needs(genes=10, lists=("genes",))

Method = Literal["over-representation", "prerank"]
METHODS: dict[Method, str] = {
    "over-representation": "Over-representation test: which sets hold many of these genes",
    "prerank": "Ranking of all genes (GSEA prerank): no cut between changed and unchanged",
}
Direction = Literal["up", "down", "both"]
DIRECTIONS: dict[Direction, str] = {
    "up": "higher",
    "down": "lower",
    "both": "higher or lower",
}
PROGRAMS = "programs"
"""Names the gene sets that come with the project, in place of the id of a collection."""
MOST_FDR = 0.05
"""Gene sets at or below this false discovery rate are called enriched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which genes, against which gene sets; genes are typed, or those of a run, or those that tell cells apart."""

    dataset: str
    genes: tuple[str, ...] = ()
    """Symbols, as typed."""
    run: str = ""
    """A finished run with gene sets, such as modules or regulons."""
    name: str = ""
    """Which of its sets."""
    column: str = ""
    """Column that tells groups of cells apart; empty with `group` for a group that was circled on a map."""
    group: str = ""
    """Cells whose genes are asked for."""
    group_version: str = ""
    """Hash of the cells of a circled group."""
    against: str = ""
    """Cells that they are compared with; empty for all others. A value of `column`."""
    direction: Annotated[Direction, Choice("Genes that are", DIRECTIONS)] = "up"
    max_fdr: Annotated[
        float,
        Number(
            "FDR of a gene",
            0.0001,
            1,
            step=0.01,
            format="%.4f",
            help="Genes of a group change at this false discovery rate.",
            advanced=True,
        ),
    ] = 0.05
    least_change: Annotated[
        float, Number("Log2 fold change", 0, 20, step=0.25, help="Of a group, at least.", advanced=True)
    ] = 0.5
    most_cells: Annotated[
        int,
        Number(
            "Cells of a side",
            10,
            100_000,
            unit="cells",
            step=500,
            help="More are drawn at random.",
            advanced=True,
        ),
    ] = 2000
    method: Annotated[Method, Choice("Method", METHODS)] = "over-representation"
    sets: str = PROGRAMS
    """`programs`, or the id of gene terms in the workspace, which is a hash of their content."""
    checkpoint: str = ""
    """Weights: only genes that they know are the background; empty for all genes measured."""
    fewest_genes: Annotated[
        int,
        Number(
            "Minimum genes of a set",
            1,
            500,
            help="Sets with fewer genes in the background are not tested.",
            advanced=True,
        ),
    ] = 5
    most_genes: Annotated[int, Number("Maximum genes of a set", 1, 5000, step=100, advanced=True)] = 500
    n_random: Annotated[
        int,
        Number(
            "Random draws",
            20,
            10_000,
            step=100,
            help="Of expression-matched random genes, for each set; for sets that stand out as many as the number of "
            "sets needs are drawn (20 for each set, at most 20,000).",
            advanced=True,
        ),
    ] = 100
    n_shuffles: Annotated[
        int,
        Number(
            "Shuffled groups",
            20,
            1000,
            help="Where genes come from groups of cells: how often the labels of the cells are shuffled and all steps "
            "repeated.",
            advanced=True,
        ),
    ] = 100
    n_permutations: Annotated[
        int,
        Number(
            "Permutations of GSEA",
            100,
            100_000,
            help="Of genes, by gseapy, for its own numbers.",
            advanced=True,
        ),
    ] = 1000
    seed: Annotated[int, SEED] = 0
    few_genes: Annotated[bool, FEW_GENES] = False

    def __post_init__(self) -> None:
        check_fields(self)
        if sum(map(bool, (self.genes, self.run, self.group))) != 1:
            raise RequestError(
                "No gene was selected."
                if not (self.genes or self.run or self.group)
                else "Genes were selected twice.",
                hint="Type genes, or name a set of a finished run, or a group of cells: one of them.",
            )
        if self.run and not self.name:
            raise RequestError("No set of the run was selected.", hint="Name a module or a regulon.")
        self._check_groups()
        if self.most_genes < self.fewest_genes:
            raise RequestError(
                f"Maximum genes of a set must be {self.fewest_genes:,} or more (got {self.most_genes:,}).",
                hint="Choose another value.",
            )

    def _check_groups(self) -> None:
        """Check what is said of groups of cells."""
        if self.group and not (self.column or self.group_version):
            raise RequestError(
                f"No column was selected that has the value {self.group!r}.",
                hint="Name the column of the group.",
            )
        if self.method == "prerank" and not self.group:
            raise RequestError(
                "A ranking needs a score of every gene, which a list has not.",
                hint="Compare a group of cells with others, or choose the over-representation test.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """A gene set, and what the tests say of it."""

    name: str
    description: str
    """Where the set comes from; may be empty."""
    n_set: int
    """Its genes in the background."""
    genes: tuple[str, ...]
    """Those that are asked for; of a ranking the leading edge, genes up to the peak of the running sum."""
    p_alike: float
    """Share of draws of expression-matched random genes that do as well; of a ranking at either end."""
    n_alike: int
    """Draws."""
    p_shuffled: float
    """Of sets that do as well when cells are shuffled between the groups, their share; of a ranking by the mean score
    of the genes and its spread. NaN where no groups were compared."""
    p: float
    """The largest of all tests: a set must pass each."""
    fdr: float
    """Of that, Benjamini-Hochberg over all tested sets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term(Tested):
    """A gene set in an over-representation test."""

    expected: float
    """How many random genes would give."""
    expected_alike: float
    """How many random genes of like expression give."""
    odds_ratio: float
    combined: float
    p_overlap: float
    """Hypergeometric."""
    fdr_hit: float
    """Of the hypergeometric test over sets with at least one of the genes only, as gseapy and Enrichr give it; NaN
    without any. Too small."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedTerm(Tested):
    """A gene set, and where its genes lie in the ranking."""

    es: float
    nes: float
    fdr_published: float
    """As gseapy estimates it from shuffled genes. Too small where genes of a set rise and fall together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """K tested sets, k genes that were asked for, P shuffles of the groups."""

    question: str
    """What was asked, in words: "the genes higher in stim than in ctrl"."""
    background: str
    """Which genes could have been chosen, in words."""
    sets_name: str
    method: Method
    terms: tuple[Term, ...]
    """The K sets, the smallest p first; empty for a ranking."""
    ranked: tuple[RankedTerm, ...]
    """The K sets, the smallest p first; empty without ranking."""
    genes: tuple[str, ...]
    """(k,) genes that were asked for and are in the background; of a ranking those that pass the cuts."""
    change: NDArray[np.float64]
    """(k,) log2 fold change; empty for genes that were not compared."""
    gene_fdr: NDArray[np.float64]
    """(k,) of the comparison; empty for genes that were not compared."""
    n_asked: int
    """Genes that were asked for, known or not."""
    not_found: tuple[str, ...]
    """Those outside the background."""
    n_background: int
    n_sets: int
    """Tested ones."""
    n_untested: int
    """Left out as too small or too large."""
    n_passing: int
    """Sets at a false discovery rate of 5 % or less."""
    n_plain: int
    """Sets that pass the plain test (hypergeometric, or gseapy's) alone, at the same rate."""
    shuffled_passing: NDArray[np.int64]
    """(P,) how many sets pass the plain over-representation test with shuffled groups; empty without groups."""
    outcome: Outcome
    verdict: str
    notes: tuple[str, ...]
    seconds: float

    @property
    def found(self) -> tuple[Term | RankedTerm, ...]:
        """The K sets, of either kind."""
        return (*self.terms, *self.ranked)
