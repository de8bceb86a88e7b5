"""Changed genes: how many in each type, with all cells and with equally many, and which."""

from __future__ import annotations

import dataclasses

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.digits import HUNDREDTH, SMALL
from pages.components.frame import PAGES
from pages.components.question_link import LINK, question_text
from pages.components.show import escaped, figure, table
from pages.components.verdict_box import footer
from pages.components.widgets import pick
from scviz.metrics.evidence import counted
from scviz.plots.conditions import changed_genes_figure
from scviz.tasks import group_genes
from scviz.tasks.cell_groups import CellGroup
from scviz.tasks.conditions import MOST_KEPT, N_DRAWS, Request, Result
from scviz.tasks.conditions.verdict import HOW_GENES
from scviz.tasks.filters import Filter
from scviz.workspace.database import Run


def draw_genes(run: Run, request: Request, result: Result) -> None:
    """Draw how many genes of each type change, and name those of one type."""
    compared = sorted((one for one in result.genes if not one.reason), key=lambda one: -one.n_changed)
    if compared:
        drawing = changed_genes_figure(
            [one.n_changed for one in compared],
            [one.n_equal for one in compared],
            types=[one.type for one in compared],
            n_equal=result.equal_cells,
            dark=state.dark(),
        )
        figure(
            drawing,
            key="changed",
            name="changed_genes_by_type",
            alt="Number of changed genes of each type, with all cells and with equally many in each sample",
            height=130 + 46 * len(compared),
            footer=footer(run),
        )
    _table(result)
    st.caption(escaped(HOW_GENES))
    if compared:
        type_ = pick("Type", [one.type for one in compared], key="conditions_genes_type")
        _genes(request, result, type_)


def _table(result: Result) -> None:
    first, second = result.names
    rows = []
    for one in sorted(result.genes, key=lambda one: (bool(one.reason), -one.n_changed)):
        known = not one.reason
        low, high = one.equal_range
        rows.append(
            {
                "Type": one.type,
                "Changed": one.n_changed if known else None,
                "Higher": one.n_higher if known else None,
                "Lower": one.n_lower if known else None,
                "Tested": one.n_tested if known else None,
                f"With {counted(result.equal_cells, 'cell')}": one.n_equal if known else None,
                f"in {N_DRAWS} draws": f"{low:,} to {high:,}" if known else "",
                "Swapped": one.n_swapped if known else None,
                f"Donors {first}": one.n_donors[0],
                f"Donors {second}": one.n_donors[1],
                f"Cells {first}": one.n_cells[0],
                f"Cells {second}": one.n_cells[1],
                "Why not": one.reason,
            }
        )
    frame = pd.DataFrame(rows)
    if not frame["Why not"].any():
        frame = frame.drop(columns="Why not")
    table(frame, key="changed_table", name="changed_genes_by_type")


def _genes(request: Request, result: Result, type_: str) -> None:
    (one,) = [one for one in result.genes if one.type == type_]
    frame = pd.DataFrame([dataclasses.asdict(gene) for gene in one.first])
    if frame.empty:
        st.caption("No gene has enough counts to be tested.")
        return
    frame.columns = ["Gene", f"Log2 change in {result.names[0]}", "p", "Adjusted p"]
    digits = {frame.columns[1]: HUNDREDTH, "p": SMALL, "Adjusted p": SMALL}
    table(frame, key="first_genes", name="genes_of_a_type", column_config=digits, height=320)
    if one.n_tested > MOST_KEPT:
        st.caption(f"The first {MOST_KEPT} of {one.n_tested:,} tested genes.")
    _to_groups(request, type_)


def _to_groups(request: Request, type_: str) -> None:
    """Lead to all genes of this type on the page of groups, with the question in the address."""
    groups = [CellGroup(column=request.condition_key, value=name) for name in (request.first, request.second)]
    asked = group_genes.Request(
        dataset=request.dataset,
        a=groups[0],
        b=groups[1],
        within=(Filter(column=request.type_key, values=(type_,)),),
        method="deseq2",
        donor=request.donor_key,
        same_donors=request.same_donors,
    )
    page = PAGES["groups"]
    st.page_link(
        page.file,
        label="All genes of this type, with figures",
        icon=page.icon,
        query_params={**state.link(), LINK: question_text("group_genes", asked)},
    )
