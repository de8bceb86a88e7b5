"""Which maps are drawn, and how: that of a model, and the first one with other settings."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.components import state
from pages.components.first_map import draw_again, finished_overview
from pages.components.frame import PAGES
from pages.components.show import errors_in_words
from pages.components.task_page import hand_in
from pages.components.widgets import Form
from scviz.models import cards
from scviz.tasks import overview
from scviz.tasks.embedding import Request
from scviz.workspace import CheckpointInfo, DatasetInfo
from scviz.workspace.database import Run


def model_form(dataset: DatasetInfo, checkpoint: CheckpointInfo | None, run: Run | None) -> Request | None:
    """Ask how a model reads the cells, and hand in; returns what is asked."""
    st.caption(
        "The model reads each cell, and similar embeddings are placed close together; beside it stands the map of "
        "plain principal components, and a sentence says which of both keeps known types together."
    )
    if checkpoint is None:
        page = PAGES["models"]
        st.page_link(page.file, label="Choose a model first", icon=page.icon, query_params=state.link())
        return None
    form, card = Form(Request, "embedding", run), cards()[checkpoint.model]
    depths = card.read_depths
    read_depth = str(form.column("read_depth", list(depths), names=depths)) if depths else ""
    genes = _variable_genes(form) if card.chooses_genes else {}
    row = st.columns([2, 2, 2, 5], vertical_alignment="bottom")
    with errors_in_words():
        request = Request(
            dataset=dataset.id,
            checkpoint=checkpoint.id,
            read_depth=read_depth,
            n_neighbors=form.number("n_neighbors", row[0]),
            min_dist=form.number("min_dist", row[1]),
            seed=form.number("seed", row[2]),
            **genes,
        )
        with row[3]:
            hand_in("embedding", request, run=run, label="Draw the map", changes_nothing=("batch_size",))
        return request
    return None


def _variable_genes(form: Form) -> dict[str, Any]:
    """Ask which genes are read; the flavor is left alone where all are."""
    row = st.columns([2, 3, 6], vertical_alignment="bottom")
    most = form.number("most_genes", row[0])
    flavor = form.choice("flavor", row[1], disabled=not most)
    return {"most_genes": most, "flavor": flavor} if most else {}


def first_map_form(dataset: DatasetInfo) -> None:
    """Ask for other clusters, or another spacing, of the first map."""
    run = finished_overview(dataset.id)
    if run is None:
        return
    form = Form(overview.Request, "overview", run)
    with st.expander("Clusters and spacing of the first map", icon=":material/tune:", key="first_map_form"):
        row = st.columns(4, vertical_alignment="bottom")
        asked = {
            name: form.number(name, row[at])
            for at, name in enumerate(("resolution", "n_neighbors", "min_dist", "n_genes"))
        }
        row = st.columns(4, vertical_alignment="bottom")
        asked |= {name: form.number(name, row[at]) for at, name in enumerate(("n_components", "seed"))}
        with errors_in_words():
            request = overview.Request(dataset=dataset.id, **asked)
            row[2].button(
                "Draw again", key="draw_first_map", on_click=draw_again, args=(request,), width="stretch"
            )
