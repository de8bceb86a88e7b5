"""Which map of the cells is drawn, and how."""

from __future__ import annotations

import streamlit as st

from pages.components.show import errors_in_words
from pages.components.task_page import hand_in
from pages.components.widgets import Form
from scviz.models import cards
from scviz.tasks.embedding import Request
from scviz.workspace import CheckpointInfo, DatasetInfo
from scviz.workspace.database import Run


def explore_form(dataset: DatasetInfo, checkpoint: CheckpointInfo, run: Run | None) -> None:
    """Ask, and hand in."""
    form, depths = Form(Request, "embedding", run), cards()[checkpoint.model].read_depths
    read_depth = str(form.column("read_depth", list(depths), names=depths)) if depths else ""
    row = st.columns([2, 2, 2, 5], vertical_alignment="bottom")
    with errors_in_words():
        request = Request(
            dataset=dataset.id,
            checkpoint=checkpoint.id,
            read_depth=read_depth,
            n_neighbors=form.number("n_neighbors", row[0]),
            min_dist=form.number("min_dist", row[1]),
            seed=form.number("seed", row[2]),
        )
        with row[3]:
            hand_in("embedding", request, run=run, label="Draw the map", changes_nothing=("batch_size",))
