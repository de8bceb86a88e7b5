"""Remove genes from cells, or turn them down or up, and see where a model moves the cells; beside random genes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from scviz.errors import RequestError
from scviz.tasks.filters import Filter

TITLE = "In-silico shift"
HEAVY = True

Kind = Literal["delete", "knockdown", "overexpress", "inhibit", "activate"]
"""As `scviz.foundation.edits` has them, without what it imports."""

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
    all_genes: bool = False
    """Every gene that the model sees in the cells, each by itself; `genes` is empty then."""
    together: bool = True
    """Edit the genes at once; False edits each by itself, a sweep."""
    kind: Kind = "delete"
    share: float = 0.5
    """Share of the counts that a knockdown leaves."""
    cells: tuple[Filter, ...] = ()
    """Cells that pass all of these; empty for all cells."""
    group: str = ""
    """Name of a group that was circled on a map; empty for none."""
    group_version: str = ""
    """Hash of the cells that the group had when it was chosen."""
    most_cells: int = 200
    """More cells than this are sampled."""
    goal: Filter | None = None
    """State that the cells may move to; the cells that are edited are the start."""
    label_key: str | None = None
    """Column with known cell types."""
    n_random: int = 20
    """Random genes, or sets of them, expressed like those that are edited."""
    random_cells: int = 20
    """In how many of the cells each random gene is edited, drawn for each; of all genes, in all of them."""
    n_exact: int = 50
    """Of all genes, how many are edited exactly where the model has a quick screen of all of them."""
    map_run: str = ""
    """A finished map of these cells by these weights, to draw the arrows on; empty draws a new one."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise RequestError(
                f"There is no edit {self.kind!r}.", hint=f"There are {', '.join(get_args(Kind))}."
            )
        if self.all_genes == bool(self.genes):
            raise RequestError("Which genes?", hint="Name genes, or ask for all genes that the model sees.")
        if len(set(self.genes)) < len(self.genes):
            raise RequestError("A gene is named twice.", hint="Name each gene once.")
        if not 0 < self.share < 1:
            raise RequestError(
                f"A knockdown cannot leave {self.share:g} of the counts.",
                hint="Choose a share between 0 and 1.",
            )
        if self.group and self.cells:
            raise RequestError(
                "Cells come from a named group or from a column, not from both.",
                hint="Leave one of them out.",
            )
        taken = {one.column: set(one.values) for one in self.cells}
        if self.goal is not None and set(self.goal.values) <= taken.get(self.goal.column, set()):
            raise RequestError(
                f"The goal {', '.join(self.goal.values)} holds no cell beside those that are edited.",
                hint="Choose another goal, or edit other cells.",
            )
        for name, value, low, high in (
            ("cells", self.most_cells, 5, MOST_CELLS),
            ("random genes", self.n_random, 5, 1000),
            ("cells of a random gene", self.random_cells, 5, MOST_CELLS),
            ("genes to edit after a screen", self.n_exact, 1, 5000),
        ):
            if not low <= value <= high:
                raise RequestError(f"{value:,} {name} cannot be.", hint=f"Choose between {low} and {high:,}.")

    @property
    def sweep(self) -> bool:
        """Whether each gene is edited by itself."""
        return self.all_genes or (not self.together and len(self.genes) > 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """How far cells move, beside random genes that are expressed alike."""

    mean: float
    low: float
    high: float
    """95 % bootstrap interval of the mean, over cells."""
    random_low: float
    random_high: float
    """Where the means of 95 % of the random genes lie."""
    n_random: int
    p: float
    """Share of random genes that move cells as far, (1 + as far) / (1 + all)."""
    fdr: float
    """Benjamini-Hochberg over the genes of a sweep; `p` for one gene."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What the edit of a gene, or of several at once, does."""

    genes: tuple[str, ...]
    n_cells: int
    """Cells that the edit changes for the model; all numbers are of these."""
    expression: float
    """Mean log expression in the cells used."""
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
    random: tuple[float, ...]
    """The same for each random gene."""
    p: float
    """Share of random genes that agree as well, (1 + as well) / (1 + all)."""
    verdict: str


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
    random_moved: NDArray[np.float32]
    """(R, n); NaN for cells in which a random gene was not edited, or changes nothing."""
    random_to_goal: NDArray[np.float32] | None
    types: tuple[TypeEffect, ...]
    """Of one edit; empty for a sweep or without a column."""
    map_rows: NDArray[np.int64] | None
    """(M,) cells of the map; None for a sweep."""
    map_places: NDArray[np.float32] | None
    """(M, 2)."""
    before: NDArray[np.float32] | None
    """(n, 2) places of the cells used."""
    after: NDArray[np.float32] | None
    """(n, 2) places after the edit; NaN where it changes nothing."""
    clear: NDArray[np.bool_] | None
    """(n,) cells that move farther than with 95 % of the random genes."""
    observed: Observed | None
    n_goal: int
    """Cells that make the goal."""
    verdict: str
    notes: tuple[str, ...]
    """What else to know, a sentence each."""
    seconds: float
