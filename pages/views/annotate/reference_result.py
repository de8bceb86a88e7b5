"""What a reference says of cells: verdict, names on the map, types, fit, methods, every cell."""

from __future__ import annotations

import streamlit as st

from pages.components.finished import result_of
from pages.components.text import escaped
from pages.components.verdict_box import footer, verdict_box
from pages.components.widgets import pick, tabs
from pages.views.annotate.reference_cells import reference_cells
from pages.views.annotate.reference_confidence import reference_confidence
from pages.views.annotate.reference_fit import fit_tab, methods_tab
from pages.views.annotate.reference_map import map_tab
from pages.views.annotate.reference_types import types_tab
from scviz.metrics.evidence import Outcome
from scviz.tasks.transfer import Result
from scviz.workspace.database import Run


def reference_result(run: Run) -> None:
    """Show a finished run."""
    result = result_of(run, Result)
    verdict_box(_outcome(result), result.verdict, run=run, notes=result.notes)
    names = [one.name for one in result.methods]
    method = names[0]
    if len(names) > 1:
        method = pick(
            "Named by",
            names,
            key=f"transfer_method_{run.id}",
            first=result.chosen,
            help="The first is the plainest that no other method beats on validation cells of the reference.",
        )
    places = tabs(("Map", "Types", "Confidence", "Fit", "Methods", "Cells"), key="reference_tabs")
    with places[0]:
        map_tab(run, result, method)
    with places[1]:
        types_tab(result, method, footer=footer(run))
    with places[2]:
        threshold = reference_confidence(result, method, footer=footer(run))
    with places[3]:
        fit_tab(result)
    with places[4]:
        methods_tab(run, result)
    with places[5]:
        reference_cells(run, result, method, threshold=threshold)
    if method != result.chosen:
        st.caption(f"The verdict and the file are of {escaped(result.chosen)}.")


def _outcome(result: Result) -> Outcome:
    """Color the box: a warning where the reference does not fit, or no cluster has a counterpart."""
    fit = result.fit
    return "worse" if fit.is_foreign or (fit.far and len(fit.far) == len(fit.clusters)) else "unknown"
