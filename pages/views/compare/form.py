"""Which models are compared on the same cells, and by which columns."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pages.components import state
from pages.components.runs import checkpoint_name
from pages.components.show import errors_in_words
from pages.components.task_page import hand_in
from pages.components.widgets import Form
from scviz.tasks.compare import MOST_CHECKPOINTS, MOST_TYPES, Request
from scviz.workspace import CheckpointInfo, DatasetInfo
from scviz.workspace.database import Run


def compare_form(dataset: DatasetInfo, options: Mapping[str, CheckpointInfo], run: Run | None) -> None:
    """Ask, and hand in.

    Parameters
    ----------
    options
        Checkpoints that read the dataset, by id.
    """
    form = Form(Request, "compare", run)
    if form.fresh:
        state.preset("compare_checkpoints", [one for one in form.asked("checkpoints") if one in options])
    demos = [name for name, info in options.items() if info.demo]
    if state.held("compare_checkpoints") is None:
        state.preset("compare_checkpoints", (demos or list(options))[:MOST_CHECKPOINTS])
    groups = {
        kind: [c for c in dataset.columns_of(kind) if dataset.column(c).n_values <= MOST_TYPES]
        for kind in ("label", "batch", "category")
    }
    row = st.columns([6, 3, 3])
    checkpoints = row[0].multiselect(
        "Models and checkpoints",
        list(options),
        format_func=checkpoint_name,
        max_selections=MOST_CHECKPOINTS,
        help="Up to four; principal components of the same cells always come beside them as the baseline.",
        key="compare_checkpoints",
        persist_state="session",
    )
    label_key = form.column("label_key", [*groups["label"], *groups["category"], *groups["batch"]], row[1])
    others = [c for kind in ("batch", "category", "label") for c in groups[kind] if c != label_key]
    if not groups["batch"] and state.held(form.key("batch_key")) is None:
        state.preset(form.key("batch_key"), "")
    batch_key = form.column("batch_key", others, row[2])
    row = st.columns([2, 2, 2, 5], vertical_alignment="bottom")
    with errors_in_words():
        request = Request(
            dataset=dataset.id,
            checkpoints=tuple(checkpoints),
            label_key=label_key,
            batch_key=batch_key,
            n_neighbors=form.number("n_neighbors", row[0]),
            min_dist=form.number("min_dist", row[1]),
            seed=form.number("seed", row[2]),
        )
        with row[3]:
            hand_in("compare", request, run=run)
