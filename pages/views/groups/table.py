"""The table of all genes of two groups: searched, sorted, clicked, and as CSV."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.digits import HUNDREDTH, SMALL, TENTH
from pages.components.show import download
from pages.views.groups.gene import choose_gene
from scviz.datasets.columns import gene_matches
from scviz.tasks.group_genes import Result
from scviz.workspace.csv_files import frame_csv
from scviz.workspace.database import Run

FIND = "groups_find"
TABLE = "groups_table"
HEIGHT = 400


def genes_table(run: Run, result: Result) -> None:
    """Show all genes, or those whose name was typed; a click on a row chooses its gene."""
    frame = gene_frame(run.id, run.ended, result)
    folder = state.workspace().dataset_folder(run.request["dataset"])
    typed = st.text_input(
        "Find a gene",
        placeholder="Symbol or Ensembl id",
        key=FIND,
        on_change=_found,
        args=(run, result),
    ).strip()
    if typed:
        found = gene_matches(folder, typed, limit=None)
        frame = frame[frame["Gene"].isin(found)]
        if frame.empty:
            st.caption("No gene of this dataset has such a name.")
    columns = dict.fromkeys(frame.columns[1:], HUNDREDTH) | {"p": SMALL, "Adjusted p": SMALL}
    columns |= {name: TENTH for name in frame.columns if name.startswith("% in")}
    st.dataframe(
        frame,
        key=TABLE,
        hide_index=True,
        height=HEIGHT,
        column_config=columns,
        on_select=partial(_clicked, run, tuple(frame["Gene"])),
        selection_mode="single-row",
    )
    whole = gene_frame(run.id, run.ended, result)
    download(
        "CSV of all genes",
        partial(frame_csv, whole),
        name="genes_of_groups.csv",
        key="groups_csv",
        help=f"{len(whole):,} genes.",
    )


def _found(run: Run, result: Result) -> None:
    """Choose the first gene of the result that was typed, where there is one."""
    folder, compared = state.workspace().dataset_folder(run.request["dataset"]), set(result.genes)
    found = gene_matches(folder, str(state.value_of(FIND)).strip(), limit=None)
    gene = next((one for one in found if one in compared), "")
    if gene:
        choose_gene(run, gene)


def _clicked(run: Run, genes: tuple[str, ...]) -> None:
    """Choose the gene whose row was clicked."""
    rows = state.value_of(TABLE).selection.rows
    if rows and rows[0] < len(genes):
        choose_gene(run, genes[rows[0]])


@st.cache_resource(max_entries=8)
def gene_frame(run_id: str, ended: float, _result: Result) -> pd.DataFrame:  # noqa: ARG001 - a run that was resumed ended anew
    """Write the genes of a result as a table, the smallest p first."""
    a, b = _result.names
    if a == b:
        a, b = f"{a} (A)", f"{b} (B)"
    return pd.DataFrame(
        {
            "Gene": list(_result.genes),
            "Log2 FC": _result.log2_fold_change,
            "Score": _result.score,
            "p": _result.p_value,
            "Adjusted p": _result.adjusted_p,
            f"% in {a}": 100 * _result.share_a,
            f"% in {b}": 100 * _result.share_b,
            f"Mean in {a}": _result.mean_a,
            f"Mean in {b}": _result.mean_b,
        }
    )
