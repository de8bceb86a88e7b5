"""Which screen is predicted, how it is divided, and by which methods."""

from __future__ import annotations

import streamlit as st

from pages.components import state
from pages.components.missing import Missing
from pages.components.screen_picker import ask_for_more, pick_screen
from pages.components.widgets import Form
from pages.views.perturb.methods import pick_methods, what_each_can_predict
from pages.views.perturb.split import pick_split
from scviz.tasks.perturbation import Request
from scviz.workspace import CheckpointInfo, DatasetInfo
from scviz.workspace.database import Run


def perturb_form(
    dataset: DatasetInfo, checkpoint: CheckpointInfo | None, run: Run | None
) -> Request | Missing:
    """Ask; what is missing where the dataset is no screen, or nothing would be left to judge by."""
    form = Form(Request, "perturbation", run)
    choice = pick_screen(dataset, form)
    if isinstance(choice, Missing):
        return choice
    split_place, methods_place, asked_place = st.container(), st.container(), st.container()
    with st.popover("Advanced", width="stretch"):
        terms = _terms(form)
        split_seed = form.number("split_seed")
        numbers = {name: form.number(name) for name in ("most_genes", "epochs", "seed")}
        switches = {name: form.switch(name) for name in ("independent_controls", "cell_eval")}
    with methods_place:
        methods = pick_methods(dataset, checkpoint, form, terms=terms)
    with asked_place:
        asked = ask_for_more(dataset, choice, form)
    with split_place:
        picked = pick_split(dataset, choice, form, seed=split_seed)
    if isinstance(picked, Missing):
        return picked
    what_each_can_predict(dataset, methods, picked.split, asked=asked, terms=terms)
    return Request(
        dataset=dataset.id,
        column=choice.column,
        control=choice.control,
        methods=methods,
        split=picked.kind,
        split_seed=split_seed,
        held_out=picked.split.test if picked.kind == "own" else (),
        stop_by=picked.split.validation if picked.kind == "own" else (),
        terms=terms,
        predict_also=asked,
        **numbers,
        **switches,
    )


def _terms(form: Form) -> str:
    """Let the user choose gene annotations; the first are chosen to begin with."""
    collections = [info.id for info in state.workspace().terms()]
    if collections and state.held(form.key("terms")) is None:
        state.preset(form.key("terms"), collections[0])
    return form.column("terms", collections) or ""
