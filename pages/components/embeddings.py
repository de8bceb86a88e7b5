"""Every map that a dataset has: the first map, the file's own, principal components, and those of models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.components import state
from pages.components.first_map import finished_overview
from pages.components.runs import genes_read, model_name, read_depth
from scviz.datasets.own_embeddings import own_coordinates, own_embeddings
from scviz.plots.points import quantize
from scviz.plots.selection import digest
from scviz.workspace import DatasetInfo
from scviz.workspace.database import Run
from scviz.workspace.records import read_array

OVERVIEW, COMPONENTS = "overview", "components"
"""What addresses call the first map, and its first two principal components."""
OF_BASELINE = "-baseline"
"""An address calls the map of a model by its run, and its baseline by that with this behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedding:
    """A map of the cells of a dataset."""

    id: str
    """What addresses call it."""
    dataset: str
    name: str
    """What choices call it."""
    caption: str
    """What stands under it."""
    run: str = ""
    """The run that drew it; empty for the file's own."""
    ended: float = 0.0
    """When that run ended: one that was resumed ended anew."""
    array: str = ""
    """Where its coordinates are: an array of the result, or a map of the file."""
    of_model: bool = False
    """Whether a model drew it, or it is the baseline of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Maps:
    """Several maps of the cells that are on all of them."""

    rows: NDArray[np.int64]
    """(M,) rows of the dataset."""
    points: tuple[NDArray[np.uint16], ...]
    """(M, 2) for each map."""
    group: str
    """Name of these cells: maps of the same ones show one selection."""


def embeddings_of(dataset: DatasetInfo) -> dict[str, Embedding]:
    """List the maps of a dataset by what addresses call them: the first map first, those of models last."""
    found = [*_of_overview(dataset.id), *_of_file(dataset.id)]
    for run in state.queue().runs(states=("done",), owner=state.owner(), task="embedding"):
        if run.request.get("dataset") == dataset.id:
            found += _of_model(run)
    return {one.id: one for one in found}


def places(shown: Sequence[Embedding]) -> Maps:
    """Read the coordinates of some maps of one dataset."""
    return _places(tuple(shown))


def _of_overview(dataset: str) -> list[Embedding]:
    run = finished_overview(dataset)
    if run is None:
        return []
    make = partial(Embedding, dataset=dataset, run=run.id, ended=run.ended)
    words = "Principal components 1 and 2"
    return [
        make(
            id=OVERVIEW,
            name="UMAP of expression",
            caption="UMAP of the principal components of variable genes",
            array="umap",
        ),
        make(id=COMPONENTS, name=words, caption=f"{words} of variable genes", array="pca"),
    ]


def _of_model(run: Run) -> list[Embedding]:
    """Return the map of a finished run of a model, and that of its baseline."""
    words = ", ".join(part for part in (model_name(run), read_depth(run), genes_read(run)) if part)
    make = partial(Embedding, dataset=run.request["dataset"], run=run.id, ended=run.ended, of_model=True)
    return [
        make(id=run.id, name=f"Model: {words}", caption=f"UMAP, {words}", array="umap"),
        make(
            id=f"{run.id}{OF_BASELINE}",
            name=f"Baseline: {words}",
            caption="UMAP, 50 principal components (baseline)",
            array="baseline_umap",
        ),
    ]


def _of_file(dataset: str) -> list[Embedding]:
    return [
        Embedding(
            id=name, dataset=dataset, name=f"{name} of the file", caption=f"{name} of the file", array=name
        )
        for name in _own(dataset)
    ]


@st.cache_data(max_entries=64)
def _own(dataset: str) -> tuple[str, ...]:
    return own_embeddings(state.workspace().dataset_folder(dataset))


@st.cache_resource(max_entries=12)
def _places(shown: tuple[Embedding, ...]) -> Maps:
    tables = [_coordinates(one) for one in shown]
    rows = np.flatnonzero(np.logical_and.reduce([np.isfinite(table).all(axis=1) for table in tables]))
    points = tuple(quantize(table[rows]) for table in tables)
    return Maps(rows=rows, points=points, group=f"{shown[0].dataset}-{digest(rows)}")


def _coordinates(one: Embedding) -> NDArray[np.floating]:
    """Read two coordinates of each cell, (N, 2), NaN where it has none."""
    if not one.run:
        return own_coordinates(state.workspace().dataset_folder(one.dataset), one.array)
    return read_array(state.workspace().run_folder(one.run) / "result", one.array)[:, :2]
