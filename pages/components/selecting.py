"""Cells that the page selects on its maps: a named group, or what was selected before."""

from __future__ import annotations

from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from pages.components import state
from scviz.plots.selection import Given
from scviz.workspace import DatasetInfo
from scviz.workspace.packed_rows import pack_rows, unpack_mask

MOST_KEPT = 4
"""Selections that the browser may still answer with."""


def select_on_map(dataset: str, packed: bytes) -> bool:
    """Select cells, packed by `pack_rows`, on the maps of a dataset when they are drawn next; always True."""
    return _keep(dataset, Given(id=uuid4().hex, bits=packed))


def select_no_more(dataset: str) -> None:
    """Forget what is to be selected: the user has selected something else."""
    if any(one.id for one in _kept(dataset)[-1:]):
        _keep(dataset, Given(id="", bits=b""))


def given_on(dataset: DatasetInfo, rows: NDArray[np.int64]) -> tuple[Given, ...]:
    """Return what the page selects for `cell_map`, on a map of these cells, (M,) rows of the dataset."""
    kept = _kept(dataset.id)
    return kept if len(rows) == dataset.n_cells else tuple(_among(one, rows, dataset.n_cells) for one in kept)


def _among(one: Given, rows: NDArray[np.int64], n_cells: int) -> Given:
    if not one.id:
        return one
    inside = np.flatnonzero(unpack_mask(one.bits, n_cells)[rows])
    return Given(id=one.id, bits=pack_rows(inside, level=1))


def _kept(dataset: str) -> tuple[Given, ...]:
    return state.held(f"given_{dataset}") or ()


def _keep(dataset: str, one: Given) -> bool:
    state.preset(f"given_{dataset}", (*_kept(dataset), one)[-MOST_KEPT:])
    return True
