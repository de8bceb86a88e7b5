"""Ask which genes tell every cluster or type of cells from all others, and what it may be called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from scviz.errors import RequestError
from scviz.networks.contract import GeneSet
from scviz.tasks.fields import SEED, TYPE_KINDS, Choice, Column, Needs, Number, check_fields

TITLE = "Markers"
HEAVY = False
NEEDS = Needs(cells=4, genes=10)

Method = Literal["wilcoxon", "welch"]
METHODS: dict[Method, str] = {
    "wilcoxon": "Wilcoxon rank-sum test, corrected for ties",
    "welch": "Welch's t test",
}
MOST_FDR = 0.05
"""Genes at or below this adjusted p, and programs at or below this false discovery rate, pass."""
MOST_GROUPS = 100
MOST_IN_SET = 100
"""Markers of a group that are handed to other tasks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which groups: those of a column, or the clusters of a run."""

    dataset: str
    column: Annotated[
        str,
        Column(
            "Column with groups", kinds=TYPE_KINDS, help="Each of its values is compared with all others."
        ),
    ] = ""
    run: str = ""
    """A finished run with clusters, in place of a column."""
    method: Annotated[Method, Choice("Method", METHODS)] = "wilcoxon"
    fewest_cells: Annotated[
        int,
        Number(
            "Minimum cells of a group",
            2,
            10_000,
            unit="cells",
            help="Smaller groups get no markers, and their cells are left out.",
            advanced=True,
        ),
    ] = 10
    n_top: Annotated[
        int,
        Number(
            "Markers looked up",
            5,
            500,
            step=10,
            help="So many markers of each group are compared with known markers, to suggest a name.",
            advanced=True,
        ),
    ] = 50
    seed: Annotated[int, SEED] = 0

    def __post_init__(self) -> None:
        check_fields(self)
        if bool(self.column) == bool(self.run):
            raise RequestError(
                "Markers are those of the groups of a column, or of the clusters of a run: one of these.",
                hint="Choose a column, or a run with clusters.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Known markers that the markers of a group resemble most."""

    name: str
    """Of a program of scviz; empty where none holds more of the markers than chance gives."""
    genes: tuple[str, ...] = ()
    """Markers of the group that the program holds, the first marker first."""
    n_program: int = 0
    """Genes of the program that are measured."""
    expected: float = float("nan")
    """Of expression-matched random genes in place of the markers, so many are in the program on average."""
    fdr: float = float("nan")
    """False discovery rate over all groups and programs, of the larger p of two: the hypergeometric one, and that of
    expression-matched random genes."""
    second: str = ""
    """The next best program that passes as well; empty without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """K groups, in the order of the column or of the clusters; G genes, in the order of the dataset."""

    names: tuple[str, ...]
    """(K,) what the groups are called."""
    n_cells: tuple[int, ...]
    """(K,)."""
    groups: NDArray[np.int16]
    """(N,) group of each cell of the dataset, 0 to K - 1; -1 for cells in none."""
    genes: tuple[str, ...]
    """(G,)."""
    score: NDArray[np.float32]
    """(K, G) z of the rank sum, or Welch's t; above 0 where the group expresses more."""
    log2_fold_change: NDArray[np.float32]
    """(K, G)."""
    p_value: NDArray[np.float64]
    """(K, G) cells counted as replicates."""
    adjusted_p: NDArray[np.float64]
    """(K, G) Benjamini-Hochberg over the genes of a group."""
    means: NDArray[np.float32]
    """(K, G) mean log expression of the group."""
    shares: NDArray[np.float32]
    """(K, G) cells of the group that express the gene, 0 to 1."""
    other_shares: NDArray[np.float32]
    """(K, G) of all other cells."""
    suggestions: tuple[Suggestion, ...]
    """(K,)."""
    n_programs: int
    """Sets of known markers of types of cells that were looked up."""
    sets: tuple[GeneSet, ...]
    """The first markers of each group, as other tasks take them; groups without any are left out."""
    circular: bool
    """Whether the groups were found on the expression that is tested, so that p values say nothing."""
    verdict: str
    notes: tuple[str, ...]
    seconds: float
