"""The open dataset as Home shows it: its map, and what it is."""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st

from pages.components import badges, state
from pages.components.coloring import GENE, choices, coloring
from pages.components.frame import PAGES
from pages.components.newest_map import no_map_yet, on_map, plain_map
from pages.components.show import escaped
from scviz.datasets.questions import known_types, two_states
from scviz.jobs.shipped import how_made
from scviz.metrics.evidence import counted
from scviz.workspace import ColumnInfo, DatasetInfo

MOST_WORDS = 4
"""Values of a column that are named; of more, their number is said."""


def cells_now(dataset: DatasetInfo) -> None:
    """Draw the first map of the cells in the colors of what is known of them; say how far it is if it is not there."""
    drawn, page = plain_map(dataset.id), PAGES["explore"]
    if drawn is None:
        no_map_yet(dataset.id, key="home")
        return
    choice = next(one for one in choices(dataset) if one != GENE)
    on_map(drawn, coloring(dataset, choice, ""), key="home_map")
    st.page_link(page.file, label="Color, circle and name cells", icon=page.icon, query_params=state.link())
    if drawn.run and (words := how_made(state.queue().get(drawn.run))):
        st.caption(escaped(words))


def about(dataset: DatasetInfo) -> None:
    """Say what the dataset is, a line each."""
    marks = [badges.SIMULATED] if dataset.simulated else []
    st.markdown(f"#### {' '.join([escaped(dataset.name), *marks])}")
    st.markdown("  \n".join(_facts(dataset)), help=escaped(dataset.counts.evidence) or None)
    page = PAGES["data"]
    st.page_link(page.file, label="All about this file", icon=page.icon, query_params=state.link())


def _facts(dataset: DatasetInfo) -> Iterator[str]:
    species = "" if dataset.species == "unknown" else f" ({escaped(dataset.species)})"
    yield f"**{counted(dataset.n_cells, 'cell')}**, **{counted(dataset.n_genes, 'gene')}**{species}"
    yield f"**Counts** {escaped(dataset.counts.how)}, from {escaped(dataset.counts.location)}"
    types, states, batches = known_types(dataset), two_states(dataset), dataset.columns_of("batch")
    yield f"**Cell types** {_named(types) if types else 'not named yet'}"
    if states is not None:
        yield f"**Conditions** {_named(states)}"
    others = [dataset.column(name) for name in batches if states is None or name != states.name]
    if others:
        yield f"**Donors or batches** {_named(others[0])}"


def _named(column: ColumnInfo) -> str:
    """Name a column and what stands in it."""
    few = len(column.values) <= MOST_WORDS
    words = ", ".join(column.values) if few else f"{column.n_values:,} values"
    return f"{escaped(column.name)}: {escaped(words)}"
