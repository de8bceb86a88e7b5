"""The picture of a network of genes: a click on a gene chooses it, and so does a select box."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pages.components import state
from pages.components.show import download, downloads, escaped
from pages.components.widgets import told_apart
from scviz.networks.drawing import Drawing
from scviz.plots.export import Kind
from scviz.plots.network import network_spec

HEIGHT = 580


def network_view(drawing: Drawing, *, key: str, name: str, footer: str = "") -> str:
    """Show a network with its downloads, and return the gene that is chosen; empty for none.

    Parameters
    ----------
    key
        Of the picture; `<key>_gene` is that of the select box. Another drawing in its place takes another key.
    name
        Stem of the file names.
    footer
        Small print in the files: dataset, model, weights.
    """
    if not drawing.genes:
        st.info("There is no link to draw.")
        return ""
    box = f"{key}_gene"
    gene = st.selectbox(
        "Gene",
        genes := ["", *sorted(drawing.genes)],
        format_func=told_apart(genes, lambda option: option or "none"),
        help="Or click on it in the picture. Drag to move; rest on the picture and scroll to zoom.",
        key=box,
        on_change=_picked,
        args=(box,),
        width=320,
    )
    picked = state.kept(box) or ""
    chart = f"{key}_{picked}"  # a new chart forgets the click that the select box overrules
    with st.container(key=key):
        st.echarts_chart(
            network_spec(drawing, marked=gene if gene == picked else "", dark=state.dark()),
            theme=None,
            height=HEIGHT,
            key=chart,
            on_select=partial(_clicked, drawing.genes, chart, box),
            alt=f"Network of {len(drawing.genes):,} genes and {len(drawing.sources):,} links",
        )
    arrows = " Arrows lead from regulators to targets." if drawing.directed else ""
    st.caption(f"{escaped(drawing.rule)} Larger: more links that are drawn.{arrows}")
    _files(drawing, key=key, name=name, footer=footer)
    return gene


def _picked(box: str) -> None:
    """Remember that the gene was chosen in the select box, where the picture does not mark it by itself."""
    state.keep(box, state.value_of(box))


def _clicked(genes: tuple[str, ...], chart: str, box: str) -> None:
    """Take a click on a gene over into the select box."""
    groups = state.value_of(chart)["selection"]["selected"]
    picked = [i for group in groups if group["data_type"] == "node" for i in group["data_indices"]]
    state.preset(box, genes[picked[0]] if picked else "")


def _files(drawing: Drawing, *, key: str, name: str, footer: str) -> None:
    """Offer the picture, the graph, a page that needs no server, and the links."""

    def picture(kind: Kind) -> bytes:
        from scviz.plots.network import draw_network

        return draw_network(drawing, kind, footer=footer)

    def graphml() -> bytes:
        from scviz.plots.network_file import graphml

        return graphml(drawing)

    def page() -> bytes:
        from scviz.plots.network_file import network_page

        return network_page(drawing, title=footer or name)

    def links() -> bytes:
        from scviz.plots.network_file import links_csv

        return links_csv(drawing)

    row = downloads(key, name, picture)
    for label, ending, write in (
        ("GraphML", "graphml", graphml),
        ("Interactive page", "html", page),
        ("CSV of links", "csv", links),
    ):
        download(label, write, name=f"{name}.{ending}", key=f"{key}_{ending}", place=row)
