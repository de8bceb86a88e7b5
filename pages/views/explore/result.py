"""Two maps of the same cells, one coloring, one selection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.components import state
from pages.components.cell_map import cell_map
from pages.components.coloring import Coloring, choose_coloring
from pages.components.export import annotated_file
from pages.components.runs import genes_read, model_name, read_depth
from pages.components.selecting import given_on
from pages.components.show import escaped, map_files
from pages.views.explore.selection import show_selection
from scviz.datasets.columns import cell_names
from scviz.datasets.labels import cell_labels
from scviz.metrics.evidence import Gain
from scviz.metrics.neighbors import agreement_gain
from scviz.plots.points import quantize
from scviz.plots.selection import Given, Selection, selected_rows
from scviz.workspace import DatasetInfo
from scviz.workspace.database import Run
from scviz.workspace.records import read_array, read_value

MAP_HEIGHT = 440

MOST_TYPES = 200
"""With more categories than this, agreement with neighbors says little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Maps:
    """The two maps of a run, of the cells that are on both."""

    rows: NDArray[np.int64]
    """(M,) rows of the dataset."""
    model: NDArray[np.uint16]
    """(M, 2) coordinates of the model's map."""
    baseline: NDArray[np.uint16]
    """(M, 2) coordinates of the map of principal components."""


@st.cache_resource(max_entries=8)
def _maps(run_id: str, ended: float) -> Maps:  # noqa: ARG001 - a run that was resumed ended anew
    folder = state.workspace().run_folder(run_id) / "result"
    model, baseline = read_array(folder, "umap"), read_array(folder, "baseline_umap")
    rows = np.flatnonzero(np.isfinite(model).all(axis=1) & np.isfinite(baseline).all(axis=1))
    return Maps(rows=rows, model=quantize(model[rows]), baseline=quantize(baseline[rows]))


@st.cache_data(max_entries=64)
def _agreement(
    run_id: str, ended: float, *, dataset: str, column: str
) -> tuple[Gain, tuple[str, ...]] | None:
    del ended  # part of the key only: a run that was resumed ended anew
    labels = cell_labels(state.workspace().dataset_folder(dataset), column)
    if len(labels.names) > MOST_TYPES:
        return None
    folder = state.workspace().run_folder(run_id) / "result"
    model, baseline = (read_array(folder, name) for name in ("neighbors", "baseline_neighbors"))
    gain = agreement_gain(model, baseline, labels.codes, name="The model", over="principal components")
    return gain, labels.notes


def explore_result(run: Run) -> None:
    """Show a finished run."""
    dataset = state.workspace().dataset(run.request["dataset"])
    _explore(run, dataset)
    for note in read_value(state.workspace().run_folder(run.id) / "result", "notes") or ():
        st.caption(escaped(note))
    with st.expander("Save"):
        st.write("The embedding and its map, written into a copy of the file as `obsm`:")
        annotated_file(run)


@st.fragment
def _explore(run: Run, dataset: DatasetInfo) -> None:
    maps = _maps(run.id, run.ended)
    chosen, choice = choose_coloring(dataset)
    # always there: a map that moves to another place on the page is mounted anew, without its selection
    with st.container():
        _verdict(run, dataset, choice)
    if not len(maps.rows):
        st.info("The model sees no gene in any of these cells, so there is nothing to draw.")
        return
    names = cell_names(state.workspace().dataset_folder(dataset.id)) if len(maps.rows) <= 20_000 else None
    shown = [names[row] for row in maps.rows] if names is not None else None
    left, right = st.columns(2)
    given = given_on(dataset, maps.rows)
    with left:
        method = ", ".join(
            part for part in ("UMAP", model_name(run), read_depth(run), genes_read(run)) if part
        )
        first = _map(
            "map_model",
            maps.model,
            maps.rows,
            colors=chosen,
            caption=method,
            group=run.id,
            names=shown,
            given=given,
        )
    with right:
        second = _map(
            "map_pca",
            maps.baseline,
            maps.rows,
            colors=chosen,
            caption="UMAP, 50 principal components (baseline)",
            group=run.id,
            names=shown,
            given=given,
        )
    show_selection(dataset, _selected(maps, first, second))


def _map(
    key: str,
    points: NDArray[np.uint16],
    rows: NDArray[np.int64],
    *,
    colors: Coloring,
    caption: str,
    group: str,
    names: list[str] | None,
    given: Sequence[Given],
) -> Selection | None:
    text = " · ".join(part for part in (caption, f"{len(rows):,} cells", colors.look.caption) if part)
    look, codes = replace(colors.look, caption=text), colors.codes[rows]
    selection = cell_map(
        key, points, codes, look=look, height=MAP_HEIGHT, names=names, group=group, given=given
    )
    map_files(points, codes, look, key=key)
    return selection


def _verdict(run: Run, dataset: DatasetInfo, choice: str) -> None:
    """Say how well the neighbors of a cell agree with its label, on both maps."""
    if choice not in dataset.columns_of("label", "batch", "category"):
        return
    found = _agreement(run.id, run.ended, dataset=dataset.id, column=choice)
    if found is None:
        return
    gain, notes = found
    sentence = _of_batches(gain) if choice in dataset.columns_of("batch") else gain.sentence
    st.caption(
        " ".join(escaped(part) for part in (f"By {choice}:", sentence, *notes)),
        help="Each cell is named by the vote of its nearest neighbors; the number is the macro-F1 of these names, "
        "from 0 to 1. It is computed on the vectors, not on the drawn maps. The interval comes from halves of the "
        "cells, drawn again and again; labels of fewer than 5 cells are left out.",
    )


def _of_batches(gain: Gain) -> str:
    """Say how far batches lie apart: more is no gain there."""
    gap = gain.difference
    interval = (
        f" (difference {gap.mean:+.3f}, 95 % interval {gap.low:+.3f} to {gap.high:+.3f})" if gap.known else ""
    )
    return (
        f"{gain.unit} {gain.score:.3f} in the model compared with {gain.baseline_score:.3f} in {gain.baseline} on "
        f"{gain.n:,} {gain.counted}{interval}. Of batches or donors less is better mixed, as far as they hold the "
        "same types."
    )


def _selected(maps: Maps, first: Selection | None, second: Selection | None) -> NDArray[np.int64]:
    """Rows of the dataset that are selected; the two maps show one selection, kept by the one it was drawn on."""
    for selection, points, other in ((first, maps.model, maps.baseline), (second, maps.baseline, maps.model)):
        if selection is not None:
            return maps.rows[selected_rows(selection, points, other)]
    return np.empty(0, dtype=np.int64)
