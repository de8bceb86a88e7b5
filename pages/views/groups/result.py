"""What two groups of cells differ in: verdict, one gene at a time, table, volcano, dots, violins, heat map, map."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.components.finished import result_of
from pages.components.job_panel import duration
from pages.components.show import escaped
from pages.components.verdict_box import footer, verdict_box
from pages.components.widgets import tabs
from pages.views.groups.charts import draw_dots, draw_heatmap, draw_map, draw_violins, draw_volcano
from pages.views.groups.gene import chosen_gene, gene_panel
from pages.views.groups.sets import set_links
from pages.views.groups.table import genes_table
from scviz.tasks.group_genes import METHODS, MOST_FDR, Result
from scviz.workspace.database import Run


def groups_result(run: Run) -> None:
    """Show a finished run."""
    result = result_of(run, Result)
    verdict_box(result.outcome, result.verdict, run=run, notes=result.notes)
    if result.donors:
        st.warning(
            escaped(
                f"Cells were counted as replicates though {result.donors} names donors on both sides. To say something "
                "about donors, choose DESeq2 on the left and run again."
            )
        )
    set_links(run, result.sets)
    _explore(run, result)
    _how_it_was_made(run, result)


@st.fragment
def _explore(run: Run, result: Result) -> None:
    """Draw the chosen gene and, under it, where another one is chosen; what is clicked there comes first here."""
    panel = st.container()
    names = ["Genes", "Volcano", "Dot plot", "Violins", "Heat map", "Map"]
    genes, volcano, dots, violins, heat, on_map = tabs(names, key="groups_tabs")
    small_print = f"{footer(run)} · {METHODS[run.request['method']]}"
    with genes:
        genes_table(run, result)
    gene = chosen_gene(run, result.genes)
    with volcano:
        draw_volcano(run, result, small_print, gene=gene)
    with dots:
        draw_dots(result, small_print)
    with violins:
        draw_violins(run, result, small_print, gene=gene)
    with heat:
        draw_heatmap(run, result, small_print)
    with on_map:
        draw_map(run, gene)
    with panel:
        gene_panel(run, result, gene)


def _how_it_was_made(run: Run, result: Result) -> None:
    with st.expander("How it was made"):
        st.caption(
            escaped(
                f"{METHODS[run.request['method']]}; {len(result.genes):,} genes, adjusted p by Benjamini-Hochberg over "
                f"{_adjusted_over(result)}, {100 * MOST_FDR:.0f} % is the bar. Took {duration(result.seconds)}."
            )
        )
        st.caption(
            "Log expression is log1p of counts scaled to the same depth. Log2 fold change compares expm1 of the mean "
            "log expression, with 1e-9 added, as scanpy's rank_genes_groups does; a gene that one side lacks gets a "
            "change of about 30. DESeq2 gives its own, not shrunken. Equal p, such as 0, are sorted by score."
        )


def _adjusted_over(result: Result) -> str:
    """Say over which genes p values were adjusted: DESeq2 leaves out some."""
    n_adjusted = int(np.isfinite(result.adjusted_p).sum())
    if n_adjusted == len(result.genes):
        return "all of them"
    return f"the {n_adjusted:,} of them that DESeq2 does not leave out for few counts or an outlying sample"
