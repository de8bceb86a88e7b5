"""Which model learns from the cells, new or from a checkpoint that is here."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.components import state
from pages.components.coverage import readable
from pages.components.runs import checkpoint_name
from pages.components.widgets import Form, told_apart
from scviz.models import cards, configurations
from scviz.tasks.pretraining import Request
from scviz.workspace import CheckpointInfo, DatasetInfo
from scviz.workspace.database import Run

STARTS = {"new": "New model", "checkpoint": "Checkpoint here"}
RATES = {"new": 1e-3, "checkpoint": 1e-4}


def pretrain_form(dataset: DatasetInfo, _: CheckpointInfo | None, run: Run | None) -> Request:
    """Ask."""
    known = {info.id: info for info in readable(dataset)}
    form = Form(Request, "pretraining", run)
    if form.fresh:
        _preset(form, known)
    start = st.segmented_control(
        "Start from",
        list(STARTS) if known else ["new"],
        format_func=STARTS.__getitem__,
        default="new",
        required=True,
        help="A new model knows nothing yet, and its genes are those of your cells. A checkpoint that is here goes on "
        "with what it has learned, and keeps its genes.",
        key="pretraining_start",
        width="stretch",
    )
    _suit_learning_rate(form, start or "new")
    chosen, suggested = _new_model(dataset) if start == "new" else _going_on(known)
    name = st.text_input("Name of the new checkpoint", placeholder=suggested, key="pretraining_name")
    epochs = form.number("epochs")
    _suggest_rate(form, start or "new")
    with st.expander("Advanced"):
        return Request(
            dataset=dataset.id,
            **chosen,
            name=(name or "").strip() or suggested,
            epochs=epochs,
            batch_size=form.number("batch_size"),
            learning_rate=form.number("learning_rate"),
            validation_fraction=form.number("validation_fraction"),
            seed=form.number("seed"),
        )


def _suggest_rate(form: Form, start: str) -> None:
    """Set the learning rate anew when the start changes: what has learned much wants small steps."""
    before = state.kept("pretraining_rate_of")
    state.keep("pretraining_rate_of", start)
    if before not in (None, start) and not form.fresh:
        state.preset(form.key("learning_rate"), RATES[start])


def _preset(form: Form, known: dict[str, CheckpointInfo]) -> None:
    """Set what the form draws itself to the question of the result beside it."""
    first = form.asked("checkpoint")
    if first in known:
        state.preset("pretraining_start", "checkpoint")
        state.preset("pretraining_first", first)
    elif not first:
        state.preset("pretraining_start", "new")
        state.preset("pretraining_model", form.asked("model", "geneformer"))
        state.preset(f"pretraining_configuration_{form.asked('model')}", form.asked("configuration", "demo"))
    state.preset("pretraining_name", form.asked("name", ""))


def _suit_learning_rate(form: Form, start: str) -> None:
    """Begin with the rate that suits the start, unless somebody typed another."""
    key = form.key("learning_rate")
    if state.held(key) in (None, *RATES.values()) and not form.fresh:
        state.preset(key, RATES[start])


def _new_model(dataset: DatasetInfo) -> tuple[dict[str, Any], str]:
    """Choose a model and its size; also give a name."""
    titles = {name: card.title for name, card in cards().items()}
    if state.held("pretraining_model") is None:
        linked = state.from_link("model")
        if linked and linked not in titles:
            state.left_out(f"scviz has no model called {linked[:80]}, which the link asks for.")
        state.preset("pretraining_model", linked if linked in titles else "geneformer")
    model = st.selectbox("Model", list(titles), format_func=titles.__getitem__, key="pretraining_model")
    shapes = configurations(model)
    if state.held(f"pretraining_configuration_{model}") is None:
        state.preset(f"pretraining_configuration_{model}", "demo" if "demo" in shapes else next(iter(shapes)))
    configuration = st.selectbox(
        "Size",
        list(shapes),
        format_func=lambda name: f"{name} · {shapes[name]}",
        help="The last ones are as large as the published networks: they ask for a GPU and a million cells.",
        key=f"pretraining_configuration_{model}",
    )
    return {"model": model, "configuration": configuration}, f"{titles[model]} on {dataset.name}"


def _going_on(known: dict[str, CheckpointInfo]) -> tuple[dict[str, Any], str]:
    """Choose a checkpoint to go on from; also give a name."""
    first = st.selectbox(
        "Checkpoint", list(known), format_func=told_apart(known, checkpoint_name), key="pretraining_first"
    )
    return {"checkpoint": first}, f"{known[first].name}, further"
