"""How many genes of a dataset the vocabulary of some weights knows."""

from __future__ import annotations

import streamlit as st

from pages.components import state
from pages.components.show import download
from scviz.datasets.columns import gene_identifiers
from scviz.foundation.vocab import Coverage, GeneVocab
from scviz.workspace import CheckpointInfo, DatasetInfo

TOO_FEW = 0.5
"""Below this share of known genes a run should be thought over."""


@st.cache_resource(max_entries=64)
def coverage(dataset: str, checkpoint: str) -> Coverage:
    """Count the genes that dataset and weights share."""
    vocab = GeneVocab.load(state.workspace().checkpoint_folder(checkpoint) / "vocab.json")
    return vocab.coverage(gene_identifiers(state.workspace().dataset_folder(dataset)))


def coverage_bar(dataset: DatasetInfo, checkpoint: CheckpointInfo) -> None:
    """Show the share of the dataset's genes that the model reads, and offer the list of the others."""
    found = coverage(dataset.id, checkpoint.id)
    share = found.n_found / max(1, found.n_genes)
    text = f"reads {found.n_found:,} of {found.n_genes:,} genes of {dataset.name} ({share:.0%})"
    row = st.columns([6, 2], vertical_alignment="center")
    row[0].progress(share, text=text)
    if found.lost:
        lost = "\n".join(["gene", *found.lost])
        key = f"lost_{checkpoint.id}"
        download("Genes not read", lambda: lost, name="genes_not_read.csv", key=key, place=row[1])
    if share < TOO_FEW:
        st.caption(f"Fewer than half of the genes are read: results rest on {found.n_found:,} genes.")


def enough_genes(dataset: DatasetInfo, checkpoint: CheckpointInfo) -> bool:
    """Let a run on few known genes be started only by somebody who has seen how few they are."""
    found = coverage(dataset.id, checkpoint.id)
    if found.n_found >= TOO_FEW * found.n_genes:
        return True
    st.caption(f"The model reads only {found.n_found:,} of {found.n_genes:,} genes.")
    return st.checkbox("Run all the same", key="few_genes", disabled=not found.n_found)


def readable(dataset: DatasetInfo) -> list[CheckpointInfo]:
    """List the weights that know at least one gene of a dataset."""
    every = state.workspace().checkpoints()
    return [info for info in every if coverage(dataset.id, info.id).n_found]
