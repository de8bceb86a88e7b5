"""A gene of a network: its neighbors, its expression on the map, and where to go on with it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.cells_picker import CellChoice
from pages.components.coloring import GENE, coloring
from pages.components.genes_picker import seen_in
from pages.components.network_view import network_view
from pages.components.newest_map import newest_map, no_map_yet, on_map
from pages.components.show import escaped, table
from scviz.datasets.columns import gene_names
from scviz.metrics.evidence import counted
from scviz.networks.drawing import Drawing
from scviz.tasks.in_silico.genes import by_name
from scviz.workspace import DatasetInfo
from scviz.workspace.database import Run

MAP_HEIGHT = 340
STRENGTH = st.column_config.NumberColumn(format="%.3g")


@st.fragment
def network_of_run(run: Run, drawing: Drawing | None, *, key: str, name: str, footer: str = "") -> None:
    """Show the network of a run and, under it, the gene that is chosen; None for runs that did not draw theirs."""
    if drawing is None:
        st.info(
            "This run is older than the picture of its network. Run it again with another seed to see one."
        )
        return
    gene = network_view(drawing, key=key, name=name, footer=footer)
    if gene:
        gene_of_network(run, drawing, gene, key=f"{key}_chosen")


def gene_of_network(run: Run, drawing: Drawing, gene: str, *, key: str) -> None:
    """Show the neighbors of a gene in a drawing, and its expression on the newest map of the dataset.

    Parameters
    ----------
    key
        Begins the keys of the widgets.
    """
    dataset = state.workspace().dataset(run.request["dataset"])
    folder = state.workspace().dataset_folder(dataset.id)
    measured = by_name(folder, gene)
    known = measured in gene_names(folder)
    left, right = st.columns([2, 3], gap="medium")
    with left:
        _neighbors(drawing, gene, key)
        if known:
            _go_on(dataset, measured, key)
        else:
            st.caption("The dataset has no gene of this name.")
    if known:
        with right:
            _expression(dataset, measured, key)


def _neighbors(drawing: Drawing, gene: str, key: str) -> None:
    """List the genes that a drawn link joins to it."""
    group = drawing.groups[drawing.genes.index(gene)]
    neighbors = drawing.neighbors(gene)
    st.markdown(f"**{escaped(gene)}**" + (f" · {escaped(group)}" if group not in ("", gene) else ""))
    groups = dict(zip(drawing.genes, drawing.groups, strict=True))
    frame = pd.DataFrame(
        {
            "Neighbor": [one.gene for one in neighbors],
            "It is a": [one.role for one in neighbors],
            "Strength": [one.weight for one in neighbors],
            "Group": [groups[one.gene] for one in neighbors],
        }
    )
    unused = [*([] if drawing.directed else ["It is a"]), *([] if any(drawing.groups) else ["Group"])]
    table(
        frame.drop(columns=unused),
        key=f"{key}_neighbors",
        name=f"neighbors_of_{gene}",
        height=240,
        column_config={"Strength": STRENGTH},
    )
    st.caption(f"{counted(len(neighbors), 'link')} of those that are drawn.")


def _go_on(dataset: DatasetInfo, gene: str, key: str) -> None:
    """Lead to the pages that can do something with the gene."""
    with st.container(horizontal=True, key=f"{key}_links"):
        link = state.link() | {"dataset": dataset.id, "gene": gene}
        checkpoint = state.current_checkpoint()
        if checkpoint is not None:
            everywhere = seen_in(dataset, checkpoint, CellChoice(), most_cells=dataset.n_cells, seed=0)
            reason = everywhere.refusal(gene, "delete")
            if reason:
                st.caption(f"It cannot be knocked out. {escaped(reason)}")
            else:
                st.page_link(
                    "pages/in_silico.py",
                    label="Knock it out",
                    icon=":material/genetics:",
                    query_params=link | {"checkpoint": checkpoint.id},
                )
        drawn = newest_map(dataset.id)
        if drawn is not None:
            st.page_link(
                "pages/explore.py",
                label="Color the map by it",
                icon=":material/scatter_plot:",
                query_params=link | {"maps": drawn.id},
            )


def _expression(dataset: DatasetInfo, gene: str, key: str) -> None:
    drawn, colors = newest_map(dataset.id), coloring(dataset, GENE, gene)
    if drawn is None:
        no_map_yet(dataset.id, key=f"{key}_first_map")
        return
    on_map(drawn, colors, key=f"{key}_map", height=MAP_HEIGHT)
