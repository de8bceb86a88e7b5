"""Markers of every group: verdict, a line for each group, genes of one, dots of all, and names."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.digits import HUNDREDTH, SMALL, TENTH
from pages.components.finished import result_of
from pages.components.job_panel import duration
from pages.components.show import download, escaped, figure, table
from pages.components.verdict_box import footer, verdict_box
from pages.components.widgets import tabs, told_apart
from pages.views.groups.gene import choose_gene, chosen_gene, gene_links
from pages.views.groups.naming import name_one, name_them
from pages.views.groups.sets import set_links
from scviz.metrics.evidence import Outcome
from scviz.plots.expression import dot_plot
from scviz.tasks.markers import METHODS, MOST_FDR, Result
from scviz.tasks.markers.ranking import markers_of
from scviz.workspace.csv_files import frame_csv
from scviz.workspace.database import Run

GROUP, TABLE = "markers_group", "markers_table"
MOST_NAMED = 5
MOST_SHOWN = 500
"""Genes of a group in the table; the file holds all of them."""


def markers_result(run: Run) -> None:
    """Show a finished run."""
    result = result_of(run, Result)
    outcome: Outcome = (
        "better" if result.sets and not result.circular else "unknown" if result.circular else "none"
    )
    verdict_box(outcome, result.verdict, run=run, notes=result.notes)
    small_print = f"{footer(run)} · {METHODS[run.request['method']]}"
    _overview(result)
    genes, dots, names = tabs(["Genes of a group", "Dot plot", "Names"], key="markers_tabs")
    with genes:
        _genes(run, result)
    with dots:
        _dots(result, small_print)
    with names:
        name_them(run, result)
    with st.expander("How it was made"):
        st.caption(
            escaped(
                f"{METHODS[run.request['method']]} of each group against all other cells, as scanpy's "
                f"rank_genes_groups computes it; {len(result.genes):,} genes. A marker is higher in the group at an "
                f"adjusted p of {100 * MOST_FDR:.0f} % or less; markers are ranked by score. Took "
                f"{duration(result.seconds)}."
            )
        )


def _overview(result: Result) -> None:
    """Show a line for each group."""
    order = [markers_of(result, k) for k in range(len(result.names))]
    frame = pd.DataFrame(
        {
            "Group": list(result.names),
            "Cells": list(result.n_cells),
            "Markers": [len(own) for own in order],
            "First markers": [", ".join(result.genes[i] for i in own[:MOST_NAMED]) for own in order],
            "Suggested name": [one.name or "no suggestion" for one in result.suggestions],
        }
    )
    table(frame, key="markers_overview", name="markers_of_groups", height=min(420, 38 + 36 * len(frame)))


@st.fragment
def _genes(run: Run, result: Result) -> None:
    """Show the genes of one group; a click on a row chooses its gene."""
    left, right = st.columns([3, 4], vertical_alignment="bottom")
    name = left.selectbox(
        "Group", result.names, format_func=told_apart(result.names, str), key=GROUP, persist_state="session"
    )
    k = result.names.index(name)
    with right:
        _compare(run, result, k)
    name_one(run, result, k)
    own = [one for one in result.sets if one.name == f"markers of {name}"]
    set_links(run, own)
    order = np.argsort(-result.score[k], kind="stable")
    frame = _frame(result, k, order[:MOST_SHOWN])
    gene = chosen_gene(run, tuple(frame["Gene"]))
    st.markdown(f"**{escaped(gene)}**")
    gene_links(run, gene)
    columns = dict.fromkeys(frame.columns[1:], HUNDREDTH) | {"p": SMALL, "Adjusted p": SMALL}
    columns |= {one: TENTH for one in frame.columns if one.startswith("%")}
    st.dataframe(
        frame,
        key=TABLE,
        hide_index=True,
        height=380,
        column_config=columns,
        on_select=partial(_clicked, run, tuple(frame["Gene"])),
        selection_mode="single-row",
    )
    st.caption(
        f"The {len(frame):,} genes with the largest score of {len(result.genes):,}."
        + (" p values are circular here: only the order counts." if result.circular else "")
    )
    download(
        "CSV of all genes of all groups",
        partial(_csv, result),
        name="markers.csv",
        key="markers_csv",
    )


def _compare(run: Run, result: Result, k: int) -> None:
    """Lead to the comparison of this group with another one."""
    column = run.request.get("column")
    if column:
        st.page_link(
            "pages/groups.py",
            label=f"Compare {escaped(result.names[k])} with another group",
            icon=":material/difference:",
            query_params={
                **state.link(),
                "dataset": run.request["dataset"],
                "a_column": column,
                "a_value": result.names[k],
            },
        )


def _clicked(run: Run, genes: tuple[str, ...]) -> None:
    rows = state.value_of(TABLE).selection.rows
    if rows and rows[0] < len(genes):
        choose_gene(run, genes[rows[0]])


def _frame(result: Result, k: int, places: np.ndarray) -> pd.DataFrame:
    """Write genes of a group as a table."""
    return pd.DataFrame(
        {
            "Gene": [result.genes[i] for i in places],
            "Score": result.score[k, places],
            "Log2 FC": result.log2_fold_change[k, places],
            "p": result.p_value[k, places],
            "Adjusted p": result.adjusted_p[k, places],
            "% in group": 100 * result.shares[k, places],
            "% in others": 100 * result.other_shares[k, places],
            "Mean": result.means[k, places],
        }
    )


def _csv(result: Result) -> str:
    """Write the genes of all groups, those of a group together, the largest score first."""
    frames = []
    for k, name in enumerate(result.names):
        frame = _frame(result, k, np.argsort(-result.score[k], kind="stable"))
        frame.insert(0, "Group", name)
        frames.append(frame)
    return frame_csv(pd.concat(frames))


def _dots(result: Result, small_print: str) -> None:
    """Draw the first markers of each group in all groups."""
    n = st.slider("Markers of each group", 1, 10, 3, key="markers_n_dots")
    places = list(dict.fromkeys(int(i) for k in range(len(result.names)) for i in markers_of(result, k)[:n]))
    if not places:
        st.info("No group has a marker.")
        return
    drawing = dot_plot(
        result.means[:, places],
        result.shares[:, places],
        [result.genes[i] for i in places],
        groups=result.names,
        dark=state.dark(),
    )
    height = 160 + 26 * len(result.names)
    figure(
        drawing,
        key="markers_dots",
        name="markers",
        alt="Dot plot of markers",
        height=height,
        footer=small_print,
    )
    st.caption("Size: share of the cells that express the gene. Color: mean log expression.")
