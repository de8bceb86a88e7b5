"""Ask what genes have in common: gene sets that hold more of them than chance gives, beside random genes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from scviz.errors import RequestError

TITLE = "Enrichment"
HEAVY = False

Method = Literal["over-representation", "prerank"]
METHODS: dict[Method, str] = {
    "over-representation": "Over-representation: which sets hold many of these genes",
    "prerank": "Ranking of all genes (GSEA prerank): no cut between changed and unchanged",
}
Direction = Literal["up", "down", "both"]
DIRECTIONS: dict[Direction, str] = {
    "up": "higher",
    "down": "lower",
    "both": "higher or lower",
}
PROGRAMMES = "programmes"
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
    direction: Direction = "up"
    max_fdr: float = 0.05
    """Genes of a group change at this false discovery rate."""
    least_change: float = 0.5
    """And by at least this log2 fold change."""
    most_cells: int = 2000
    """More cells of a side are drawn at random."""
    method: Method = "over-representation"
    sets: str = PROGRAMMES
    """`programmes`, or the id of gene terms in the workspace, which is a hash of their content."""
    checkpoint: str = ""
    """Weights: only genes that they know are the background; empty for all genes measured."""
    fewest_genes: int = 5
    """Sets with fewer genes in the background are not tested."""
    most_genes: int = 500
    n_random: int = 100
    """Draws of random genes of like expression."""
    n_permutations: int = 1000
    """Of a ranking."""
    seed: int = 0

    def __post_init__(self) -> None:
        if sum(map(bool, (self.genes, self.run, self.group))) != 1:
            raise RequestError(
                "Which genes?",
                hint="Type genes, or name a set of a finished run, or a group of cells: one of them.",
            )
        if self.run and not self.name:
            raise RequestError("Which set of the run?", hint="Name a module or a regulon.")
        if self.group and not (self.column or self.group_version):
            raise RequestError(
                f"Which column has the value {self.group!r}?", hint="Name the column of the group."
            )
        for known, value, word in ((Method, self.method, "method"), (Direction, self.direction, "direction")):
            if value not in get_args(known):
                raise RequestError(
                    f"There is no {word} {value!r}.", hint=f"There are {', '.join(get_args(known))}."
                )
        if self.method == "prerank" and not self.group:
            raise RequestError(
                "A ranking needs a score of every gene, which a list has not.",
                hint="Compare a group of cells with others, or ask for over-representation.",
            )
        for words, number, low, high in (
            ("Genes of a set, at least", self.fewest_genes, 1, 500),
            ("Genes of a set, at most", self.most_genes, self.fewest_genes, 5000),
            ("Random draws", self.n_random, 20, 10_000),
            ("Permutations", self.n_permutations, 100, 100_000),
            ("Cells of a side", self.most_cells, 10, 100_000),
            ("False discovery rate", self.max_fdr, 0, 1),
            ("Log2 fold change", self.least_change, 0, 20),
        ):
            if not low <= number <= high:
                raise RequestError(
                    f"{words}: {number:,} cannot be.", hint=f"Choose between {low:,} and {high:,}."
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A gene set, and the genes of the question that it holds."""

    name: str
    description: str
    """Where the set comes from; may be empty."""
    n_set: int
    """Its genes in the background."""
    genes: tuple[str, ...]
    """Those that are asked for."""
    expected: float
    """How many random genes would give."""
    expected_alike: float
    """How many random genes of like expression give."""
    odds_ratio: float
    combined: float
    p: float
    """Hypergeometric."""
    fdr: float
    """Benjamini-Hochberg over all tested sets."""
    fdr_hit: float
    """Over sets with at least one of the genes only, as gseapy and Enrichr give it; NaN without any."""
    p_alike: float
    """Share of draws of random genes of like expression that do as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedTerm:
    """A gene set, and where its genes lie in the ranking."""

    name: str
    description: str
    n_set: int
    genes: tuple[str, ...]
    """The leading edge: genes up to the peak of the running sum."""
    es: float
    nes: float
    p: float
    fdr: float
    """As GSEA estimates it over all tested sets."""
    p_alike: float
    """Share of random sets of like expression that do as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """K tested sets, k genes that were asked for, D draws of random genes."""

    question: str
    """What was asked, in words: "the genes higher in stim than in ctrl"."""
    background: str
    """Which genes could have been chosen, in words."""
    sets_name: str
    method: Method
    terms: tuple[Term, ...]
    """The K sets, the smallest p first; empty for a ranking."""
    ranked: tuple[RankedTerm, ...]
    """The K sets, the largest absolute normalized score first; empty without ranking."""
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
    random_passing: NDArray[np.int64]
    """(D,) how many sets pass the same bar with random genes of like expression."""
    random_best: NDArray[np.float64]
    """(D,) smallest p, or largest absolute normalized score, of random genes of like expression."""
    beyond_chance: bool
    """Whether more sets pass, or the best is better, than in 95 % of the draws of random genes."""
    verdict: str
    notes: tuple[str, ...]
    seconds: float

    @property
    def found(self) -> tuple[Term | RankedTerm, ...]:
        """The K sets, of either kind."""
        return (*self.terms, *self.ranked)
