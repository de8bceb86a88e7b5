"""A network of genes to take away: GraphML for other programs, a table of links, a page that needs no server."""

from __future__ import annotations

import io
import re
from html import escape

from scviz.networks.drawing import Drawing
from scviz.plots.network import HEIGHT, WIDTH, gene_colors, gene_sizes, group_colors, link_widths
from scviz.plots.xml_text import xml_text
from scviz.workspace.csv_files import CsvWriter

FOREIGN = re.compile(
    r"<link\b[^>]*\bhref=\"https?://[^>]*>|<script\b[^>]*\bsrc=\"https?://[^>]*>\s*</script>", re.IGNORECASE
)
"""What would be loaded from other hosts: pyvis asks for a style sheet and a script that its page does not need."""
SCALE = 900
"""Pixels of the page's picture for each unit of its sides."""


def graphml(drawing: Drawing) -> bytes:
    """Write the genes with their group and place, and the links with their weight, for Cytoscape, Gephi or igraph."""
    import networkx

    graph = networkx.DiGraph() if drawing.directed else networkx.Graph()
    for gene, group, x, y in zip(drawing.genes, drawing.groups, drawing.x, drawing.y, strict=True):
        graph.add_node(xml_text(gene), group=xml_text(group), x=WIDTH * SCALE * x, y=HEIGHT * SCALE * (1 - y))
    for source, target, weight in _links(drawing):
        graph.add_edge(xml_text(source), xml_text(target), weight=weight)
    return "\n".join(networkx.generate_graphml(graph)).encode()


def links_csv(drawing: Drawing) -> bytes:
    """Write a line for each link that is drawn, the strongest first."""
    file = io.StringIO()
    rows = CsvWriter(file, lineterminator="\n")
    rows.writerow(["source", "target", "weight"])
    rows.writerows(_links(drawing))
    return file.getvalue().encode()


def network_page(drawing: Drawing, *, title: str) -> bytes:
    """Write a page that shows the network and can be moved and zoomed; it loads nothing from elsewhere.

    Parameters
    ----------
    title
        Stands above the picture, with the rule by which it was drawn.
    """
    from pyvis.network import Network

    made = Network(
        height=f"{HEIGHT * SCALE:.0f}px",
        directed=drawing.directed,
        cdn_resources="in_line",
        font_color="#31333F",
    )
    sizes, colors = gene_sizes(drawing).tolist(), gene_colors(drawing)
    for i, gene in enumerate(drawing.genes):
        made.add_node(
            gene,
            title=f"{gene}\n{drawing.groups[i]}".strip(),
            x=WIDTH * SCALE * drawing.x[i],
            y=HEIGHT * SCALE * (1 - drawing.y[i]),
            size=sizes[i] / 2,
            color=colors[i],
        )
    arrows = {"to": {"enabled": drawing.directed, "scaleFactor": 0.5}}
    for (source, target, weight), width in zip(_links(drawing), link_widths(drawing).tolist(), strict=True):
        made.add_edge(source, target, title=f"{weight:.3g}", width=width, color="#9CA3AF", arrows=arrows)
    made.toggle_physics(False)
    made.toggle_hide_edges_on_drag(False)
    page = FOREIGN.sub("", made.generate_html())
    return page.replace("<body>", f"<body>{_heading(drawing, title)}", 1).encode()


def _heading(drawing: Drawing, title: str) -> str:
    dots = "".join(
        f'<span style="margin-right:1em"><span style="color:{color}">&#9679;</span> {escape(name)}</span>'
        for name, color in group_colors(drawing).items()
    )
    lines = [f"<b>{escape(title)}</b>", escape(drawing.rule), *([dots] if dots else [])]
    return f'<div style="font:14px sans-serif;padding:8px">{"<br>".join(lines)}</div>'


def _links(drawing: Drawing) -> list[tuple[str, str, float]]:
    ends = zip(drawing.sources, drawing.targets, drawing.weights, strict=True)
    return [(drawing.genes[source], drawing.genes[target], weight) for source, target, weight in ends]
