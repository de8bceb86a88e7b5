"""Ask which cells may have a wrong label: their neighbors and the markers they express speak for another one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from scviz.errors import RequestError
from scviz.metrics.evidence import LEVEL, Outcome
from scviz.tasks.fields import NEIGHBORS, SEED, TYPE_KINDS, Column, Needs, Number, check_fields

TITLE = "Audit of labels"
HEAVY = False
LEAST_FOUND = 0.5
"""Where fewer of the labels that were changed as a test are found, these labels cannot be audited by expression."""
FEWEST_CELLS = 10
"""Types of fewer cells are not judged: half of their cells say too little of their markers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which labels, and what they are asked by."""

    dataset: str
    label_key: Annotated[
        str,
        Column(
            "Column with labels",
            kinds=TYPE_KINDS,
            help="Labels that were found on expression agree with it by that.",
        ),
    ] = ""
    n_neighbors: Annotated[int, NEIGHBORS] = 15
    n_markers: Annotated[
        int,
        Number(
            "Markers of each type", 3, 200, help="Found on one half of the cells, asked about the other half."
        ),
    ] = 25
    seed: Annotated[int, SEED] = 0

    def __post_init__(self) -> None:
        check_fields(self)
        if not self.label_key:
            raise RequestError(
                "No column with labels was chosen.", hint="Choose the column whose labels shall be audited."
            )

    @property
    def needs(self) -> Needs:
        """What it cannot do without: two types whose cells have neighbors."""
        return Needs(cells=2 * FEWEST_CELLS, genes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What neighbors and markers say of the labels of N cells."""

    names: tuple[str, ...]
    """The K labels that were judged."""
    codes: NDArray[np.int64]
    """(N,) position in `names`; -1 for cells that were not judged."""
    by_neighbors: NDArray[np.int64]
    """(N,) label of most neighbors; -1 for none."""
    by_markers: NDArray[np.int64]
    """(N,) label whose markers the cell expresses most like; -1 for cells that were not judged."""
    own_share: NDArray[np.float32]
    """(N,) share of the labeled neighbors that have the cell's own label; NaN for none."""
    margin: NDArray[np.float32]
    """(N,) correlation with the markers of `by_markers`, less that with those of the own label."""
    rows: NDArray[np.int64]
    """(M,) cells that both speak against, for the same other label; the clearest first."""
    expected: float
    """So many there would be if neighbors and markers had nothing to do with each other."""
    expected_low: float
    expected_high: float
    p: float
    """Share of the permutations with as many cells or more."""
    n_planted: int
    """Labels that were changed at random, as a test."""
    found: float
    """Share of these that both speak against."""
    found_low: float
    found_high: float
    restored: float
    """Share of these for which both speak for the label that was there."""
    found_of_type: NDArray[np.float64]
    """(K,) share found by the type that the cells are of; NaN where none was changed."""
    verdict: str
    notes: tuple[str, ...]
    seconds: float
    any_label: float = float("nan")
    """Share of the cells that would be on the list if the labels were dealt to the cells anew."""

    @property
    def outcome(self) -> Outcome:
        """Judge: some labels are in doubt, none is, or it cannot be told."""
        if self.found < LEAST_FOUND:
            return "unknown"
        if not len(self.rows):
            return "none"
        return "worse" if self.p <= LEVEL else "unknown"

    @property
    def n_judged(self) -> int:
        """Cells with a label that was judged."""
        return int((self.codes >= 0).sum())
