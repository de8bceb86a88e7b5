"""By what genes are compared, in which cells, and how the graph is cut."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.components.cells_picker import CellChoice, columns_of, pick_cells
from scviz.tasks.modules import GRAPHS, METHODS, SOURCES, Request, Source
from scviz.workspace import CheckpointInfo, DatasetInfo

RESOLUTIONS = (0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 40.0)


def pick_modules(dataset: DatasetInfo, checkpoint: CheckpointInfo | None) -> Request:
    """Let the user choose; without weights there is plain co-expression alone."""
    sources: list[Source] = [*SOURCES] if checkpoint is not None else ["expression"]
    source: Source = st.selectbox(
        "Genes are alike by",
        sources,
        format_func=SOURCES.__getitem__,
        help="Plain co-expression always stands beside what a model gives. The model is the one in the header.",
        key="source",
    )
    with st.popover("Cells", width="stretch"):
        st.caption("All cells unless a column or a group is chosen.")
        choice = pick_cells(dataset) if st.checkbox("Only some cells", key="some_cells") else CellChoice()
    resolution = st.select_slider(
        "Resolution",
        RESOLUTIONS,
        value=1.0,
        help="More makes more and smaller modules. The result shows how firm they are at each; published pipelines "
        "take 5 to 40, which shatters small gene sets.",
        key="resolution",
    )
    fewest_genes = st.number_input(
        "Genes of a module, at least", 2, 500, 5, help="The authors of scGPT take 5.", key="fewest_genes"
    )
    label_key = st.selectbox(
        "Compare scores between",
        [*columns_of(dataset), ""],
        format_func=lambda name: name or "no column",
        help="Known types or states. The column is not read to find the modules.",
        key="label_key",
    )
    with st.popover("Advanced", width="stretch"):
        advanced = _advanced(source)
    return Request(
        dataset=dataset.id,
        checkpoint=checkpoint.id if checkpoint is not None and source != "expression" else "",
        source=source,
        cells=choice.cells,
        group=choice.group,
        group_version=choice.group_version,
        resolution=float(resolution),
        fewest_genes=int(fewest_genes),
        label_key=label_key or None,
        **advanced,
    )


def _advanced(source: Source) -> dict[str, Any]:
    """Offer what most users leave alone."""
    most_genes = st.number_input(
        "Genes", 20, 5000, 1200, 100, help="The most variable ones.", key="most_genes"
    )
    most_cells = st.number_input(
        "Cells",
        40,
        20_000,
        4000,
        500,
        help="More are drawn at random. Half of them make the modules, the others judge them; scores are of all.",
        key="most_cells",
    )
    context_cells = st.number_input(
        "Cells that the model reads",
        5,
        10_000,
        100,
        help="To make a vector of each gene; as many again are read with random weights.",
        key="context_cells",
        disabled=source != "context",
    )
    graph = st.selectbox("Genes are linked by", list(GRAPHS), format_func=GRAPHS.__getitem__, key="graph")
    n_neighbors = st.number_input("Neighbors", 2, 200, 15, key="n_neighbors", disabled=graph == "threshold")
    threshold = st.number_input(
        "Least cosine", 0.05, 1.0, 0.5, 0.05, key="threshold", disabled=graph != "threshold"
    )
    method = st.selectbox("Cut by", list(METHODS), format_func=METHODS.__getitem__, key="method")
    centered = st.checkbox(
        "Subtract the mean vector",
        value=True,
        help="Vectors of models share a large common part, which makes all genes alike. Published work leaves it in.",
        key="centered",
    )
    scaled = st.checkbox("Scores from 0 to 1, as published", key="scaled")
    n_random = st.number_input(
        "Random gene sets",
        20,
        10_000,
        500,
        help="Beside each module; with 500 no p is below 0.002.",
        key="n_random",
    )
    seed = st.number_input("Seed", 0, 9999, 0, key="seed")
    return {
        "most_genes": int(most_genes),
        "most_cells": int(most_cells),
        "context_cells": int(context_cells),
        "graph": graph,
        "n_neighbors": int(n_neighbors),
        "threshold": float(threshold),
        "method": method,
        "centered": centered,
        "scaled": scaled,
        "n_random": int(n_random),
        "seed": int(seed),
    }
