"""Which labels of a column have enough cells to be learned and tested, and what to do where these are too few."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.errors import RequestError
from scviz.metrics.evidence import counted

MOST_NAMED = 5
"""Labels that a refusal names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LargeLabels:
    """Labels by how many cells they have."""

    names: tuple[str, ...]
    """Those with enough cells, in the order of the alphabet."""
    rare: Mapping[str, int]
    """Cells of each other label."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Say which labels are left out."""
        if not self.rare:
            return ()
        return (f"Left out, with too few cells: {', '.join(_with_cells(self.rare))}.",)


def large_labels(
    texts: NDArray[np.str_], *, column: str, fewest: int, noun: str = "cell type"
) -> LargeLabels:
    """Find the labels with enough cells.

    Parameters
    ----------
    texts
        (N,) label of each cell; '' for none.
    column
        What the labels stand in, as "The column 'x'".
    fewest
        Cells that a label must have.
    noun
        What a label is.

    Raises
    ------
    RequestError
        If fewer than two have so many.
    """
    names, counts = np.unique(texts[texts != ""], return_counts=True)
    large = names[counts >= fewest].tolist()
    small = zip(names[counts < fewest].tolist(), counts[counts < fewest].tolist(), strict=True)
    found = LargeLabels(names=tuple(large), rare=dict(sorted(small, key=lambda one: -one[1])))
    if len(large) >= 2:
        return found
    raise RequestError(
        f"{column} has {counted(len(large), noun)} with {fewest} cells or more, and it takes two.",
        hint=_hint(found.rare, noun),
    )


def _hint(rare: Mapping[str, int], noun: str) -> str:
    if not rare:
        return f"Choose a column with two {noun}s or more."
    such = _with_cells(dict([*rare.items()][:MOST_NAMED]))
    more = f" and {len(rare) - MOST_NAMED} more" if len(rare) > MOST_NAMED else ""
    return (
        f"Too few cells have the {noun}{'s' * (len(rare) > 1)} {', '.join(such)}{more}. Label more of them, or choose "
        "a column with larger ones."
    )


def _with_cells(labels: Mapping[str, int]) -> list[str]:
    return [f"{name} ({counted(n_cells, 'cell')})" for name, n_cells in labels.items()]
