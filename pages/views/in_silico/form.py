"""Which genes of which cells, and what is done to them."""

from __future__ import annotations

from typing import get_args

import streamlit as st

from pages.components import state
from pages.components.cells_picker import (
    cells_as_asked,
    columns_of,
    goal_as_asked,
    narrow,
    pick_cells,
    pick_goal,
)
from pages.components.genes_picker import seen_in
from pages.components.missing import MODELS, Missing, missing_genes
from pages.components.runs import finished_map
from pages.components.widgets import Form
from pages.views.in_silico.gene_set import TYPED, pick_genes_or_set, take_set_from_address
from scviz.models import cards
from scviz.tasks.fields import suggested
from scviz.tasks.in_silico import Kind, Request
from scviz.workspace import CheckpointInfo, DatasetInfo
from scviz.workspace.database import Run

SCOPES = {"together": "All at once", "each": "One by one", "all": "Every gene"}


def in_silico_form(
    dataset: DatasetInfo, checkpoint: CheckpointInfo | None, run: Run | None
) -> Request | Missing:
    """Ask; what is missing where no gene is chosen."""
    if checkpoint is None:
        return Missing(reason="No weights are here.", page=MODELS, label="Choose a model")
    form = Form(Request, "in_silico", run)
    _as_asked(form, dataset)
    take_set_from_address(dataset)
    choice = pick_cells(dataset)
    row = st.columns(2)
    kinds = [kind for kind in get_args(Kind) if kind in cards()[checkpoint.model].edits]
    kind = form.choice("kind", row[0], options=kinds)
    scope = row[1].selectbox(
        "Genes",
        list(SCOPES),
        format_func=SCOPES.__getitem__,
        help="One by one is a sweep: it ranks the genes, and shows the ranking while it runs.",
        key="scope",
        persist_state="session",
    )
    genes_place = st.container()
    goal = pick_goal(dataset, form)
    with st.popover("Advanced", width="stretch"):
        choice = narrow(dataset, choice)
        share = form.number("share", disabled=kind != "knockdown")
        types = suggested(Request, "label_key", dataset)
        label_key = form.column("label_key", columns_of(dataset), suggested=types)
        most_cells = form.number("most_cells")
        n_random = form.number("n_random")
        random_cells = form.number("random_cells")
        n_exact = form.number("n_exact", disabled=scope != "all")
        statistics = form.choice("statistics")
        seed = form.number("seed")
    seen = seen_in(dataset, checkpoint, choice, most_cells=most_cells, seed=seed)
    with genes_place:
        genes = () if scope == "all" else pick_genes_or_set(dataset, seen, kind)
    if not genes and scope != "all":
        if not len(seen.editable(kind)):
            return missing_genes(
                dataset, f"{checkpoint.name} knows none of the genes that these cells express."
            )
        return Missing(reason="No gene was selected. Type one above.")
    request = Request(
        dataset=dataset.id,
        checkpoint=checkpoint.id,
        genes=genes,
        all_genes=scope == "all",
        together=scope != "each",
        kind=kind,
        share=share,
        cells=choice.cells,
        group=choice.group,
        group_version=choice.group_version,
        most_cells=most_cells,
        goal=goal,
        label_key=label_key,
        n_random=n_random,
        random_cells=random_cells,
        n_exact=n_exact,
        statistics=statistics,
        map_run=finished_map(dataset.id, checkpoint.id),
        seed=seed,
    )
    if not request.map_run and not request.sweep:
        st.caption(
            "These weights have no map of these cells yet. One is drawn for the arrows of this run; with a map from "
            "Explore all runs share one, and are faster."
        )
        link = state.link()
        st.page_link("pages/explore.py", label="Draw it", icon=":material/scatter_plot:", query_params=link)
    return request


def _as_asked(form: Form, dataset: DatasetInfo) -> None:
    """Set the widgets that are drawn by hand to the question of a result that is shown for the first time."""
    if not form.fresh:
        return
    every, together = form.asked("all_genes", default=False), form.asked("together", default=True)
    state.preset("scope", "all" if every else "together" if together else "each")
    state.preset("genes", list(form.asked("genes", ())))
    state.preset("genes_from", TYPED)
    cells_as_asked(form, dataset)
    goal_as_asked(form)
