"""Which models read the genes of a file, before it is opened."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.frame import PAGES
from pages.components.show import escaped
from scviz.models import cards
from scviz.tasks.checking.coverage import Advice, ReadBy, advice


def read_by_models(found: tuple[ReadBy, ...], *, mouse: bool) -> None:
    """Show how many genes each model knows, which it would miss, and what to do where all know too few."""
    if not found:
        return
    said = advice(found, _megabytes)
    if said is not None:
        _advice(said)
    with st.expander("Which models know these genes", expanded=said is not None):
        if mouse:
            st.caption(
                "Counted as if each mouse gene were replaced by its human counterpart, which is a step once open."
            )
        _table(found)


def _advice(said: Advice) -> None:
    """Say with whom it lies, and offer what helps."""
    st.markdown(f":orange[:material/help:] {escaped(said.sentence)}")
    if said.get is not None:
        size, share = _megabytes(said.get), said.get.share
        label = f"Get {said.get.title}, {size:,.0f} MB, knows {100 * share:.0f} % of your genes"
        icon, query = ":material/download:", state.link()
        st.page_link(PAGES["models"].file, label=escaped(label), icon=icon, query_params=query)


def _table(found: tuple[ReadBy, ...]) -> None:
    """List weights with the share of the genes that they know."""
    rows = [
        {
            "Weights": one.title,
            "": "here" if one.here else "published",
            "Genes known": 100 * one.share,
            "Known": one.known,
            "Most variable genes it lacks": ", ".join(one.lost),
        }
        for one in found
    ]
    st.dataframe(
        pd.DataFrame(rows),
        key="read_by",
        hide_index=True,
        column_config={
            "Genes known": st.column_config.ProgressColumn(format="%.0f %%", min_value=0, max_value=100),
            "Known": st.column_config.NumberColumn(f"of {found[0].of:,}", format="localized"),
        },
    )


def _megabytes(weights: ReadBy) -> float:
    """Return what published weights weigh."""
    sizes = {one.name: one.size_mb for one in cards()[weights.model].released}
    return sizes[weights.released]
