"""Cells that the page selects on its maps: a named group, what was selected before, or what a link names."""

from __future__ import annotations

from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from pages.components import state
from pages.components.undo import begin
from scviz.errors import DataError
from scviz.plots.selection import Given
from scviz.workspace import DatasetInfo
from scviz.workspace.packed_rows import pack_rows, unpack_mask
from scviz.workspace.selections import keep_selection, kept_selection

MOST_KEPT = 4
"""Selections that the browser may still answer with."""
LINK = "selection"
"""What addresses call it; its cells lie beside the dataset."""
NONE = pack_rows(np.empty(0, dtype=np.int64), level=1)


def follow_selection(dataset: DatasetInfo) -> None:
    """Select what a link names; call it before maps are drawn. A name of no selection is left out, with a word."""
    name = state.from_others(LINK)
    if not name:
        return
    try:
        packed = kept_selection(state.workspace().dataset_folder(dataset.id), name)
    except DataError as error:
        state.put(LINK, None)
        state.left_out(f"{error} {error.hint}")
        return
    state.put(LINK, name)  # followed: from now on it is this session's own
    select_on_map(dataset.id, packed)
    begin(dataset.id, "selection", packed, empty=NONE)
    state.keep(_awaited(dataset), name)


def link_selection(dataset: DatasetInfo, packed: bytes) -> None:
    """Put what is selected, packed by `pack_rows`, into the address."""
    if packed == NONE:
        if not state.kept(_awaited(dataset)):  # else the browser has not shown yet what the link names
            state.put(LINK, None)
        return
    state.keep(_awaited(dataset), None)
    if packed != state.held(_linked(dataset)):
        name = keep_selection(state.workspace().dataset_folder(dataset.id), packed)
        state.preset(_linked(dataset), packed)
        state.keep(f"selection_name_{dataset.id}", name)
    state.put(LINK, state.kept(f"selection_name_{dataset.id}"))


def _linked(dataset: DatasetInfo) -> str:
    return f"selection_linked_{dataset.id}"


def _awaited(dataset: DatasetInfo) -> str:
    return f"selection_awaited_{dataset.id}"


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
