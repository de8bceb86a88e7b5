"""By which reference cells are named, and in which ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pages.components import state
from pages.components.coverage import readable
from pages.components.missing import Missing
from pages.components.runs import checkpoint_name
from pages.components.show import escaped
from pages.components.widgets import Form, pick, told_apart
from scviz.tasks.annotation import Request as Learning
from scviz.tasks.fields import suggested
from scviz.tasks.transfer import MOST_CHECKPOINTS, Request
from scviz.tasks.transfer.references import Kept, damaged_references, references
from scviz.workspace import CheckpointInfo, DatasetInfo
from scviz.workspace.database import Run

REFERENCE, MODELS = "transfer_reference", "transfer_checkpoints"


def reads_a_model(request: Request) -> bool:
    """Tell whether time and memory are worth an estimate: without a model it takes seconds."""
    return bool(request.checkpoints)


def reference_form(dataset: DatasetInfo, _: CheckpointInfo | None, run: Run | None) -> Request | Missing:
    """Ask for a reference, and, under Advanced, for what is compared with the plain methods."""
    for sentence in damaged_references(state.workspace()):
        st.warning(escaped(f"{sentence} It is left out of the list."))
    kept = {one.id: one for one in references(state.workspace())}
    others = {
        one.id: one
        for one in state.workspace().datasets()
        if one.id != dataset.id and one.columns_of("label", "category")
    }
    form = Form(Request, "transfer", run)
    _begin(form)
    reference = pick(
        "Reference",
        [*kept, *others],
        key=REFERENCE,
        words=lambda one: kept[one].reference.name if one in kept else f"{others[one].name} (dataset)",
        help="One that comes with scviz, a classifier that you saved, or any labeled dataset that is open.",
    )
    if reference in kept:
        return _by_kept(dataset, form, kept[reference])
    return _by_dataset(dataset, form, others[reference])


def _begin(form: Form) -> None:
    """Set what the page draws itself to the question of the result beside it."""
    if form.fresh:
        state.preset(REFERENCE, form.asked("reference", ""))
        state.preset(MODELS, list(form.asked("checkpoints", ())))


def _by_kept(dataset: DatasetInfo, form: Form, kept: Kept) -> Request:
    known = kept.reference
    st.caption(escaped(f"{known.description} Types: {', '.join(known.types)}."))
    taught = {rule.checkpoint for rule in known.rules if rule.checkpoint}
    models = {info.id: info for info in readable(dataset) if info.id in taught}
    with st.expander("Advanced"):
        chosen = _pick_models(models) if models else ()
        seed = form.number("seed")
    return Request(
        dataset=dataset.id, reference=kept.id, reference_version=kept.version, checkpoints=chosen, seed=seed
    )


def _by_dataset(dataset: DatasetInfo, form: Form, reference: DatasetInfo) -> Request:
    columns = reference.columns_of("label", "category", "batch")
    found = suggested(Learning, "label_key", reference)
    label_key = str(form.column("label_key", columns, suggested=found, needed=True))
    groups = [name for name in reference.columns_of("batch", "category") if name != label_key]
    asked: dict[str, Any] = {"label_key": label_key, "group_key": form.column("group_key", groups)}
    with st.expander("Advanced"):
        asked["checkpoints"] = _pick_models({info.id: info for info in readable(dataset)})
        asked["harmony"] = form.switch("harmony")
        asked["tuning"] = form.choice("tuning", disabled=not asked["checkpoints"])
        asked |= {name: form.number(name) for name in ("test_fraction", "seed")}
    return Request(dataset=dataset.id, reference=reference.id, **asked)


def _pick_models(models: Mapping[str, CheckpointInfo]) -> tuple[str, ...]:
    held: Sequence[str] = state.held(MODELS) or ()
    if any(one not in models for one in held):
        state.preset(MODELS, [one for one in held if one in models])
    chosen = st.multiselect(
        "Models",
        list(models),
        format_func=told_apart(models, lambda one: checkpoint_name(one)),
        max_selections=MOST_CHECKPOINTS,
        help="Their cell vectors name the cells, too, learned from the same cells as the plain methods and judged on "
        "the same others.",
        key=MODELS,
        persist_state="session",
    )
    return tuple(chosen)
