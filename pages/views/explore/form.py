"""Which map of the cells is drawn, and how."""

from __future__ import annotations

from typing import Any

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


def _variable_genes(form: Form) -> dict[str, Any]:
    """Ask which genes are read; the flavor is left alone where all are."""
    row = st.columns([2, 3, 6], vertical_alignment="bottom")
    most = form.number("most_genes", row[0])
    flavor = form.choice("flavor", row[1], disabled=not most)
    return {"most_genes": most, "flavor": flavor} if most else {}
