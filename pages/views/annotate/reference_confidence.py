"""What leaving doubtful cells unnamed buys, and sets of types, where a reference names."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.digits import SHARE
from pages.components.show import escaped, figure, table
from scviz.metrics.conformal import least_by_chance
from scviz.plots.calibration import abstaining_figure
from scviz.tasks.transfer import Result
from scviz.tasks.transfer.held_out import COVERAGE, MAJORITY, abstaining, left_unnamed
from scviz.tasks.transfer.measured import measured_with

NOT_KEPT = (
    "How confidence did on known cells cannot be told: this reference did not keep what it said of its held-out cells. "
    "Save it again from a run to have that."
)


def reference_confidence(result: Result, method: str, *, footer: str) -> float:
    """Show abstaining and sets; returns the least confidence of a name that was chosen."""
    st.subheader("What if doubtful cells stay unnamed?", anchor=False)
    threshold = float(
        st.slider(
            "Leave cells below this confidence unnamed",
            0.0,
            1.0,
            0.0,
            0.05,
            help="A cell that looks like none of the known types may be of a new one. Nothing is computed again; the "
            "table of cells shows them without a name, and the file keeps every name with its confidence.",
            key="transfer_threshold",
        )
    )
    st.write(escaped(_said(result, method, threshold)))
    st.caption(escaped(measured_with(result, method)))
    if result.truth is None or method not in result.judged:
        st.caption(NOT_KEPT)
        return threshold
    curve = abstaining(result.truth, result.judged[method])
    drawing = abstaining_figure(
        curve.named, curve.accuracy, curve.spans, thresholds=curve.thresholds, dark=state.dark()
    )
    figure(
        drawing,
        key="transfer_abstaining",
        name="abstaining",
        alt="Share of right names against share of held-out cells named",
        height=300,
        footer=footer,
    )
    _sets(result, method)
    return threshold


def _said(result: Result, method: str, threshold: float) -> str:
    """Say what a threshold does to these cells, and to the held-out ones, whose types are known."""
    here = float(np.mean(~(result.confidence(method) >= threshold)))  # that of cells without a name is NaN
    said = f"With {threshold:.2f}: {100 * here:.0f} % of the cells here are unnamed."
    if result.truth is None or method not in result.judged:
        return said
    baseline = result.baselines.get(MAJORITY)
    if baseline is None:
        baseline = np.full(len(result.truth), np.bincount(result.truth).argmax(), dtype=np.int64)
    found = left_unnamed(result.truth, result.judged[method], baseline, threshold=threshold)
    if found.unnamed == 1:
        return f"{said} Of {result.held_out}, none is named."
    return (
        f"{said} Of {result.held_out}, {100 * found.unnamed:.0f} % are, and {100 * found.accuracy:.0f} % of the others "
        f"are named right ({100 * found.accuracy_of_all:.0f} % where every cell is named; {MAJORITY}: "
        f"{100 * found.baseline_accuracy:.0f} %)."
    )


def _sets(result: Result, method: str) -> None:
    st.subheader("Sets of types", anchor=False)
    sets, coverage, one_names = result.sets(method), result.coverage(method), result.one_names(method)
    if sets is None or coverage is None or one_names is None:
        st.write("No sets of types: too few cells of the reference could be set aside.")
        return
    observed = coverage.observed
    interval = (
        f" (95 % interval {100 * observed.low:.0f} to {100 * observed.high:.0f} %)" if observed.known else ""
    )
    least = least_by_chance(COVERAGE, n_calibrating=result.n_calibrating, n_judged=observed.n)
    st.write(
        escaped(
            f"Of {result.held_out}, {100 * observed.mean:.0f} %{interval} have their type in their set; "
            f"{100 * COVERAGE:.0f} % were promised, for cells like the {result.n_calibrating:,} that were set aside "
            f"(with so few, {100 * least:.0f} % can be chance). For another study or other donors nothing is promised."
        )
    )
    seen = result.best(method) >= 0
    sets, one_names = sets[seen], one_names[seen]
    names, first, counts = np.unique(sets.astype(str), return_index=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    frame = pd.DataFrame(
        {
            "Set": names[order],
            "One name": one_names[first[order]],
            "Cells": counts[order],
            "Share": counts[order] / len(sets),
        }
    )
    table(frame, key="transfer_sets", name="sets", column_config={"Share": SHARE})
    st.caption(
        "Each cell gets as many types as the promise takes; an empty set says that none of the known types fits. One "
        "name: the narrowest that the Cell Ontology has for all types of the set. The copy of the file and the table "
        "of cells hold both for each cell."
    )
