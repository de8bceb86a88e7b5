"""Ask what differs between two conditions, donor by donor: shares of types, and changed genes of each type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from scviz.errors import RequestError
from scviz.metrics.evidence import Outcome
from scviz.tasks.fields import SEED, TYPE_KINDS, Column, Needs, Number, check_fields
from scviz.tasks.same_donors import SAME_DONORS, Same

TITLE = "Conditions across donors"
HEAVY = False

MOST_FDR = 0.05
"""Types and genes at or below this adjusted p are said to differ."""
TWOFOLD = 1.0
"""Log2 change of a type against the reference that a reader would act on."""
N_DRAWS = 5
"""Times that cells are drawn for the comparison with equal cells, and conditions swapped at random."""
MOST_KEPT = 100
"""Genes of each type that a result keeps."""

Answer = Literal["higher", "lower", "none", "unknown", "rare", "reference"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Two values of a column with conditions, and the columns with types and donors."""

    dataset: str
    type_key: Annotated[
        str,
        Column("Column with cell types", kinds=TYPE_KINDS, help="Whose shares of the cells are compared."),
    ] = ""
    donor_key: Annotated[
        str,
        Column(
            "Column with donors or samples",
            help="People, animals or cultures: each is one replicate, however many cells it has.",
        ),
    ] = ""
    condition_key: Annotated[str, Column("Column with conditions", help="Such as treated and untreated.")] = (
        ""
    )
    first: Annotated[str, Column("Condition")] = ""
    second: Annotated[str, Column("Compared with")] = ""
    same_donors: Annotated[Same, SAME_DONORS] = "by column"
    reference: Annotated[
        str,
        Column(
            "Reference of shares",
            none="average of all types",
            help="Shares add up to 1: one type up makes others go down. Each type is therefore compared with a "
            "reference: the average type, or one that you know not to change.",
            advanced=True,
        ),
    ] = ""
    fewest_cells: Annotated[
        int,
        Number(
            "Minimum cells of a type in a sample",
            5,
            1_000,
            unit="cells",
            help="For changed genes; counts of fewer cells say little of their donor.",
            advanced=True,
        ),
    ] = 10
    seed: Annotated[int, SEED] = 0

    needs = Needs(cells=4, genes=2, counts="Counts are summed over the cells of each donor.")

    def __post_init__(self) -> None:
        check_fields(self)
        for name, what in (
            ("type_key", "column with cell types"),
            ("donor_key", "column with donors or samples"),
            ("condition_key", "column with conditions"),
            ("first", "condition"),
            ("second", "condition to compare with"),
        ):
            if not getattr(self, name):
                raise RequestError(f"No {what} was selected.", hint="Choose one.")
        if self.first == self.second:
            raise RequestError(
                f"Both conditions are {self.first}.", hint="Choose another one to compare with."
            )
        if len({self.type_key, self.donor_key, self.condition_key}) < 3:
            raise RequestError(
                "Types, donors and conditions must be three columns.",
                hint="Choose another column where one stands twice.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneChange:
    """A gene of a type."""

    gene: str
    change: float
    """Log2, above 0 where the first condition has more."""
    p_value: float
    adjusted_p: float
    """Benjamini-Hochberg over the tested genes of this type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeGenes:
    """How many genes of a type change."""

    type: str
    n_cells: tuple[int, int]
    """Cells of the compared samples, in both conditions."""
    n_donors: tuple[int, int]
    """Donors with enough cells of the type."""
    paired: bool
    n_tested: int
    """Genes with enough counts."""
    n_higher: int
    n_lower: int
    n_equal: int
    """Changed genes with equally many cells in each sample of each type: the median of a few draws."""
    equal_range: tuple[int, int]
    """Fewest and most of these draws."""
    n_equal_tested: int
    n_swapped: int
    """Changed genes with conditions swapped in half of the donors, drawn at random: the median of a few draws."""
    reason: str
    """Why it was not compared; empty if it was."""
    first: tuple[GeneChange, ...]
    """The smallest p first."""
    more_counts: float = 1.0
    """How many times as many counts samples of the first condition have, before the others were thinned to theirs."""

    @property
    def n_changed(self) -> int:
        """Genes that pass."""
        return self.n_higher + self.n_lower


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """S samples, a donor in a condition each, and K types, the most frequent first."""

    names: tuple[str, str]
    """The conditions."""
    donors: tuple[str, ...]
    """(S,) of each sample."""
    sides: NDArray[np.int64]
    """(S,) 0 for the first condition, 1 for the second."""
    types: tuple[str, ...]
    counts: NDArray[np.int64]
    """(S, K) cells."""
    n_donors: tuple[int, int]
    """Donors that are compared, in both conditions."""
    paired: bool
    """Whether donors are compared with themselves."""
    shares: NDArray[np.float64]
    """(2, K) mean over the samples of a condition, 0 to 1."""
    change: NDArray[np.float64]
    """(K,) log2 of type over reference, first condition less second; NaN for types with too few cells."""
    low: NDArray[np.float64]
    """(K,) 95 % interval; NaN where donors are too few."""
    high: NDArray[np.float64]
    """(K,)."""
    p_value: NDArray[np.float64]
    """(K,) two-sided t test, donors counted as replicates."""
    adjusted_p: NDArray[np.float64]
    """(K,) Benjamini-Hochberg over the compared types."""
    answers: tuple[Answer, ...]
    """(K,)."""
    reference: str
    """What types are compared with, in words."""
    without: str
    """The type that changed most, where one did; empty otherwise."""
    adjusted_p_without: NDArray[np.float64]
    """(K,) the same with that type left out of the reference; NaN where none changed."""
    outcome: Outcome
    verdict: str
    genes: tuple[TypeGenes, ...]
    """One for each type, in their order."""
    equal_cells: int
    """Cells that each sample of each type is drawn down to; 0 where none was compared."""
    genes_outcome: Outcome
    genes_verdict: str
    notes: tuple[str, ...]
    seconds: float
