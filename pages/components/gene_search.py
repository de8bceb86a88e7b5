"""A box in which a gene is typed: genes of the dataset are offered at each keystroke, by any name that they have."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import streamlit as st

from pages.components import state
from pages.components.show import escaped
from scviz.datasets.gene_index import gene_index
from scviz.settings import ROOT
from scviz.workspace import DatasetInfo

SCRIPTS = ROOT / "assets" / "gene_search"

_BOX = st.components.v2.component("scviz_gene_search", js=(SCRIPTS / "search.js").read_text("utf-8"))
_OFFERS = st.components.v2.component("scviz_gene_offers", js=(SCRIPTS / "offers.js").read_text("utf-8"))


def gene_search(
    dataset: DatasetInfo,
    key: str,
    *,
    label: str = "Gene",
    placeholder: str = "Symbol, alias or Ensembl id",
    empties: bool = False,
) -> str:
    """Ask for a gene of the dataset; empty while none is chosen.

    While one types only the offers are asked for, not the page: with 30,000 genes that takes the server some
    milliseconds, where the names themselves would be a megabyte for the browser. The choice is kept in the session
    under the key, as a name that may be set before the box is drawn.

    Parameters
    ----------
    empties
        Empty the box when a gene is chosen, for pages that put it elsewhere.
    """
    index = gene_index(state.workspace().dataset_folder(dataset.id))
    held = str(state.held(key) or "")
    gene = index.named(held) if held else ""
    with st.container(gap=None, key=f"{key}_gene_search"):
        _BOX(
            key=f"{key}_box",
            data={
                "key": key,
                "label": label,
                "value": gene or held,
                "placeholder": placeholder,
                "empties": empties,
            },
            on_gene_change=partial(_chosen, key),
        )
        _offers(state.workspace().dataset_folder(dataset.id), key)
    if held and not gene:
        st.caption(
            f"No gene of this dataset is called {escaped(held)}. Try another symbol, or an Ensembl id."
        )
    return gene


@st.fragment
def _offers(folder: Path, key: str) -> None:
    """Answer what was typed; only this runs again at a keystroke."""
    typed = str((state.held(f"{key}_offers") or {}).get("typed") or "")
    offers = [
        {"gene": one.gene, "word": one.word, "how": one.how, "cells": one.n_cells}
        for one in (gene_index(folder).search(typed) if typed else ())
    ]
    _OFFERS(key=f"{key}_offers", data={"key": key, "text": typed, "offers": offers}, on_typed_change=_answer)


def _chosen(key: str) -> None:
    """Keep the gene that was chosen."""
    chosen = (state.held(f"{key}_box") or {}).get("gene") or {}
    state.preset(key, str(chosen.get("name", "")))


def _answer() -> None:
    """Let what is typed run the offers again."""
