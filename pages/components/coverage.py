"""How many genes of a dataset the vocabulary of some weights knows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from pages.components import state
from pages.components.missing import DATA, Missing, missing_genes
from pages.components.show import download, escaped
from scviz.datasets.columns import gene_identifiers
from scviz.errors import DataError, GeneMatchError, ScvizError
from scviz.foundation.vocab import Coverage, GeneVocab
from scviz.metrics.evidence import counted
from scviz.tasks.fields import FEW_GENES
from scviz.tasks.needs import FEWEST_KNOWN, is_few, known_genes, refuse_idle
from scviz.workspace import CheckpointInfo, DatasetInfo
from scviz.workspace.csv_files import csv_text


@st.cache_resource(max_entries=64)
def coverage(dataset: str, checkpoint: str) -> Coverage:
    """Count the genes that dataset and weights share."""
    vocab = GeneVocab.load(state.workspace().checkpoint_folder(checkpoint) / "vocab.json")
    return vocab.coverage(gene_identifiers(state.workspace().dataset_folder(dataset)))


def coverage_bar(dataset: DatasetInfo, checkpoint: CheckpointInfo) -> None:
    """Show the share of the dataset's genes that the model reads, and offer the list of the others."""
    found = coverage(dataset.id, checkpoint.id)
    share = found.n_found / max(1, found.n_genes)
    text = (
        f"reads {found.n_found:,} of {found.n_genes:,} genes of {escaped(dataset.name)} ({100 * share:.0f} %)"
    )
    row = st.columns([6, 2], vertical_alignment="center")
    row[0].progress(share, text=text)
    if found.lost:
        lost = csv_text([["gene"], *([gene] for gene in found.lost)])
        key = f"lost_{checkpoint.id}"
        download("Genes not read", lambda: lost, name="genes_not_read.csv", key=key, place=row[1])
    if is_few(found):
        st.caption(
            f"Fewer than half of the genes are read: results rest on {counted(found.n_found, 'gene')}."
            if found.n_found
            else "None of the genes is read: these weights cannot be used on these cells."
        )


def confirmed(request: Any) -> Any:
    """Let a run on few known genes be started only by somebody who has seen how few they are; give the request back."""
    few = {one: found for one, found in known_genes(request, state.workspace()).items() if is_few(found)}
    for checkpoint, found in few.items():
        name = state.workspace().checkpoint(checkpoint).name
        st.caption(escaped(f"{name} reads only {found.n_found:,} of {found.n_genes:,} genes."))
    if not few:
        return request
    unknown = any(found.n_found < FEWEST_KNOWN for found in few.values())
    ticked = st.checkbox(FEW_GENES.label, key="few_genes", help=FEW_GENES.help, disabled=unknown)
    return replace(request, few_genes=ticked)


def idle(task: str, request: Any) -> Missing | None:
    """Say why a run could do nothing; None where it can."""
    try:
        refuse_idle(task, request, state.workspace())
    except GeneMatchError as error:
        return missing_genes(state.workspace().dataset(request.dataset), f"{error} {error.hint}")
    except DataError as error:
        return Missing(reason=f"{error} {error.hint}", page=DATA, label="Open another dataset")
    except ScvizError as error:
        return Missing(reason=f"{error} {error.hint}")
    return None


def readable(dataset: DatasetInfo) -> list[CheckpointInfo]:
    """List the weights that know at least one gene of a dataset."""
    every = state.workspace().checkpoints()
    return [info for info in every if coverage(dataset.id, info.id).n_found]
