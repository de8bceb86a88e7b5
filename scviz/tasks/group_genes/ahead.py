"""What is known of a comparison before it is carried out: cells of both groups, donors, questions that fit the data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from scviz.datasets.controls import control_name
from scviz.datasets.labels import is_label
from scviz.metrics.group_values import NEITHER
from scviz.metrics.two_groups import FIRST, SECOND
from scviz.tasks.group_genes import Request
from scviz.tasks.group_genes.donors import donor_columns
from scviz.tasks.group_genes.inputs import both_sides
from scviz.workspace import ColumnInfo, DatasetInfo, Workspace

CONDITIONS = (
    *("condition", "stim", "stimulation", "treatment", "treated", "group", "disease", "diagnosis", "status"),
    *("genotype", "infection", "response", "timepoint", "time", "tissue"),
)
"""Words of columns that tell conditions apart, the best first."""
UNTREATED = ("healthy", "normal", "baseline", "before", "pre", "rest", "resting", "wt", "uninfected", "no")
"""Values that are compared with, besides names of controls."""
KINDS = ("batch", "category", "label")
MOST_TYPES = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """Two groups that are about to be compared."""

    n_cells: tuple[int, int]
    """Cells of both."""
    n_shared: int
    """Cells that are in both."""
    donors: Mapping[str, tuple[int, int]]
    """Donors of both groups with cells enough, by column; only columns with enough on both sides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """Two conditions of a dataset, which may be compared within each type of cells."""

    column: str
    case: str
    control: str
    types: str
    """Column with types of cells; empty where there is none."""
    within: tuple[str, ...]
    """Its values, the type with most cells first."""


def look_ahead(request: Request, workspace: Workspace) -> Ahead:
    """Count the cells and donors of both groups.

    Raises
    ------
    RequestError
        If a group is unknown.
    """
    inside, outside, _ = both_sides(request, workspace)
    shared = inside & outside
    sides = np.full(len(inside), NEITHER, dtype=np.int8)
    sides[inside], sides[outside] = FIRST, SECOND
    info, folder = workspace.dataset(request.dataset), workspace.dataset_folder(request.dataset)
    return Ahead(
        n_cells=(int(inside.sum()), int(outside.sum())),
        n_shared=int(shared.sum()),
        donors=donor_columns(info, folder, sides),
    )


def contrast_of(dataset: DatasetInfo) -> Contrast | None:
    """Find the column that tells two conditions apart, and that with types; None where there is no such column."""
    usable = [
        column for column in dataset.columns if column.kind in KINDS and _rank(column) < len(CONDITIONS)
    ]
    if not usable:
        return None
    column = min(usable, key=_rank)
    first, second = _values(column)
    case, control = (first, second) if _is_control(second) or not _is_control(first) else (second, first)
    types = next((name for name in dataset.columns_of("label") if name != column.name), "")
    within = _values(dataset.column(types))[:MOST_TYPES] if types else ()
    return Contrast(column=column.name, case=case, control=control, types=types, within=within)


def _values(column: ColumnInfo) -> tuple[str, ...]:
    return tuple(value for value in column.values if is_label(value))


def _rank(column: ColumnInfo) -> int:
    """Return how well a column tells two conditions apart, 0 the best; after the last for one that does not."""
    values = _values(column)
    if len(values) != 2:
        return len(CONDITIONS)
    words = re.sub(r"[^a-z0-9]+", " ", column.name.lower()).split()
    named = next((i for i, word in enumerate(CONDITIONS) if word in words), len(CONDITIONS))
    return min(named, len(CONDITIONS) - 1) if sum(map(_is_control, values)) == 1 else named


def _is_control(value: str) -> bool:
    return control_name(value) is not None or value.lower() in UNTREATED
