"""What a search for gene modules found: verdict, methods beside each other, modules, network, types, map, stability."""

from __future__ import annotations

import streamlit as st

from pages.components.finished import result_of
from pages.components.gene_of_network import network_of_run
from pages.components.job_panel import duration
from pages.components.score_map import score_map
from pages.components.verdict_box import footer, verdict_box
from pages.components.widgets import tabs
from pages.views.modules.scores import draw_types, scores_of_cells
from pages.views.modules.stability import draw_stability
from pages.views.modules.tables import linked_gene, methods_table, modules_table
from scviz.tasks.modules import SOURCES, Result
from scviz.workspace.database import Run

TABS = ("Modules", "Network", "Types", "Map", "Stability", "Cells")


def modules_result(run: Run) -> None:
    """Show a finished run."""
    result = result_of(run, Result)
    verdict_box(result.outcome, result.verdict, run=run, notes=result.notes)
    small_print = " · ".join((footer(run), SOURCES[result.source]))
    linked_gene(run, result)
    methods_table(result)
    if not result.modules:
        st.info(
            "No module is large enough. Lower the resolution, link more neighbors, or allow smaller modules."
        )
        draw_stability(run, result, small_print)
    else:
        modules, network, types, on_map, firm, cells = tabs(TABS, key="modules_tabs")
        with modules:
            modules_table(run, result)
        with network:
            network_of_run(run, result.drawing, key="network", name="module_network", footer=small_print)
        with types:
            draw_types(result, small_print)
        with on_map:
            names = [one.name for one in result.modules]
            score_map(run, names, result.scores, label="Module", title="score", key="module")
        with firm:
            draw_stability(run, result, small_print)
        with cells:
            scores_of_cells(run, result)
    _how_it_was_made(run, result)


def _how_it_was_made(run: Run, result: Result) -> None:
    with st.expander("How it was made"):
        st.caption(
            f"{len(result.genes):,} genes, those whose counts vary most beyond depth and chance (Pearson residuals). "
            f"{result.n_found:,} cells to find modules, {result.n_held_out:,} others to judge them. Seed "
            f"{int(run.request.get('seed', 0))}. Took {duration(result.seconds)}."
        )
        st.caption(
            "Score: mean expression (log1p of scaled counts) of the module less that of control genes, 50 from "
            "each of 25 bins of expression in which it has genes (scanpy's score_genes, seed 0)"
            + (", stretched from 0 to 1 over cells." if result.scaled else ".")
        )
        st.caption(
            "Genes that a model puts together need not be regulated together: vectors also say which genes are "
            "measured alike, or expressed as strongly."
        )
