"""Given labels audited: the cells whose neighbors and markers speak for another label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from pages.components import state
from pages.components.add_to_group import add_to_group
from pages.components.cell_map import Coloring, MapLook
from pages.components.digits import HUNDREDTH, TENTH
from pages.components.finished import result_of
from pages.components.job_panel import job_panel
from pages.components.newest_map import newest_map, no_map_yet, on_map
from pages.components.show import table
from pages.components.verdict_box import verdict_box
from pages.components.widgets import pick
from scviz.datasets.columns import cell_names
from scviz.datasets.label_terms import label_terms
from scviz.datasets.name_relations import coarse_label
from scviz.metrics.evidence import counted
from scviz.plots.points import category_codes, category_palette
from scviz.tasks.label_audit import Request, Result
from scviz.workspace.database import Run

TASK = "label_audit"
MOST_SHOWN = 2_000
"""Cells in the table on the page; the file holds all of them."""
STATES = ("both agree", "one disagrees", "to check")
"""What neighbors and markers say of a label."""
COLORS = ("#9FC5B5", "#E6B325", "#C8553D")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Cells that are listed."""

    rows: NDArray[np.int64]
    """(M,) rows of the dataset."""
    table: pd.DataFrame


def audit(dataset: str, column: str) -> None:
    """Offer the audit of a column of labels, and show the newest one."""
    run = _newest(dataset, column)
    if run is None:
        st.caption(
            "Each label is compared with those of the nearest cells, and with the markers that the cell expresses, "
            "found on the other half of the cells. It takes seconds."
        )
        if st.button("Audit these labels", key="audit", icon=":material/fact_check:"):
            state.queue().submit(TASK, Request(dataset=dataset, label_key=column), state.owner())
            st.rerun()
        return
    run = job_panel(run.id, key="audit_run")
    if run.state == "done":
        _show(run, result_of(run, Result))


def _newest(dataset: str, column: str) -> Run | None:
    runs = state.queue().runs(owner=state.owner(), task=TASK)
    asked = {"dataset": dataset, "label_key": column}
    return next((run for run in runs if asked.items() <= run.request.items()), None)


def _show(run: Run, result: Result) -> None:
    verdict_box(result.outcome, result.verdict, run=run, notes=result.notes)
    dataset = run.request["dataset"]
    _map(dataset, result, run.request["label_key"])
    if not len(result.rows):
        return
    _by_label(result)
    listed = _listed(dataset, result, run.request["label_key"])
    digits = dict.fromkeys(("neighbors with its label", "margin of markers"), HUNDREDTH)
    table(
        listed.table.head(MOST_SHOWN),
        key="audit_cells",
        name="labels_to_check",
        height=320,
        column_config=digits,
    )
    st.caption(
        f"{counted(len(listed.rows), 'cell')}, the clearest first. Margin of markers: correlation with the markers of "
        "the other type, less that with those of its own label."
    )
    add_to_group(dataset, listed.rows, name=f"{run.request['label_key']} to check", key="audit_group")


def _map(dataset: str, result: Result, column: str) -> None:
    drawn = newest_map(dataset)
    if drawn is None:
        no_map_yet(dataset, key="audit_first_map")
        return
    off = (result.by_neighbors != result.codes).astype(int) + (result.by_markers != result.codes)
    stand = np.where(off > 0, 1, 0)
    stand[result.rows] = 2
    look = MapLook(
        palette=category_palette(COLORS), labels=STATES, title=f"{column}, audited", missing="not judged"
    )
    codes = category_codes(np.where(result.codes >= 0, stand, -1))
    on_map(drawn, Coloring(codes=codes, look=look), key="audit_map")


def _by_label(result: Result) -> None:
    """Count, for each label, the cells that are spoken against, and what is found of labels changed as a test."""
    frame = pd.DataFrame(
        {
            "Label": result.names,
            "Cells": np.bincount(result.codes[result.codes >= 0], minlength=len(result.names)),
            "On the list": np.bincount(result.codes[result.rows], minlength=len(result.names)),
            "Most often for": [_most_often(result, k) for k in range(len(result.names))],
            "Found of changed labels (%)": 100 * result.found_of_type,
        }
    )
    table(
        frame, key="audit_labels", name="audit_by_label", column_config={"Found of changed labels (%)": TENTH}
    )
    st.caption(
        "Found of changed labels: of cells of this type whose label was changed at random as a test, the share that is "
        "found. Where it is low, the list misses much."
    )


def _most_often(result: Result, k: int) -> str:
    """Name the label that the listed cells of a label are taken for."""
    taken = result.by_markers[result.rows[result.codes[result.rows] == k]]
    return result.names[int(np.bincount(taken).argmax())] if len(taken) else ""


def _listed(dataset: str, result: Result, column: str) -> Listed:
    """Choose which cells are listed, and write a line for each."""
    folder = state.workspace().dataset_folder(dataset)
    wide = np.array([coarse_label(one.label, one.term) for one in label_terms(folder, result.names, column)])
    own, other = wide[result.codes[result.rows]], wide[result.by_markers[result.rows]]
    apart = (own != other) & (own != "") & (other != "")
    options = ["all", f"of another coarse type ({int(apart.sum()):,})", *result.names]
    choice = pick("Cells on the list", options, key=f"audit_which_{dataset}_{column}")
    kept = np.ones(len(apart), dtype=bool) if choice == options[0] else apart
    if choice in result.names:
        kept = result.codes[result.rows] == result.names.index(choice)
    rows = result.rows[kept]
    names = np.array([*result.names, ""], dtype=object)
    cells = cell_names(folder)
    frame = pd.DataFrame(
        {
            "cell": [cells[row] for row in rows],
            "label": names[result.codes[rows]],
            "neighbors and markers": names[result.by_markers[rows]],
            "another coarse type": np.where(apart[kept], "yes", ""),
            "neighbors with its label": result.own_share[rows],
            "margin of markers": result.margin[rows],
        }
    )
    return Listed(rows=rows, table=frame)
