"""Which columns can say what is asked: types, donors, conditions, and which value is compared with which."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from scviz.datasets.controls import says_control
from scviz.datasets.donor_names import donors_first, says_attribute
from scviz.datasets.labels import is_label
from scviz.tasks.conditions import Request
from scviz.tasks.fields import MOST_GROUPS, suggested
from scviz.workspace import DatasetInfo

CONDITIONS = (
    *("condition", "treatment", "stim", "stimulation", "treated", "group", "disease", "diagnosis", "status"),
    *("genotype", "infection", "response", "arm", "timepoint", "time", "exposure", "diet", "sex", "tissue"),
)
"""Words in names of columns that say in which condition a cell is, the best first."""
USUAL = frozenset(
    {"healthy", "normal", "untreated", "unstimulated", "baseline", "before", "pre", "wildtype", "wt"}
)
"""Values that others are compared with, besides those that `says_control` knows."""
MOST_CONDITIONS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Columns that page and command begin with; empty where none is found."""

    type_key: str
    donor_key: str
    condition_key: str


def grouping_columns(dataset: DatasetInfo) -> tuple[str, ...]:
    """Name the columns that put cells into two groups or more."""
    found = dataset.columns_of("label", "category", "batch")
    return tuple(name for name in found if 2 <= dataset.column(name).n_values <= MOST_GROUPS)


def condition_columns(dataset: DatasetInfo, *taken: str) -> tuple[str, ...]:
    """Name the columns that may hold conditions: a few values, and none of those that are taken."""
    found = (name for name in grouping_columns(dataset) if name not in taken)
    return tuple(name for name in found if dataset.column(name).n_values <= MOST_CONDITIONS)


def begin_with(dataset: DatasetInfo) -> Columns:
    """Guess the columns by their names."""
    types = suggested(Request, "type_key", dataset)
    left = [name for name in grouping_columns(dataset) if name != types]
    donors = next(iter(donors_first(dataset.column(name) for name in left)), "")
    conditions = _named(condition_columns(dataset, types, donors), CONDITIONS)
    if not donors:
        rest = [name for name in dataset.columns_of("batch") if name in left and name != conditions]
        donors = next((name for name in rest if not says_attribute(name)), "")
    return Columns(type_key=types, donor_key=donors, condition_key=conditions)


def _named(columns: Sequence[str], words: Sequence[str]) -> str:
    """Find the column whose name holds the best of some words."""
    for word in words:
        for name in columns:
            if word in re.split(r"[^a-z0-9]+", name.lower()):
                return name
    return ""


def conditions_of(dataset: DatasetInfo, column: str) -> tuple[str, ...]:
    """Name the conditions of a column, the one that others are compared with last.

    Examples
    --------
    >>> sorted(["untreated", "drug"], key=is_usual)
    ['drug', 'untreated']
    """
    values = [value for value in dataset.column(column).values if is_label(value)]
    return tuple(sorted(sorted(values), key=is_usual))


def is_usual(value: str) -> bool:
    """Tell whether others are compared with this condition."""
    return value.strip().lower() in USUAL or says_control(value)
