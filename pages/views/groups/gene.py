"""The gene that is looked at: its numbers, and one click to all that can be done with it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from pages.components import state
from pages.components.show import escaped
from scviz.tasks.group_genes import Result
from scviz.workspace.database import Run

LINKS = (
    ("pages/explore.py", "Color the map by it", ":material/scatter_plot:", "gene"),
    ("pages/in_silico.py", "Knock it out", ":material/genetics:", "gene"),
    ("pages/modules.py", "Modules", ":material/bubble_chart:", "gene"),
)


def chosen_gene(run: Run, genes: Sequence[str]) -> str:
    """Return the gene that was clicked or typed last; the first one to begin with."""
    kept = state.kept(_key(run))
    return kept if kept is not None and kept in genes else genes[0]


def choose_gene(run: Run, gene: str) -> None:
    """Look at a gene; for callbacks."""
    state.keep(_key(run), gene)


def _key(run: Run) -> str:
    return f"group_gene_{run.id}"


def gene_panel(run: Run, result: Result, gene: str) -> None:
    """Show the numbers of a gene, and lead to where it can be gone on with."""
    i = result.genes.index(gene)
    a, b = result.names
    with st.container(border=True, key="group_gene"):
        st.markdown(
            f"**{escaped(gene)}** · log2 fold change {result.log2_fold_change[i]:+.2f}, adjusted p "
            f"{written_p(float(result.adjusted_p[i]))} · expressed by {100 * result.share_a[i]:.0f} % of {escaped(a)} "
            f"and {100 * result.share_b[i]:.0f} % of {escaped(b)}"
        )
        gene_links(run, gene)


def gene_links(run: Run, gene: str) -> None:
    """Lead to the pages that can do something with a gene."""
    link = state.link() | {"dataset": run.request["dataset"]}
    with st.container(horizontal=True, gap="medium", key="group_gene_links"):
        for page, label, icon, name in LINKS:
            st.page_link(page, label=label, icon=icon, query_params={**link, name: gene})
        st.page_link(
            "pages/enrich.py",
            label="Sets that hold it",
            icon=":material/category_search:",
            query_params={**link, "genes": gene},
        )


def written_p(p: float) -> str:
    """Write a p value; 0 is what no number is small enough for.

    Examples
    --------
    >>> written_p(0.03), written_p(1e-40), written_p(0.0), written_p(float("nan"))
    ('0.03', '1e-40', 'below 1e-300', 'not tested')
    """
    if np.isnan(p):
        return "not tested"
    return "below 1e-300" if p == 0 else f"{p:.2g}"
