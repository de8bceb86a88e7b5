"""A network of genes: what a page draws in the browser, and the same picture as a file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scviz.networks.drawing import Drawing
from scviz.plots.export import Kind
from scviz.plots.theme import FONT, MISSING, OKABE_ITO, category_colors
from scviz.plots.xml_text import saved

WIDTH, HEIGHT = 1.35, 1.0
"""Sides of the picture."""
SMALLEST, LARGEST = 8.0, 30.0
"""Pixels across a gene with few links, and across the one with most."""
THIN, THICK = 0.7, 3.0
"""Pixels across the weakest and the strongest link."""
CROWD = 100
"""From this many genes on their names are small."""
NO_GROUP = "in no group"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ink:
    """Colors of what is no gene."""

    text: str
    line: str
    paper: str


LIGHT = Ink(text="#31333F", line="#7C8698", paper="#FFFFFF")
DARK = Ink(text="#E6E8EC", line="#8B93A3", paper="#12151C")


def group_colors(drawing: Drawing) -> dict[str, str]:
    """Give each group its color, the largest group first; empty where genes are in no groups."""
    sizes = Counter(group for group in drawing.groups if group)
    names = sorted(sizes, key=lambda name: (-sizes[name], name))
    colors = dict(zip(names, category_colors(len(names)), strict=True))
    return {**colors, NO_GROUP: MISSING} if names and "" in drawing.groups else colors


def gene_colors(drawing: Drawing) -> list[str]:
    """Give each gene the color of its group."""
    colors = group_colors(drawing)
    return [colors.get(group or NO_GROUP, OKABE_ITO[0]) for group in drawing.groups]


def gene_sizes(drawing: Drawing) -> NDArray[np.float64]:
    """Give each gene its width in pixels, (G,): the area grows with the number of links."""
    degrees = np.array(drawing.degrees, dtype=np.float64)
    return np.asarray(SMALLEST + (LARGEST - SMALLEST) * np.sqrt(degrees / max(degrees.max(initial=1), 4)))


def link_widths(drawing: Drawing) -> NDArray[np.float64]:
    """Give each link its width in pixels, (L,)."""
    weights = np.array(drawing.weights, dtype=np.float64)
    return np.asarray(THIN + (THICK - THIN) * weights / weights.max(initial=1e-12))


def network_spec(drawing: Drawing, *, marked: str = "", dark: bool = False) -> dict[str, Any]:
    """Describe the picture for ECharts: genes at their places, in the colors of their groups.

    Parameters
    ----------
    marked
        Gene that gets a ring; empty for none.
    """
    ink = DARK if dark else LIGHT
    series = _series(drawing, marked=marked, ink=ink)
    return {
        "animation": False,
        "backgroundColor": "transparent",
        "textStyle": {"fontFamily": FONT},
        "tooltip": {
            "confine": True,
            "backgroundColor": ink.paper,
            "textStyle": {"color": ink.text, "fontSize": 12},
        },
        "series": [series],
        **({"legend": _legend(list(group_colors(drawing)), ink)} if group_colors(drawing) else {}),
    }


def _series(drawing: Drawing, *, marked: str, ink: Ink) -> dict[str, Any]:
    """Describe genes and links, and how they answer to the mouse."""
    groups = list(group_colors(drawing))
    ring = {"borderColor": ink.text, "borderWidth": 3}
    return {
        "type": "graph",
        "layout": "none",
        "roam": True,
        "roamTrigger": "global",
        "preserveAspect": True,
        "scaleLimit": {"min": 0.5, "max": 12},
        "selectedMode": "single",
        "top": 48 if groups else 16,
        "bottom": 20,
        "left": 40,
        "right": 70,
        "data": _genes(drawing, marked, ring),
        "links": _links(drawing),
        "categories": [
            {"name": name, "itemStyle": {"color": color}} for name, color in group_colors(drawing).items()
        ],
        "edgeSymbol": ["none", "arrow" if drawing.directed else "none"],
        "edgeSymbolSize": [0, 7],
        "lineStyle": {"color": ink.line, "opacity": 0.5},
        "label": {
            "show": True,
            "position": "right",
            "distance": 3,
            "fontSize": 11 if len(drawing.genes) < CROWD else 10,
            "color": ink.text,
            "textBorderColor": ink.paper,
            "textBorderWidth": 2,
        },
        "labelLayout": {"hideOverlap": True},
        "select": {"itemStyle": ring, "label": {"show": True, "fontWeight": "bold"}},
        "emphasis": {"focus": "adjacency", "label": {"show": True}, "lineStyle": {"opacity": 0.9}},
        "blur": {"itemStyle": {"opacity": 0.15}, "lineStyle": {"opacity": 0.06}, "label": {"opacity": 0.15}},
    }


def _genes(drawing: Drawing, marked: str, ring: dict[str, Any]) -> list[dict[str, Any]]:
    groups = list(group_colors(drawing))
    return [
        {
            "name": gene,
            "x": WIDTH * 1000 * x,
            "y": HEIGHT * 1000 * (1 - y),
            "symbolSize": round(size, 1),
            "itemStyle": {"color": color, **(ring if gene == marked else {})},
            "label": {"fontWeight": "bold" if gene == marked else "normal"},
            "tooltip": {"formatter": _words(gene, group, degree)},
            **({"category": groups.index(group or NO_GROUP)} if groups else {}),
        }
        for gene, x, y, size, color, group, degree in zip(
            drawing.genes,
            drawing.x,
            drawing.y,
            gene_sizes(drawing).tolist(),
            gene_colors(drawing),
            drawing.groups,
            drawing.degrees,
            strict=True,
        )
    ]


def _links(drawing: Drawing) -> list[dict[str, Any]]:
    arrow = "→" if drawing.directed else "-"
    return [
        {
            "source": source,
            "target": target,
            "lineStyle": {"width": round(width, 2)},
            "tooltip": {
                "formatter": f"{escape(drawing.genes[source])} {arrow} {escape(drawing.genes[target])}: {weight:.3g}"
            },
        }
        for source, target, weight, width in zip(
            drawing.sources, drawing.targets, drawing.weights, link_widths(drawing).tolist(), strict=True
        )
    ]


def _legend(groups: list[str], ink: Ink) -> dict[str, Any]:
    return {
        "type": "scroll",
        "top": 4,
        "left": 8,
        "right": 8,
        "data": groups,
        "textStyle": {"color": ink.text, "fontSize": 12},
        "pageTextStyle": {"color": ink.text},
        "pageIconColor": ink.line,
        "pageIconInactiveColor": ink.paper,
        "itemWidth": 12,
        "itemHeight": 12,
        "icon": "circle",
    }


def _words(gene: str, group: str, degree: int) -> str:
    """Say what a gene is, as HTML."""
    parts = [f"<b>{escape(gene)}</b>", *([escape(group)] if group not in ("", gene) else [])]
    return "<br>".join([*parts, f"{degree:,} {'link' if degree == 1 else 'links'} drawn"])


def draw_network(drawing: Drawing, kind: Kind, *, footer: str = "") -> bytes:
    """Draw the network on white paper and return the file.

    Parameters
    ----------
    footer
        Small print: dataset, model, weights.
    """
    import matplotlib
    from matplotlib.figure import Figure

    settings: Any = {"svg.fonttype": "none", "pdf.fonttype": 42, "font.size": 8, "font.family": "sans-serif"}
    settings["text.parse_math"] = False  # a name may have dollars
    with matplotlib.rc_context(settings):
        paper = Figure(figsize=(6 * WIDTH + 1, 6 * HEIGHT), layout="constrained")
        axes = paper.add_subplot()
        _draw_links(axes, drawing)
        _draw_genes(axes, drawing)
        axes.set_axis_off()
        axes.set_title(drawing.rule, fontsize=7, loc="left")
        if footer:
            paper.supxlabel(footer, fontsize=6, color="0.4")
        return saved(paper, kind)


def _draw_links(axes: Any, drawing: Drawing) -> None:
    """Draw links up to the rim of their genes."""
    from matplotlib.patches import FancyArrowPatch

    places = list(zip(drawing.x, drawing.y, strict=True))
    radii = gene_sizes(drawing) / 4
    style = "-|>,head_length=2.2,head_width=1.1" if drawing.directed else "-"
    ends = zip(drawing.sources, drawing.targets, link_widths(drawing).tolist(), strict=True)
    for source, target, width in ends:
        axes.add_patch(
            FancyArrowPatch(
                places[source],
                places[target],
                arrowstyle=style,
                shrinkA=0,
                shrinkB=radii[target],
                linewidth=0.5 * width,
                color="0.5",
                alpha=0.6,
                zorder=1,
            )
        )


def _draw_genes(axes: Any, drawing: Drawing) -> None:
    """Draw genes with their names, and a legend of groups."""
    from matplotlib.lines import Line2D

    sizes = gene_sizes(drawing) / 2  # points across
    axes.scatter(drawing.x, drawing.y, s=sizes**2, c=gene_colors(drawing), linewidths=0, zorder=2)
    for gene, x, y, size in zip(drawing.genes, drawing.x, drawing.y, sizes.tolist(), strict=True):
        axes.annotate(
            gene,
            (x, y),
            xytext=(size / 2 + 1, 0),
            textcoords="offset points",
            va="center",
            fontsize=6 if size > SMALLEST else 4.5,
            zorder=3,
        )
    marks = [
        Line2D([], [], marker="o", linestyle="none", color=color, label=name)
        for name, color in group_colors(drawing).items()
    ]
    if marks:
        axes.legend(handles=marks, frameon=False, fontsize=6, loc="center left", bbox_to_anchor=(1.02, 0.5))
