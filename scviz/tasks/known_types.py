"""Known types of cells, by which results are told apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.columns import cell_column
from scviz.errors import RequestError
from scviz.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Types:
    """Known type of each cell."""

    names: tuple[str, ...]
    """Empty where no column is named."""
    codes: NDArray[np.int64]
    """(N,) which of the names; -1 for none."""


def types_of(workspace: Workspace, dataset: str, label_key: str | None) -> Types:
    """Read the column of types; no types if none is named.

    Raises
    ------
    RequestError
        If the column does not name groups.
    """
    if label_key is None:
        return Types(names=(), codes=np.full(workspace.dataset(dataset).n_cells, -1, dtype=np.int64))
    column = cell_column(workspace.dataset_folder(dataset), label_key)
    if column.categories is None:
        raise RequestError(
            f"The column {label_key!r} does not name groups of cells.", hint="Choose a column of words."
        )
    return Types(names=tuple(column.categories), codes=np.asarray(column.values, dtype=np.int64))
