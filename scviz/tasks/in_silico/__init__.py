"""Remove genes from cells, or turn them down or up, and see where a model moves the cells; beside random genes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from scviz.errors import RequestError
from scviz.metrics.evidence import Outcome
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

TITLE = "In-silico perturbation"
HEAVY = True
NEEDS = Needs(cells=5, genes=3, lists=("genes",))

Kind = Literal["delete", "knockdown", "overexpress", "inhibit", "activate"]
"""As `scviz.foundation.edits` has them, without what it imports."""
KINDS: dict[Kind, str] = {
    "delete": "Knock out",
    "knockdown": "Knock down",
    "overexpress": "Over-express",
    "inhibit": "Inhibit",
    "activate": "Activate",
}
Statistics = Literal["matched", "published"]
STATISTICS: dict[Statistics, str] = {"matched": "Matched random genes", "published": "And as published"}

MOST_CELLS = 5000
FEWEST_CELLS = 5
"""Of all genes, those that fewer cells hold are left out or come last: their means would be chance."""
RANKING = "ranking.json"
"""File in the state folder of a sweep with the genes done so far: [{"gene", "cells", "moved", "to_goal"}, ...]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which edit of which genes in which cells, with which model."""

    dataset: str
    checkpoint: str
    genes: tuple[str, ...] = ()
    """Names of genes of the dataset."""
    all_genes: Annotated[
        bool, Switch("Every gene", help="Edit every gene that the model sees in the cells, one by one.")
    ] = False
    """`genes` is empty then."""
    together: Annotated[
        bool, Switch("All at once", help="Edit the genes at once; otherwise each by itself, a sweep.")
    ] = True
    kind: Annotated[
        Kind,
        Choice(
            "Edit",
            KINDS,
            help="Inhibit and activate move a gene a quarter of a cell's ranking down or up; only models that read the "
            "order of genes have them.",
        ),
    ] = "delete"
    share: Annotated[
        float,
        Number(
            "A knock-down leaves",
            0.05,
            0.95,
            unit="%",
            step=5,
            help="Share of the gene's counts.",
            advanced=True,
        ),
    ] = 0.5
    cells: tuple[Filter, ...] = ()
    """Cells that pass all of these; empty for all cells."""
    group: str = ""
    """Name of a group that was circled on a map; empty for none."""
    group_version: str = ""
    """Hash of the cells that the group had when it was chosen."""
    most_cells: Annotated[
        int,
        Number(
            "Maximum cells", 5, MOST_CELLS, unit="cells", help="More are sampled at random.", advanced=True
        ),
    ] = 200
    goal: Filter | None = None
    """State that the cells may move to; the cells that are edited are the start."""
    label_key: Annotated[
        str | None,
        Column(
            "Cell types",
            help="Types of the table, and of the distance that moves are a share of; without it the first column "
            "with known types gives that.",
            none="no column",
            advanced=True,
            kinds=TYPE_KINDS,
        ),
    ] = None
    n_random: Annotated[
        int,
        Number(
            "Random genes",
            5,
            5000,
            automatic="199, or as many as the correction over a list of genes needs",
            help="Expression-matched, for comparison. With 199 an edit is larger than expected by chance (p <= 0.05) "
            "if it is among the first 10 of 200. For a list of genes and for every gene they are shared.",
            advanced=True,
        ),
    ] = 0
    random_cells: Annotated[
        int,
        Number(
            "Cells of each random gene",
            2,
            MOST_CELLS,
            unit="cells",
            help="Sampled for each. Few make the comparison faster and a little stricter.",
            advanced=True,
        ),
    ] = 3
    n_exact: Annotated[
        int,
        Number(
            "Of every gene, edit the best",
            1,
            5000,
            unit="genes",
            help="Where the model has a quick screen of all genes, as Geneformer has for knock-outs, only the best are "
            "edited exactly; the correction runs over all that were screened. Other models edit every gene, which "
            "takes long.",
            advanced=True,
        ),
    ] = 50
    statistics: Annotated[
        Statistics,
        Choice(
            "Statistics",
            STATISTICS,
            help="As published adds the table of Geneformer's authors: rank-sum tests of each gene's cells against "
            "the cells of all genes of the run, or a mixture of two normal distributions.",
            advanced=True,
        ),
    ] = "matched"
    map_run: str = ""
    """A finished map of these cells by these weights, to draw the arrows on; empty draws a new one."""
    seed: Annotated[int, SEED] = 0
    few_genes: Annotated[bool, FEW_GENES] = False

    def __post_init__(self) -> None:
        check_fields(self)
        if self.all_genes == bool(self.genes):
            raise RequestError(
                "No gene was selected.", hint="Name genes, or ask for all genes that the model sees."
            )
        if len(set(self.genes)) < len(self.genes):
            raise RequestError("A gene is named twice.", hint="Name each gene once.")
        if self.group and self.cells:
            raise RequestError(
                "Cells come from a named group or from a column, not from both.",
                hint="Leave one of them out.",
            )
        self._check_goal()

    def _check_goal(self) -> None:
        taken = {one.column: set(one.values) for one in self.cells}
        if self.goal is not None and set(self.goal.values) <= taken.get(self.goal.column, set()):
            raise RequestError(
                f"All cells of the goal {', '.join(self.goal.values)} are among those chosen to be edited.",
                hint="Choose another goal, or other cells to edit.",
            )

    @property
    def sweep(self) -> bool:
        """Whether each gene is edited by itself."""
        return self.all_genes or (not self.together and len(self.genes) > 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """How far cells move, compared with random genes that are expressed alike."""

    mean: float
    low: float
    high: float
    """95 % bootstrap interval of the mean, over cells."""
    random_middle: float
    """Median of the random genes; of shared ones, of those expressed like this gene."""
    random_low: float
    random_high: float
    """A mean beyond these has p <= 0.05, and none between them has; NaN where no mean could."""
    n_random: int
    rank: int
    """Place among the random genes, the farthest is 1st; 0 where nothing moves."""
    p: float
    """By the rank, (1 + as far) / (1 + all); of all genes by a fitted tail."""
    fdr: float
    """Benjamini-Hochberg over all edits that were tested or left out by a screen; `p` for one edit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruler:
    """The distance that moves are a share of."""

    words: str
    """Such as "the distance between B cell and T cell"."""
    distance: float
    """1 - cosine of the two mean cell vectors, or of pairs of cells."""
    goal_distance: float
    """Mean 1 - cosine of the cells used and the mean vector of the goal; NaN without a goal."""

    def moved(self, value: float) -> float:
        """Give the share of the distance that a mean of 1 - cosine is; 1 - cosine grows with a distance's square."""
        return float(np.sqrt(max(value, 0.0) / self.distance)) if value == value else float("nan")

    def to_goal(self, value: float) -> float:
        """Give the share of the way to the goal that a mean change of cosine is."""
        return value / self.goal_distance


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What the edit of a gene, or of several at once, does."""

    genes: tuple[str, ...]
    n_cells: int
    """Cells that the edit changes for the model; all numbers are of these."""
    expression: float
    """Mean log expression in the cells used."""
    level: float
    """The same as a rank among the genes of the dataset, averaged with the rank of the share of cells."""
    moved: Shift
    """1 - cos(E', E) of the cell vectors."""
    to_goal: Shift | None = None
    """cos(E', S) - cos(E, S) for the mean vector S of the goal; above 0 is nearer."""
    to_start: Shift | None = None
    """The same for the mean vector of the cells used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeEffect:
    """What an edit does to the cells of one type."""

    name: str
    n_cells: int
    moved: Shift
    to_goal: Shift | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A real perturbation or state of the dataset beside the simulated one."""

    column: str
    control: str
    perturbed: str
    """Values of the column, or words for the cells."""
    n_control: int
    n_perturbed: int
    cosine: float
    """Between the mean shift that was simulated and the one that was observed, -1 to 1."""
    in_few_cells: float
    """The same in as few cells as a random gene is edited in, which random genes are compared with."""
    random: tuple[float, ...]
    """The same for each random gene."""
    rank: int
    """Place of `in_few_cells` among them; the one that agrees best is 1st."""
    p: float
    """By the rank, (1 + as well) / (1 + all)."""
    outcome: Outcome
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """What an edit does to the other genes of the cells, as the model sees them; the A that change most."""

    what: str
    """Of what the change is, such as "predicted log expression"."""
    genes: tuple[str, ...]
    change: tuple[float, ...]
    """Mean over the cells that hold the gene."""
    random_change: tuple[float, ...]
    """The same with random edits; NaN where none was made in a cell that holds the gene."""
    n_cells: tuple[int, ...]
    n_random: int
    """Random edits that were looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A table of Geneformer's published statistics."""

    name: str
    """Which of its modes."""
    columns: tuple[str, ...]
    rows: tuple[tuple[str | int | float, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Effects of E edits on n cells."""

    kind: Kind
    rows: NDArray[np.int64]
    """(n,) rows of the cells used, ascending."""
    n_all: int
    """Cells of the dataset."""
    n_chosen: int
    """Cells that were chosen before sampling."""
    effects: tuple[Effect, ...]
    """The E edits, the strongest first."""
    moved: NDArray[np.float32]
    """(E, n) for each cell; NaN where the edit changes nothing for the model."""
    to_goal: NDArray[np.float32] | None
    """(E, n); None without a goal."""
    to_start: NDArray[np.float32] | None
    random_genes: tuple[tuple[str, ...], ...]
    """The R random genes or sets that one edit is compared with; for a sweep all that were used."""
    random_levels: NDArray[np.float64]
    """(R,) their rank by expression, as in `Effect`."""
    random_moved: NDArray[np.float32]
    """(R, n); NaN for cells in which a random gene was not edited, or changes nothing."""
    random_to_goal: NDArray[np.float32] | None
    types: tuple[TypeEffect, ...]
    """Of one edit; empty for a sweep or without a column."""
    map_rows: NDArray[np.int64] | None
    """(M,) cells of the map; None for a sweep."""
    map_places: NDArray[np.float32] | None
    """(M, 2) coordinates."""
    before: NDArray[np.float32] | None
    """(n, 2) coordinates of the cells used."""
    after: NDArray[np.float32] | None
    """(n, 2) coordinates after the edit; NaN where it changes nothing."""
    clear: NDArray[np.bool_] | None
    """(n,) cells that move farther than with 95 % of the random genes; none where the edit as a whole does not."""
    observed: Observed | None
    mean_shifts: NDArray[np.float32] | None
    """(2 + T + R, C) what the cosines are of: observed, of the edit, of few of its cells T times, of random genes."""
    affected: Affected | None
    """Of one edit; None where the model has no vectors of genes."""
    published: Published | None
    ruler: Ruler
    n_tests: int
    """Edits that the false discovery rates run over."""
    n_goal: int
    """Cells that make the goal."""
    outcome: Outcome
    verdict: str
    notes: tuple[str, ...]
    """What else to know, a sentence each."""
    seconds: float
