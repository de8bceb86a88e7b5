"""Genes of either group as sets that other pages take."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.components import state
from pages.components.show import escaped
from scviz.metrics.evidence import counted
from scviz.networks.contract import GeneSet
from scviz.workspace.database import Run


def set_links(run: Run, sets: Sequence[GeneSet]) -> None:
    """Offer to ask what the genes of each set have in common, and what happens without each of them."""
    link = state.link() | {"dataset": run.request["dataset"]}
    for i, one in enumerate(sets):
        with st.container(horizontal=True, gap="medium", key=f"group_set_{i}", vertical_alignment="center"):
            st.caption(f"{counted(len(one.genes), 'gene')} {escaped(one.name)}", width="content")
            address = {**link, "from_run": run.id, "set": one.name}
            st.page_link(
                "pages/enrich.py", label="Enrich", icon=":material/category_search:", query_params=address
            )
            st.page_link(
                "pages/in_silico.py", label="Knock out each", icon=":material/genetics:", query_params=address
            )
