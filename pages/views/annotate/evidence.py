"""Evidence for a name: markers in these cells, known markers, cells that are named wrong for sure, genes it goes by."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.add_to_group import add_to_group
from pages.components.digits import DIGITS, HUNDREDTH
from pages.components.finished import result_of
from pages.components.job_panel import job_panel
from pages.components.show import escaped, table
from pages.components.verdict_box import verdict_box
from pages.components.widgets import pick
from pages.views.annotate.evidence_summary import names_and_evidence, newest_of
from scviz.datasets.columns import cell_names
from scviz.metrics.evidence import counted
from scviz.tasks import attribution, markers
from scviz.tasks.annotation import MODEL, Result
from scviz.tasks.attribution.verdict import outcome
from scviz.tasks.markers.ranking import markers_of
from scviz.workspace.database import Run

SURE = 0.8
"""Confidence to begin with."""
MOST_MARKERS = 10


def evidence(run: Run, result: Result) -> None:
    """Show what speaks for the names of a finished run, type by type."""
    kind = pick("Type", result.types, key=f"evidence_{run.id}")
    names_and_evidence(run, result, kind)
    _markers(run, kind)
    if len(result.test_rows):
        _sure_and_wrong(run, result, kind)
    if len(result.test_rows):
        _genes(run, kind)


def _markers(run: Run, kind: str) -> None:
    """Show the markers of a type in these cells, and known markers that they resemble."""
    st.markdown("**Markers in these cells**")
    column, dataset = run.request["label_key"], run.request["dataset"]
    if not column:
        st.caption(
            "No column with known types was chosen, so there are no cells of each type to find markers on."
        )
        return
    asked = {"dataset": dataset, "column": column}
    found = newest_of("markers", asked)
    if found is None:
        if st.button("Find the markers of all types", key="evidence_markers", icon=":material/biotech:"):
            state.queue().submit("markers", markers.Request(**asked), state.owner())
            st.rerun()
        return
    found = job_panel(found.id, key="evidence_markers_run")
    if found.state != "done":
        return
    known = result_of(found, markers.Result)
    if kind not in known.names:
        st.caption(f"{escaped(kind)} has too few cells for markers.")
        return
    k = known.names.index(kind)
    places = markers_of(known, k)[:MOST_MARKERS]
    st.text(", ".join(known.genes[i] for i in places) or "none")
    said = known.suggestions[k]
    shared = ", ".join(said.genes)
    st.caption(
        escaped(
            f"Known markers: most like {said.name}, which shares {shared} (so many by chance: {said.expected:.1f})."
            if said.name
            else "Known markers: no list of scviz holds more of these genes than expression-matched random ones."
        )
    )


def _sure_and_wrong(run: Run, result: Result, kind: str) -> None:
    """List held-out cells of a type that were named otherwise with much confidence."""
    st.markdown("**Sure of and wrong about**")
    least = st.slider("Confidence at least", 0.0, 1.0, SURE, 0.05, key="evidence_confidence")
    named, code = result.predicted[MODEL], result.types.index(kind)
    confidence = result.probabilities.max(axis=1)
    of_type = (result.truth == code) | (named == code)
    wrong = np.flatnonzero(of_type & (named != result.truth) & (confidence >= least))
    sure = int((of_type & (confidence >= least)).sum())
    st.caption(
        f"Of {counted(sure, 'cell')} that are {escaped(kind)} or were named so, with a confidence of {least:.2f} or "
        f"more, {len(wrong):,} {'is' if len(wrong) == 1 else 'are'} named wrong. Only cells that judge are listed."
    )
    if not len(wrong):
        return
    rows = result.test_rows[wrong[np.argsort(-confidence[wrong], kind="stable")]]
    order = wrong[np.argsort(-confidence[wrong], kind="stable")]
    cells = cell_names(state.workspace().dataset_folder(run.request["dataset"]))
    frame = pd.DataFrame(
        {
            "cell": [cells[row] for row in rows],
            "known": [result.types[k] for k in result.truth[order]],
            "named": [result.types[k] for k in named[order]],
            "confidence": confidence[order],
        }
    )
    table(
        frame,
        key="evidence_wrong",
        name="sure_and_wrong",
        height=200,
        column_config={"confidence": HUNDREDTH},
    )
    add_to_group(run.request["dataset"], rows, name=f"{kind}, sure and wrong", key="evidence_group")


def _genes(run: Run, kind: str) -> None:
    """Show the genes that the classifier goes by, beside plain differential expression."""
    st.markdown("**Genes that the classifier goes by**")
    found = newest_of("attribution", {"dataset": run.request["dataset"], "run": run.id})
    if found is None:
        st.caption(
            "Integrated gradients over the genes of some held-out cells of each type, compared with plain differential "
            "expression on other cells; the first genes are then deleted in cells that did not choose them. Minutes."
        )
        if st.button("Ask the classifier", key="evidence_genes", icon=":material/genetics:"):
            asked = attribution.Request(dataset=run.request["dataset"], run=run.id)
            state.queue().submit("attribution", asked, state.owner())
            st.rerun()
        return
    found = job_panel(found.id, key="evidence_genes_run")
    if found.state == "done":
        _attribution(found, result_of(found, attribution.Result), kind)


def _attribution(run: Run, result: attribution.Result, kind: str) -> None:
    judged = outcome(result, n_deleted=run.request["n_deleted"])
    verdict_box(judged, result.verdict, run=run, notes=result.notes)
    if kind not in result.types:
        st.caption(f"{escaped(kind)} has too few held-out cells.")
        return
    k = result.types.index(kind)
    st.caption(escaped(_of_type(result, k)))
    ranks = np.empty(len(result.genes), dtype=int)
    ranks[np.argsort(-result.differential[k], kind="stable")] = np.arange(1, len(ranks) + 1)
    order = np.argsort(-result.integrated[k], kind="stable")
    frame = pd.DataFrame(
        {
            "Gene": [result.genes[i] for i in order],
            "Integrated gradients": result.integrated[k, order],
            "Gradient x input": result.gradient[k, order],
            "Read in cells (%)": 100 * result.seen[k, order],
            "Welch's t": result.differential[k, order],
            "Rank by t": ranks[order],
        }
    )
    columns = {"Integrated gradients": DIGITS, "Gradient x input": DIGITS, "Welch's t": HUNDREDTH}
    columns |= {"Read in cells (%)": HUNDREDTH}
    table(frame, key="evidence_attribution", name="genes_behind_names", height=320, column_config=columns)


def _of_type(result: attribution.Result, k: int) -> str:
    """Say what was found of one type."""
    random = result.drop[k, 2:]
    return (
        f"{result.types[k]}, {counted(result.n_cells[k], 'held-out cell')}: rank correlation with plain differential "
        f"expression {result.agreement[k]:.2f} (gradient x input {result.gradient_agreement[k]:.2f}; expression alone "
        f"{result.level_agreement[k]:.2f}), between the two halves of the cells {result.repeated[k]:.2f}. Without "
        f"the first genes the score falls by {result.drop[k, 0]:.2f}, without the first by expression by "
        f"{result.drop[k, 1]:.2f}, without random ones by {random.min():.2f} to {random.max():.2f}. The integral "
        f"misses {100 * result.unexplained:.0f} % of the score (median over cells)."
    )
