"""Links that ask other pages about genes that a page shows."""

from __future__ import annotations

import streamlit as st

from pages.components import state
from scviz.workspace.database import Run


def enrich_set(run: Run, name: str) -> None:
    """Offer to ask what the genes of a module or regulon of a finished run have in common."""
    _link(from_run=run.id, set=name)


def enrich_group(group: str, column: str = "", against: str = "") -> None:
    """Offer to ask what the genes that tell a group of cells apart have in common.

    Parameters
    ----------
    group
        A value of the column, or the name of a group that was circled on a map.
    against
        Another value of the column; empty for all other cells.
    """
    question = {"column": column, "group": group, "against": against}
    _link(**{name: value for name, value in question.items() if value})


def genes_link(group: str) -> None:
    """Offer to compare the genes of a named group with those of all other cells."""
    address = {**state.link(), "named": group}
    st.page_link("pages/groups.py", label="Genes", icon=":material/difference:", query_params=address)


def _link(**question: str) -> None:
    address = {**state.link(), **question}
    st.page_link("pages/enrich.py", label="Enrich", icon=":material/category_search:", query_params=address)
