"""What differs between two conditions: what is found, shares of types, changed genes, one gene."""

from __future__ import annotations

import streamlit as st

from pages.components.finished import result_of
from pages.components.job_panel import duration
from pages.components.verdict_box import verdict_box
from pages.components.widgets import tabs
from pages.views.conditions.genes import draw_genes
from pages.views.conditions.one_gene import draw_one_gene
from pages.views.conditions.shares import draw_shares
from scviz.tasks.conditions import Request, Result
from scviz.workspace.database import Run
from scviz.workspace.records import from_json


def conditions_result(run: Run) -> None:
    """Show a finished run."""
    result, request = result_of(run, Result), from_json(Request, run.request)
    verdict_box(result.genes_outcome, result.genes_verdict, run=run)
    verdict_box(result.outcome, result.verdict, run=run, notes=result.notes)
    names = ["Shares of types", "Changed genes", "One gene"]
    shares, genes, one = tabs(names, key="conditions_tabs")
    with shares:
        draw_shares(run, result)
    with genes:
        draw_genes(run, request, result)
    with one:
        draw_one_gene(run, request, result)
    st.caption(f"Took {duration(result.seconds)}.")
