"""A page with the search for a gene among the genes of the demo, for the browser tests."""

from __future__ import annotations

import streamlit as st

from pages.components import state
from pages.components.gene_search import gene_search
from scviz.datasets.demo import open_demo
from scviz.workspace import DatasetInfo


@st.cache_resource
def demo() -> DatasetInfo:
    """Open the demo once."""
    return open_demo(state.workspace())


st.set_page_config(layout="wide")
runs = int(state.kept("runs") or 0) + 1
state.keep("runs", str(runs))
gene = gene_search(demo(), "gene")
st.text(f"The page has {gene or 'no gene'}.")
st.text(f"Run {runs}.")
