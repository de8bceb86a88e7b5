"""Which cells teach which names, and how; or that the weights know names already."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.components import state
from pages.components.coverage import readable
from pages.components.missing import EXPLORE, Missing
from pages.components.show import escaped
from pages.components.widgets import Form
from pages.views.annotate.split import pick_own_split
from scviz.metrics.evidence import counted
from scviz.models import cards
from scviz.tasks.annotation import MODES, TRAINED, Request
from scviz.tasks.fields import suggested
from scviz.workspace import CheckpointInfo, DatasetInfo
from scviz.workspace.database import Run

TYPES_SHOWN = 12
CHEAP_MB = 60
"""Weights up to which the same network with random weights is read, too, without being asked for."""


def annotate_form(
    dataset: DatasetInfo, checkpoint: CheckpointInfo | None, run: Run | None
) -> Request | Missing:
    """Ask; what is missing where no column can name types and the weights know none."""
    labels = dataset.columns_of("label", "category", "batch")
    if checkpoint is None or not (labels or checkpoint.types):
        return _no_types(dataset)
    form = Form(Request, "annotation", run)
    mode = _pick_mode(form, checkpoint, trains=bool(labels))
    types = suggested(Request, "label_key", dataset)
    label_key = str(form.column("label_key", labels, suggested=types, needed=mode in TRAINED) or "")
    asked: dict[str, Any] = {"label_key": label_key, "mode": mode}
    if mode in TRAINED:
        asked |= _training(form, dataset, checkpoint, label_key=label_key, mode=mode)
    else:
        st.caption(_known_types(checkpoint))
        asked["unassigned_below"] = form.number("unassigned_below")
    return Request(dataset=dataset.id, checkpoint=checkpoint.id, **asked)


def _no_types(dataset: DatasetInfo) -> Missing:
    return Missing(
        reason="No column of this dataset looks like cell types, and this checkpoint knows none. Take names from "
        "a reference (above), name groups on the map, open a file with labels, or import a checkpoint that was "
        "fine-tuned on cell types.",
        page=EXPLORE,
        label="Name groups on the map",
        checkpoints=[info for info in readable(dataset) if info.types],
    )


def _pick_mode(form: Form, checkpoint: CheckpointInfo, *, trains: bool) -> str:
    """Offer what these weights can do; those that know types begin with predicting."""
    modes = [mode for mode in MODES if (trains if mode in TRAINED else checkpoint.types)]
    met = f"annotate_{checkpoint.id}"
    if checkpoint.types and not state.kept(met) and not form.fresh:
        state.preset(form.key("mode"), "predict")
    state.keep(met, "met")
    return str(form.choice("mode", options=modes))


def _known_types(checkpoint: CheckpointInfo) -> str:
    shown = ", ".join(checkpoint.types[:TYPES_SHOWN])
    more = len(checkpoint.types) - TYPES_SHOWN
    return escaped(
        f"{checkpoint.name} names {counted(len(checkpoint.types), 'type')}: {shown}"
        + (f" and {more} more." if more > 0 else ". Nothing is trained.")
    )


def _training(
    form: Form, dataset: DatasetInfo, checkpoint: CheckpointInfo, *, label_key: str, mode: str
) -> dict[str, Any]:
    """Ask how the types are learned, and what is held out."""
    if mode == "published":
        st.caption(escaped(cards()[checkpoint.model].fine_tuning))
    hold_out = st.container()
    with st.expander("Advanced"):
        own = pick_own_split(dataset, form)
        numbers = {name: form.number(name) for name in ("test_fraction", "epochs", "batch_size")}
        numbers["learning_rate"] = form.number("learning_rate")
        others = {
            "pooling": form.choice("pooling"),
            "balanced": form.switch("balanced"),
            "random_weights": form.switch(
                "random_weights", value=checkpoint.size_mb < CHEAP_MB, disabled=mode != "head"
            ),
            "seed": form.number("seed"),
            "seeds": form.number("seeds"),
            "folds": form.number("folds", disabled=bool(own)),
            **{name: form.number(name) for name in ("calibration_fraction", "coverage")},
            "sets": form.choice("sets"),
            "novelty": form.switch("novelty"),
        }
        if own:
            others["folds"] = 0
    groups = [name for name in dataset.columns_of("batch", "category") if name != label_key]
    group_key = form.column("group_key", groups, hold_out, disabled=bool(own))
    return {"group_key": None if own else group_key, **own, **numbers, **others}
