"""The card of a dataset that is open: what it is, what was done to it, which weights read it."""

from __future__ import annotations

import streamlit as st

from pages.components import state
from pages.components.coverage import coverage_bar
from pages.components.frame import PAGES
from pages.components.show import download, escaped
from pages.components.steps import past_steps
from pages.components.trash import offer_delete
from pages.views.data.columns import columns_table
from scviz.datasets.columns import cell_column, gene_identifiers
from scviz.datasets.labels import Alike, alike_labels
from scviz.datasets.orthologs import SOURCE, HumanGenes, mouse_to_human
from scviz.metrics.evidence import counted
from scviz.tasks import mending
from scviz.workspace import DatasetInfo
from scviz.workspace.csv_files import csv_text

KINDS = {
    "symbol": "gene symbols",
    "ensembl": "Ensembl ids",
    "mixed": "symbols and Ensembl ids",
    "unknown": "unknown names",
}


def dataset_card(dataset: DatasetInfo) -> None:
    """Show a dataset that is open."""
    st.subheader(escaped(dataset.name), anchor=False)
    columns = st.columns(3)
    columns[0].metric("Cells", f"{dataset.n_cells:,}", border=True)
    columns[1].metric("Genes", f"{dataset.n_genes:,}", border=True)
    columns[2].metric("Counts in", escaped(dataset.counts.location), border=True)
    if dataset.simulated:
        st.info(
            "These cells are simulated from a network that is known; nothing here was measured.",
            icon=":material/casino:",
        )
    st.markdown(f"**Counts** {escaped(dataset.counts.how)}: {escaped(dataset.counts.evidence)}")
    labels, batches = dataset.columns_of("label"), dataset.columns_of("batch")
    st.markdown(
        f"**Genes** are named by {KINDS[dataset.gene_names]}.  \n"
        f"**Known cell types** may be in: {escaped(', '.join(labels)) or 'no column'}.  \n"
        f"**Batches or donors** may be in: {escaped(', '.join(batches)) or 'no column'}."
    )
    row = st.container(horizontal=True)
    for name, words in (("explore", "See the map"), ("annotate", "Annotate cell types")):
        row.page_link(PAGES[name].file, label=words, icon=PAGES[name].icon, query_params=state.link())
    if dataset.species == "mouse":
        _human_counterparts(dataset)
    _alike_labels(dataset)
    past_steps(dataset)
    for info in state.workspace().checkpoints():
        st.caption(escaped(info.name))
        coverage_bar(dataset, info)
    _history(dataset)
    columns_table(dataset.columns)
    offer_delete("dataset", dataset.id, key="delete_dataset", label="Delete this dataset")


def _human_counterparts(dataset: DatasetInfo) -> None:
    """Say what replacing mouse genes would lose, by name, and offer it."""
    found = _counterparts(dataset.id)
    total = len(found.columns) + len(found.lost)
    with st.container(border=True):
        st.markdown(
            f"**These are mouse genes; the models read human ones.** {len(found.columns):,} of {total:,} genes have "
            f"one human counterpart ({escaped(SOURCE)}); {len(found.lost):,} would be lost."
        )
        left, right = st.columns(2)
        if left.button("Replace by human counterparts", key="orthologs", type="primary", width="stretch"):
            request = mending.Request(dataset=dataset.id)
            state.keep("opening", state.queue().submit("mending", request, state.owner()).run)
            st.rerun()
        download(
            "Genes that would be lost",
            lambda: csv_text([["gene"], *([gene] for gene in found.lost)]),
            name="genes_without_counterpart.csv",
            key="lost_genes",
            place=right,
        )


@st.cache_resource(max_entries=4)
def _counterparts(dataset: str) -> HumanGenes:
    return mouse_to_human(gene_identifiers(state.workspace().dataset_folder(dataset)))


def _alike_labels(dataset: DatasetInfo) -> None:
    """Offer to join labels that differ by blanks or case alone: all of a column by one press."""
    for name in dataset.columns_of("label", "batch", "category"):
        groups = _alike(dataset.id, name)
        if not groups:
            continue
        row = st.columns([5, 2], vertical_alignment="center")
        told = "; ".join(_told(one) for one in groups)
        row[0].markdown(f"**{escaped(name)}** has labels that look alike: {escaped(told)}")
        if row[1].button("Join them", key=f"join_{name}", width="stretch"):
            request = mending.Request(dataset=dataset.id, what="labels", column=name)
            state.keep("opening", state.queue().submit("mending", request, state.owner()).run)
            st.rerun()


def _told(one: Alike) -> str:
    """Name labels of one meaning with their cells, and what they become.

    Examples
    --------
    >>> _told(Alike(words=("NK ", "nk"), n_cells=(40, 1)))
    "'NK ' (40 cells), 'nk' (1 cell) would become 'NK'"
    """
    words = [f"{word!r} ({counted(n, 'cell')})" for word, n in zip(one.words, one.n_cells, strict=True)]
    return f"{', '.join(words)} would become {one.into!r}"


@st.cache_data(max_entries=64)
def _alike(dataset: str, column: str) -> tuple[Alike, ...]:
    return alike_labels(cell_column(state.workspace().dataset_folder(dataset), column))


def _history(dataset: DatasetInfo) -> None:
    """List what was done, and take the last step back."""
    if not dataset.history:
        return
    with st.expander("History", icon=":material/history:"):
        for line in dataset.history:
            st.markdown(f"- {escaped(line)}")
