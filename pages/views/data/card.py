"""The input card: what is in a file, where its counts are and why, what can be done with it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.coverage import coverage_bar
from pages.components.frame import PAGES
from pages.components.show import escaped, table
from scviz.datasets.counts import READABLE
from scviz.datasets.doctor import FileReport, Finding, check_file
from scviz.tasks.opening import Request
from scviz.workspace import ColumnInfo, DatasetInfo

LEVELS = {
    "ok": (":green[:material/check_circle:]", "as it should be"),
    "fix": (":orange[:material/build_circle:]", "mended on opening"),
    "stop": (":red[:material/error:]", "in the way"),
}
KINDS = {
    "symbol": "gene symbols",
    "ensembl": "Ensembl ids",
    "mixed": "symbols and Ensembl ids",
    "unknown": "unknown names",
}


@st.cache_resource(max_entries=16)
def _report(path: str, _changed: float, limit: float) -> FileReport:
    return check_file(Path(path), limit=int(limit * 10**9))


def file_card(path: Path) -> None:
    """Show a file that is not open yet, with the button that opens it."""
    with st.spinner("Looking into the file …"):
        report = _report(str(path), path.stat().st_mtime, state.settings().unpack_gb)
    uploaded = path.is_relative_to(state.workspace().home / "uploads")
    name = (state.kept("file_name") if uploaded else None) or path.stem
    st.subheader(name, anchor=False)
    columns = st.columns(3)
    columns[0].metric("Cells", f"{report.n_cells:,}", border=True)
    columns[1].metric("Genes", f"{report.n_genes:,}", border=True)
    columns[2].metric("Counts in", report.counts.location if report.counts else "not found", border=True)
    findings(report.findings)
    location = _where_counts_are(report)
    given = st.text_input("Name of the dataset", name, key="dataset_name")
    if st.button("Open", type="primary", key="open_file", disabled=not report.can_open, width="stretch"):
        request = Request(path=str(path), name=given or name, counts_location=location)
        state.keep("opening", state.queue().submit("opening", request, state.owner()).run)
        st.rerun()
    with st.expander("Every matrix of the file"):
        rows = [
            {"Where": m.location, "Holds": m.kind, "Stored": m.layout, "Genes": m.n_genes, "Why": m.evidence}
            for m in report.matrices
        ]
        table(pd.DataFrame(rows), key="matrices", name="matrices")
    _columns(report.columns)


def _where_counts_are(report: FileReport) -> str | None:
    """Let a matrix be chosen where there are several to read; None takes what the report names."""
    readable = [matrix.location for matrix in report.matrices if matrix.kind in READABLE]
    if report.counts is None or len(readable) < 2:
        return None
    first = readable.index(report.counts.location)
    return st.selectbox("Read the counts from", readable, first, key="counts_location")


def findings(lines: tuple[Finding, ...]) -> None:
    """List what was found, problems first."""
    for line in lines:
        mark, meaning = LEVELS[line.level]
        text = f"{mark} {escaped(line.text)}"
        st.markdown(
            f"{text} {escaped(line.hint)}" if line.hint else text,
            help=None if line.level == "ok" else meaning,
        )


def dataset_card(dataset: DatasetInfo) -> None:
    """Show a dataset that is open."""
    st.subheader(dataset.name, anchor=False)
    columns = st.columns(3)
    columns[0].metric("Cells", f"{dataset.n_cells:,}", border=True)
    columns[1].metric("Genes", f"{dataset.n_genes:,}", border=True)
    columns[2].metric("Counts in", dataset.counts.location, border=True)
    if dataset.simulated:
        st.info(
            "These cells are simulated from a network that is known; nothing here was measured.",
            icon=":material/casino:",
        )
    st.markdown(f"**Counts** {dataset.counts.how}: {escaped(dataset.counts.evidence)}")
    labels, batches = dataset.columns_of("label"), dataset.columns_of("batch")
    st.markdown(
        f"**Genes** are named by {KINDS[dataset.gene_names]}.  \n"
        f"**Known cell types** may be in: {escaped(', '.join(labels)) or 'no column'}.  \n"
        f"**Batches or donors** may be in: {escaped(', '.join(batches)) or 'no column'}."
    )
    for info in state.workspace().checkpoints():
        st.caption(escaped(info.name))
        coverage_bar(dataset, info)
    row = st.container(horizontal=True)
    for name, words in (("explore", "Draw the map"), ("annotate", "Annotate cell types")):
        row.page_link(PAGES[name].file, label=words, icon=PAGES[name].icon, query_params=state.link())
    if dataset.history:
        with st.expander("What was done on opening"):
            for line in dataset.history:
                st.markdown(f"- {escaped(line)}")
    _columns(dataset.columns)


def _columns(columns: tuple[ColumnInfo, ...]) -> None:
    with st.expander("Columns that describe cells"):
        rows = [
            {
                "Column": c.name,
                "Looks like": c.kind,
                "Why": c.reason,
                "Values": c.n_values,
                "Missing": c.n_missing,
                "Most common": ", ".join(c.values[:5]),
            }
            for c in columns
        ]
        table(pd.DataFrame(rows), key="columns", name="columns")
