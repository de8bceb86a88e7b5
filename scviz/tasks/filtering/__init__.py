"""Keep some cells and genes of a dataset, as a new dataset; the first stays as it is, so that it can be taken back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from scviz.errors import RequestError
from scviz.tasks.fields import Number, check_fields
from scviz.tasks.filters import Bound, Filter

TITLE = "Filter cells"
HEAVY = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which cells and genes are kept: those that pass all that is asked for."""

    dataset: str
    name: str = ""
    """What the new dataset is called; empty keeps the name."""
    run: str = ""
    """Finished run of quality control that holds the measures of `bounds`."""
    bounds: tuple[Bound, ...] = ()
    cells: tuple[Filter, ...] = ()
    """Cells that pass all of these; empty for all cells."""
    group: str = ""
    """Name of a group that was circled on a map, in place of `cells`."""
    group_version: str = ""
    """Hash of the cells that the group had when it was chosen."""
    min_cells: Annotated[
        int,
        Number(
            "Minimum cells of a gene",
            0,
            10_000,
            unit="cells",
            help="Genes seen in fewer of the kept cells are left out; 0 keeps all genes.",
        ),
    ] = 3

    def __post_init__(self) -> None:
        check_fields(self)
        if not (self.bounds or self.cells or self.group or self.min_cells):
            raise RequestError(
                "Nothing was chosen that leaves cells or genes out.", hint="Move a threshold or choose cells."
            )
        _check(self.bounds)
        if self.bounds and not self.run:
            raise RequestError(
                "Thresholds need a run of quality control.", hint="Run quality control on these cells first."
            )
        if self.cells and self.group:
            raise RequestError(
                "Cells were chosen by a column and by a named group.", hint="Choose one of them."
            )


def _check(bounds: tuple[Bound, ...]) -> None:
    """Refuse thresholds that are no numbers, or between which nothing lies."""
    for bound in bounds:
        ends = [end for end in (bound.low, bound.high) if end is not None]
        if not all(map(math.isfinite, ends)) or ends != sorted(ends):
            raise RequestError(
                f"Nothing lies between {bound.low} and {bound.high} of {bound.measure}.",
                hint="Give numbers, the lower one at least.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The new dataset."""

    dataset: str
    """Its id in the workspace."""
    n_cells: int
    n_genes: int
    line: str
    """What was done, as its history says it."""
