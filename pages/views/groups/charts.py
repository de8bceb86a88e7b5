"""Pictures of the genes of two groups."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from pages.components import state
from pages.components.coloring import GENE, coloring
from pages.components.gene_search import gene_search
from pages.components.newest_map import newest_map, on_map
from pages.components.show import downloads, escaped, figure
from pages.views.groups.gene import choose_gene
from scviz.datasets.some_cells import expression_of, some_rows
from scviz.plots.export import Kind, draw
from scviz.plots.expression import cells_heatmap, dot_plot, violins_figure
from scviz.plots.plain_text import as_text, as_written
from scviz.plots.volcano import CEILING, volcano_figure
from scviz.tasks.group_genes import MOST_FDR, Result
from scviz.workspace.database import Run

VOLCANO = "groups_volcano"
VIOLIN_CELLS = 1_500
"""Cells of a group that a violin is drawn from."""
HEAT_CELLS = 150
"""Cells of a group in the heat map."""
MOST_OFFERED = 60
MOST_VIOLINS = 8
ADD = "groups_violins_add"
"""Key of the box in which a gene is searched that is drawn, too."""


def top_genes(result: Result, n: int) -> list[str]:
    """Name the first n genes that pass and are higher, and those that are lower; the first ones if none passes."""
    passing = result.adjusted_p <= MOST_FDR
    higher, lower = (np.flatnonzero(passing & (sign * result.score > 0))[:n] for sign in (1, -1))
    places = [*higher, *lower] or range(min(n, len(result.genes)))
    return [result.genes[i] for i in places]


def draw_volcano(run: Run, result: Result, footer: str, *, gene: str) -> None:
    """Draw all genes; a click chooses one."""
    drawing = volcano_figure(
        result.log2_fold_change,
        result.p_value,
        result.genes,
        passing=result.adjusted_p <= MOST_FDR,
        groups=result.names,
        chosen=gene,
        dark=state.dark(),
    )
    st.plotly_chart(
        as_text(drawing),
        theme=None,
        key=VOLCANO,
        height=460,
        alt="Log2 fold change of each gene against -log10 p",
        config={"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "toImage"]},
        on_select=partial(_clicked, run),
        selection_mode="points",
    )
    downloads(VOLCANO, "volcano", partial(_file, drawing, footer=footer))
    n_cut = int(np.sum(result.p_value == 0))
    st.caption(
        "Click a point to look at its gene. "
        + (f"{n_cut:,} genes with p too small for a number stand at {CEILING:.0f}. " if n_cut else "")
        + "Genes that one group lacks stand at the side, at a change of 12."
    )


def _file(drawing: go.Figure, kind: Kind, *, footer: str) -> bytes:
    return draw(drawing, kind, footer=footer)


def _clicked(run: Run) -> None:
    gene = clicked_gene(state.value_of(VOLCANO))
    if gene:
        choose_gene(run, gene)


def clicked_gene(event: Any) -> str:
    """Read which gene a click on the volcano means; empty for none.

    Examples
    --------
    >>> clicked_gene({"selection": {"points": [{"customdata": "CD3E"}]}}), clicked_gene({"selection": {"points": []}})
    ('CD3E', '')
    """
    for point in event["selection"]["points"]:
        given = point.get("customdata", "")
        return as_written(str(given[0] if isinstance(given, list | tuple) else given))
    return ""


def draw_dots(result: Result, footer: str) -> None:
    """Draw the first genes of both sides as dots."""
    n = st.slider("Genes of either side", 3, 30, 10, key="groups_n_dots")
    genes = top_genes(result, n)
    places = [result.genes.index(gene) for gene in genes]
    means = np.stack([result.mean_a[places], result.mean_b[places]])
    shares = np.stack([result.share_a[places], result.share_b[places]])
    drawing = dot_plot(means, shares, genes, groups=result.names, dark=state.dark())
    figure(
        drawing,
        key="groups_dots",
        name="dot_plot",
        alt="Dot plot of the first genes",
        height=260,
        footer=footer,
    )
    st.caption("Size: share of the cells that express the gene. Color: mean log expression.")


def draw_violins(run: Run, result: Result, footer: str, *, gene: str) -> None:
    """Draw violins with boxes of genes that the user chooses."""
    genes = _of_violins(run, result, gene)
    if not genes:
        return
    rows = _some(run.id, run.ended, result, most=VIOLIN_CELLS)
    values = _expression(run.id, run.ended, result, genes=tuple(genes), most=VIOLIN_CELLS)
    ends = np.cumsum([len(one) for one in rows])[:-1]
    parts = [np.split(own, ends) for own in values]
    drawing = violins_figure(parts, genes, groups=result.names, dark=state.dark())
    figure(
        drawing,
        key="groups_violins",
        name="violins",
        alt="Violins of chosen genes",
        height=400,
        footer=footer,
    )
    st.caption(
        f"Box: median and quartiles; dashed: mean. {_drawn(result, VIOLIN_CELLS)} The table is of all cells."
    )


def _of_violins(run: Run, result: Result, gene: str) -> list[str]:
    """Let the user choose among the first genes of both sides, and add any other of the dataset."""
    box, added = f"groups_violins_{run.id}_{gene}", f"groups_violins_more_{run.id}"
    more = list(state.held(added) or [])
    found = str(state.held(ADD) or "")
    if found:
        state.preset(ADD, "")
        more = [*more, found] if found not in more else more
        state.preset(added, more)
        held = list(state.held(box) or _first_violins(result, gene))
        state.preset(box, list(dict.fromkeys((*held, found)))[-MOST_VIOLINS:])
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with right:
        gene_search(state.workspace().dataset(run.request["dataset"]), ADD, label="Add a gene", empties=True)
    if state.held(box) is None:
        state.preset(box, _first_violins(result, gene))
    offered = list(dict.fromkeys((gene, *top_genes(result, MOST_OFFERED // 2), *more)))
    return left.multiselect("Genes", offered, key=box, max_selections=MOST_VIOLINS)


def _first_violins(result: Result, gene: str) -> list[str]:
    return [gene, *[one for one in top_genes(result, 3) if one != gene]][:5]


def draw_heatmap(run: Run, result: Result, footer: str) -> None:
    """Draw the first genes in some cells of both groups."""
    n = st.slider("Genes of either side", 3, 30, 10, key="groups_n_heat")
    genes = top_genes(result, n)
    rows = _some(run.id, run.ended, result, most=HEAT_CELLS)
    values = _expression(run.id, run.ended, result, genes=tuple(genes), most=HEAT_CELLS)
    sides = np.repeat(np.arange(len(rows)), [len(one) for one in rows])
    drawing = cells_heatmap(values, genes, sides, groups=result.names, dark=state.dark())
    height = 120 + 18 * len(genes)
    figure(drawing, key="groups_heat", name="heat_map", alt="Heat map of cells", height=height, footer=footer)
    st.caption(f"A column is a cell. {_drawn(result, HEAT_CELLS)}")


def draw_map(run: Run, gene: str) -> None:
    """Show the gene on the newest map of the dataset."""
    dataset = state.workspace().dataset(run.request["dataset"])
    drawn = newest_map(dataset.id)
    if drawn is None:
        st.info("Make a map of these cells on the Explore page first; then the gene is shown on it.")
        return
    st.caption(f"{escaped(gene)}, the gene that was clicked last.")
    on_map(drawn, coloring(dataset, GENE, gene), key="groups_map")


def _drawn(result: Result, most: int) -> str:
    """Say which cells are drawn."""
    if max(result.n_cells) <= most:
        return "All cells of both groups are drawn."
    return f"Up to {most:,} cells of each group are drawn, taken at random, always the same ones."


@st.cache_resource(max_entries=32)
def _some(run_id: str, ended: float, _result: Result, *, most: int) -> list[NDArray[np.int64]]:  # noqa: ARG001 - a run that was resumed ended anew
    return some_rows(_result.sides, 2, most)


@st.cache_resource(max_entries=32)
def _expression(
    run_id: str, ended: float, _result: Result, *, genes: tuple[str, ...], most: int
) -> NDArray[np.float32]:
    dataset = state.queue().get(run_id).request["dataset"]
    rows = np.concatenate(_some(run_id, ended, _result, most=most))
    return expression_of(state.workspace().dataset_folder(dataset), genes, rows, n_cells=len(_result.sides))
