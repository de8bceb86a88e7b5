"""The input card: what is in a file, where its counts are and why, what can be done with it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.job_panel import job_panel
from pages.components.show import escaped, table
from pages.components.widgets import Form
from pages.views.data.columns import columns_table
from pages.views.data.read_by import read_by_models
from scviz.datasets.counts import READABLE, RELATIVE
from scviz.datasets.reports import FileReport, Finding, MatrixReport
from scviz.tasks import checking, opening
from scviz.workspace.records import stamp_of

LEVELS = {
    "stop": (":red[:material/error:]", "in the way"),
    "ask": (":orange[:material/help:]", "to be looked at"),
    "fix": (":orange[:material/build_circle:]", "mended on opening"),
    "note": (":gray[:material/info:]", ""),
}
TURNED = "file_turned"
PART = "file_part"


def file_card(path: Path) -> None:
    """Show a file that is not open yet, with the button that opens it."""
    request = checking.Request(
        path=str(path),
        turned=state.kept(f"{TURNED}_{path}") or "",
        part=state.kept(f"{PART}_{path}") or "",
        stamp=stamp_of(path),
    )
    asked = f"checking_{request.path}_{request.stamp}_{request.turned}_{request.part}"
    run = state.kept(asked)
    if run is None:
        run = state.queue().submit("checking", request, state.owner()).run
        state.keep(asked, run)
    if job_panel(run, key="check").state == "done":
        found = state.queue().result(run)
        _begin(asked, _card_name(path), found.card)
        _card(path, request, found)


def _begin(asked: str, name: str, report: FileReport) -> None:
    """Set the fields of the card to what its own file says: what was chosen for another one is not for this."""
    first = {"dataset_name": name, "counts_location": report.counts, "opening_keep_names": False}
    fresh = state.kept("card_begun") != asked
    state.keep("card_begun", asked)
    for widget, value in first.items():
        if fresh or state.held(widget) is None:
            state.preset(widget, value)


def _card(path: Path, request: checking.Request, found: checking.Result) -> None:
    report = found.card
    name = _card_name(path)
    st.subheader(escaped(name), anchor=False)
    columns = st.columns(3)
    columns[0].metric("Cells", f"{report.n_cells:,}", border=True)
    columns[1].metric("Genes", f"{report.n_genes:,}", border=True)
    columns[2].metric("Counts in", escaped(report.counts or "not found"), border=True)
    _arrival(path, found)
    findings(report.findings)
    read_by_models(found.read_by, mouse=report.genes.species == "mouse")
    _way_round(report, request)
    matrix = _where_counts_are(report)
    keep_names = bool(report.genes.changes) and Form(opening.Request, "opening", None).switch("keep_names")
    given = st.text_input("Name of the dataset", key="dataset_name")
    st.caption(
        f"Opening takes about {found.size / 1e6:,.0f} MB on the server; the file itself stays as it is."
    )
    can_open = report.can_open or (matrix is not None and not _others_stop(report))
    if st.button("Open", type="primary", key="open_file", disabled=not can_open, width="stretch"):
        ask = opening.Request(
            path=str(path),
            name=given or name,
            counts_location=matrix.location if matrix else None,
            turned=request.turned,
            part=request.part,
            keep_names=keep_names,
            stamp=request.stamp,
            relative=matrix is not None and matrix.kind in RELATIVE,
        )
        state.keep("opening", state.queue().submit("opening", ask, state.owner()).run)
        st.rerun()
    _matrices(report)
    columns_table(report.columns)


def _card_name(path: Path) -> str:
    """Return what the dataset may be called: an upload as the file of its user."""
    uploaded = path.is_relative_to(state.workspace().home / "uploads")
    return (state.kept("file_name") if uploaded else None) or path.name.split(".")[0]


def _matrices(report: FileReport) -> None:
    """List every matrix with what it is, why, and which is used."""
    with st.expander("Every matrix of the file"):
        rows = [
            {
                "Where": m.location,
                "Used": "counts" if m.location == report.counts else "",
                "Holds": m.kind,
                "Stored": m.layout,
                "Genes": m.n_genes,
                "Why": m.evidence,
            }
            for m in report.matrices
        ]
        table(pd.DataFrame(rows), key="matrices", name="matrices")


def _arrival(path: Path, found: checking.Result) -> None:
    """Say what the file is and what its reader decided; let another part of it be taken."""
    arrival = found.arrival
    if arrival is None:
        return
    st.markdown(f"{LEVELS['note'][0]} Read from {escaped(arrival.format)}.")
    findings(tuple(Finding(level="note", text=note) for note in arrival.notes))
    if len(arrival.parts) > 1:
        chosen = st.selectbox(
            "Part of the file", sorted(arrival.parts), sorted(arrival.parts).index(arrival.parts[0])
        )
        if chosen != arrival.parts[0]:
            state.keep(f"{PART}_{path}", chosen)
            st.rerun()


def _way_round(report: FileReport, request: checking.Request) -> None:
    """Let rows and columns be turned where the names leave a doubt, and back."""
    if not request.turned and all(finding.action != "turn" for finding in report.findings):
        return
    turned = request.turned == "genes" or (not request.turned and report.turned)
    words = "Read rows as cells" if turned else "Read rows as genes"
    if st.button(words, key="turn", icon=":material/swap_horiz:"):
        state.keep(f"{TURNED}_{request.path}", "cells" if turned else "genes")
        st.rerun()


def _where_counts_are(report: FileReport) -> MatrixReport | None:
    """Let a matrix be chosen where there are several to read; None takes what the report names."""
    could = {
        one.location: one
        for one in report.matrices
        if one.kind in (*READABLE, *RELATIVE, "whole numbers, no counts")
    }
    if not could or (report.counts and len(could) < 2):
        return None
    chosen = st.selectbox(
        "Read the counts from",
        list(could),
        index=0 if report.counts else None,
        format_func=lambda location: _as_chosen(could[location]),
        key="counts_location",
        placeholder="Choose a matrix all the same",
    )
    return could[chosen] if chosen else None


def _as_chosen(matrix: MatrixReport) -> str:
    """Say what is made of a matrix when it is chosen."""
    if matrix.kind in RELATIVE:
        return f"{matrix.location}: {matrix.kind}, taken as relative expression, no counts"
    return matrix.location if matrix.kind == "counts" else f"{matrix.location}: {matrix.kind}"


def _others_stop(report: FileReport) -> bool:
    """Tell whether something else than the lack of counts is in the way."""
    return any(one.level == "stop" and not one.is_doubt for one in report.findings)


def findings(lines: tuple[Finding, ...]) -> None:
    """List what was found, problems first."""
    for line in lines:
        mark, meaning = LEVELS[line.level]
        text = f"{mark} {escaped(line.text)}"
        st.markdown(f"{text} {escaped(line.hint)}" if line.hint else text, help=meaning or None)
