"""Ask which genes two groups of cells express differently: A against B, or against the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from scviz.errors import RequestError
from scviz.metrics.evidence import Outcome
from scviz.networks.contract import GeneSet
from scviz.tasks.cell_groups import CellGroup
from scviz.tasks.fields import Choice, Column, Needs, Number, check_fields
from scviz.tasks.filters import Filter
from scviz.tasks.same_donors import SAME_DONORS, Same

TITLE = "Genes of two groups"
HEAVY = False

Method = Literal["wilcoxon", "welch", "deseq2"]
METHODS: dict[Method, str] = {
    "wilcoxon": "Wilcoxon rank-sum test, corrected for ties",
    "welch": "Welch's t test",
    "deseq2": "DESeq2 on counts summed by donor",
}
MOST_FDR = 0.05
"""Genes at or below this adjusted p are said to differ."""
MOST_IN_SET = 200
"""Genes of either side that are handed to other tasks."""
TWOFOLD = 1.0
"""Log2 fold change from which a difference is called large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Two groups of cells, among all or some of the cells of a dataset."""

    dataset: str
    a: CellGroup
    b: CellGroup | None = None
    """None for all other cells."""
    within: tuple[Filter, ...] = ()
    """Only cells that pass all of these are looked at; empty for all cells."""
    method: Annotated[Method, Choice("Method", METHODS)] = "wilcoxon"
    fewest_cells: Annotated[
        int,
        Number(
            "Minimum cells of a group",
            2,
            10_000,
            unit="cells",
            help="Smaller groups are not compared.",
            advanced=True,
        ),
    ] = 10

    donor: Annotated[
        str,
        Column(
            "Column with donors or samples",
            help="DESeq2 sums counts over the cells of each and compares these.",
        ),
    ] = ""
    same_donors: Annotated[Same, SAME_DONORS] = "by column"
    covariate: Annotated[
        str,
        Column(
            "Covariate",
            help="A column with one value for each donor that DESeq2 accounts for.",
            advanced=True,
        ),
    ] = ""

    def __post_init__(self) -> None:
        check_fields(self)
        if self.method == "deseq2" and not self.donor:
            raise RequestError(
                "No column with donors or samples was selected, whose counts DESeq2 sums.",
                hint="Choose one, or compare cells by the Wilcoxon test.",
            )
        if self.a == self.b:
            raise RequestError("Both groups are the same.", hint="Choose another group to compare with.")

    @property
    def needs(self) -> Needs:
        """What the test needs; DESeq2 also counts of molecules."""
        counts = "DESeq2 models how counts of molecules vary." if self.method == "deseq2" else ""
        return Needs(cells=4, genes=2, counts=counts)

    @property
    def other(self) -> str:
        """What the first group is compared with."""
        return "all other cells" if self.b is None else self.b.words


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """G genes, the smallest p first; of equal p the largest absolute score first."""

    names: tuple[str, str]
    """What the groups are called, the first one first."""
    n_cells: tuple[int, int]
    """Cells of both."""
    n_donors: tuple[int, int]
    """Donors of both, which DESeq2 compares; 0 where cells are compared."""
    genes: tuple[str, ...]
    """(G,) all genes of the dataset."""
    log2_fold_change: NDArray[np.float64]
    """(G,) above 0 where the first group expresses more."""
    score: NDArray[np.float64]
    """(G,) z of the rank sum, Welch's t, or z of DESeq2; NaN for genes that DESeq2 does not test."""
    p_value: NDArray[np.float64]
    """(G,) cells counted as replicates, but by DESeq2 donors; NaN for genes that it does not test."""
    adjusted_p: NDArray[np.float64]
    """(G,) Benjamini-Hochberg over all genes, or those that DESeq2 does not leave out; NaN for those."""
    share_a: NDArray[np.float64]
    """(G,) cells of the first group that express the gene, 0 to 1."""
    share_b: NDArray[np.float64]
    """(G,) of the second group."""
    mean_a: NDArray[np.float64]
    """(G,) mean log expression in the first group."""
    mean_b: NDArray[np.float64]
    """(G,) in the second group."""
    n_higher: int
    """Genes that pass and are higher in the first group."""
    n_lower: int
    n_large: int
    """Genes that pass and differ at least twofold."""
    outcome: Outcome
    """Better where genes differ, none where none does, unknown where so few cells or donors could not tell."""
    verdict: str
    notes: tuple[str, ...]
    seconds: float
    sides: NDArray[np.int8]
    """(N,) 0 for cells of the first group, 1 for those of the second, -1 for all other cells of the dataset."""
    donors: str
    """Column whose values stand for donors on both sides, where the cells were compared all the same; else empty."""
    sets: tuple[GeneSet, ...]
    """The first genes that pass and are higher in the first group, and those that are lower, as other tasks take them;
    a side without any is left out."""
