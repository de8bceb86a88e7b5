"""What maps say in numbers: labels on a model's map compared with its baseline, clusters, how they were made."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.components import state
from pages.components.embeddings import Embedding
from pages.components.export import annotated_file
from pages.components.frame import PAGES
from pages.components.show import escaped
from scviz.datasets.labels import cell_labels
from scviz.jobs import shipped
from scviz.metrics.evidence import Gain
from scviz.metrics.neighbors import agreement_gain
from scviz.tasks.cell_groups import has_clusters
from scviz.workspace import DatasetInfo
from scviz.workspace.records import read_array, read_value

MOST_TYPES = 200
"""With more categories than this, agreement with neighbors says little."""


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


def of_models(dataset: DatasetInfo, chosen: Sequence[Embedding], choice: str) -> None:
    """Say of each model whose map is shown how well the neighbors of a cell agree with its label."""
    if choice not in dataset.columns_of("label", "batch", "category"):
        return
    for run_id, ended in dict.fromkeys((one.run, one.ended) for one in chosen if one.of_model):
        found = _agreement(run_id, ended, dataset=dataset.id, column=choice)
        if found is not None:
            _sentence(dataset, choice, found)


def _sentence(dataset: DatasetInfo, choice: str, found: tuple[Gain, tuple[str, ...]]) -> None:
    gain, notes = found
    sentence = _of_batches(gain) if choice in dataset.columns_of("batch") else gain.sentence
    sentence = sentence.replace("whether The", "whether the")
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


def how_made(shown: Sequence[Embedding]) -> None:
    """Say what the clusters are and how maps were made, a line for each run; and offer its results as a file."""
    drawn = [one for one in shown if one.run]
    for run_id in dict.fromkeys(one.run for one in drawn):
        for text in _said(run_id):
            st.caption(escaped(text))
        _ask_for_markers(run_id)
    if not drawn:
        return
    with st.expander("Save"):
        first = next((one for one in drawn if one.of_model), drawn[0])
        if first.of_model:
            st.write("The embedding and its map, written into a copy of the file as `obsm`:")
        else:
            st.write("The clusters, principal components and the map, written into a copy of the file:")
        annotated_file(state.queue().get(first.run))


def _ask_for_markers(run_id: str) -> None:
    """Lead to the genes that tell the clusters of a run apart, where it has clusters."""
    if has_clusters(state.queue().get(run_id).task):
        st.page_link(
            PAGES["groups"].file,
            label="Markers of these clusters, and names for them",
            icon=PAGES["groups"].icon,
            query_params=state.link() | {"markers_of": run_id},
        )


def _said(run_id: str) -> list[str]:
    """Return the sentences of the run of a map: what it found, and how; of one that came with scviz, that it did."""
    folder = state.workspace().run_folder(run_id) / "result"
    came = shipped.how_made(state.queue().get(run_id))
    return [
        *filter(None, [read_value(folder, "verdict")]),
        *(read_value(folder, "notes") or ()),
        *filter(None, [came]),
    ]
