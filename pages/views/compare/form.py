"""Which models are compared on the same cells, and by which columns."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pages.components import state
from pages.components.coverage import coverage
from pages.components.published_panel import published_panel
from pages.components.runs import checkpoint_name
from pages.components.show import errors_in_words
from pages.components.task_page import asked_or_missing, hand_in
from pages.components.widgets import Form, told_apart
from scviz.tasks.compare import MOST_CHECKPOINTS, MOST_TYPES, Request
from scviz.tasks.fields import suggested
from scviz.workspace import CheckpointInfo, DatasetInfo
from scviz.workspace.database import Run

CHEAP_MB = 60
"""Weights up to which the same networks with random weights are read, too, without being asked for."""


def compare_form(dataset: DatasetInfo, options: Mapping[str, CheckpointInfo], run: Run | None) -> None:
    """Ask, and hand in.

    Parameters
    ----------
    options
        Checkpoints that read the dataset, by id.
    """
    form = Form(Request, "compare", run)
    groups = {kind: _few(dataset, kind) for kind in ("label", "batch", "category")}
    _begin(form, dataset, options)
    row = st.columns([6, 3, 3])
    checkpoints = row[0].multiselect(
        "Models and checkpoints",
        list(options),
        format_func=told_apart(options, checkpoint_name),
        max_selections=MOST_CHECKPOINTS,
        help="Up to four; principal components of the same cells always come beside them as the baseline.",
        key="compare_checkpoints",
        persist_state="session",
    )
    labels = [*groups["label"], *groups["category"], *groups["batch"]]
    label_key = form.column("label_key", labels, row[1], suggested=suggested(Request, "label_key", dataset))
    others = [c for c in (*groups["batch"], *groups["category"], *groups["label"]) if c != label_key]
    batch_key = form.column("batch_key", others, row[2], suggested=suggested(Request, "batch_key", dataset))
    cheap = all(options[one].size_mb < CHEAP_MB for one in checkpoints if one in options)
    random_weights = form.switch("random_weights", value=cheap)
    row = st.columns([2, 2, 2, 5], vertical_alignment="bottom")
    numbers = {name: form.number(name, row[i]) for i, name in enumerate(("n_neighbors", "min_dist", "seed"))}
    request = asked_or_missing(
        lambda: Request(
            dataset=dataset.id,
            checkpoints=tuple(checkpoints),
            label_key=label_key,
            batch_key=batch_key,
            random_weights=random_weights,
            **numbers,
        )
    )
    with row[3], errors_in_words():
        hand_in("compare", request, run=run)
    published_panel("compare", request, dataset=dataset, checkpoint=state.current_checkpoint())


def _few(dataset: DatasetInfo, kind: str) -> list[str]:
    """List the columns of a kind that have few values."""
    return [c for c in dataset.columns_of(kind) if dataset.column(c).n_values <= MOST_TYPES]


def _begin(form: Form, dataset: DatasetInfo, options: Mapping[str, CheckpointInfo]) -> None:
    """Set what is not a single field: the question of the result beside it, else small models that read most genes."""
    asked = [one for one in form.asked("checkpoints", ()) if one in options] if form.fresh else []
    if asked or state.held("compare_checkpoints") is None:
        state.preset("compare_checkpoints", asked or _suggested(dataset, options))


def _suggested(dataset: DatasetInfo, options: Mapping[str, CheckpointInfo]) -> list[str]:
    """Choose small models, else any, that read more than half of the genes that the best reads."""
    found = {name: coverage(dataset.id, name).n_found for name in options}
    well = [name for name in options if found[name] > max(found.values()) / 2]
    return ([name for name in well if options[name].demo] or well)[:MOST_CHECKPOINTS]
