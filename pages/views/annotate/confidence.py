"""Whether confidence can be taken at its word, what abstaining buys, and sets of types."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.digits import DIGITS, TENTH
from pages.components.show import download, escaped, figure, table
from scviz.datasets.columns import cell_names
from scviz.datasets.label_terms import label_terms
from scviz.metrics.evidence import Gain, Interval, counted
from scviz.metrics.rejection import leave_unnamed
from scviz.plots.calibration import abstaining_figure, reliability_figure
from scviz.tasks.annotation import MODEL, SET_WAYS, Result
from scviz.tasks.annotation.confidence import (
    Calibration,
    abstaining,
    calibrations,
    climbed,
    climbed_sentence,
    one_names,
    sets_by_way,
    sets_sentence,
    spread_sentence,
)
from scviz.tasks.annotation.set_sizes import sizes_sentence
from scviz.tasks.annotation.tables import probabilities_csv
from scviz.workspace.database import Run


def confidence_tab(run: Run, result: Result, gain: Gain, *, footer: str) -> float:
    """Show calibration, abstaining and sets; returns the least confidence of a name that was chosen."""
    found = calibrations(result)
    left, right = st.columns(2, gap="large")
    with left:
        _reliability(found, footer)
    with right:
        threshold = _abstain(result, gain, footer) if result.n_train else 0.0
    _calibration(found)
    if result.n_train:
        _sets(result)
        _one_names(run, result)
        _seeds(result)
    folder = state.workspace().dataset_folder(run.request["dataset"])
    download(
        "Probabilities of the cells that judge (CSV)",
        lambda: probabilities_csv(result, cell_names(folder)),
        name="probabilities.csv",
        key="probabilities_csv",
    )
    return threshold


def _reliability(found: dict[str, Calibration], footer: str) -> None:
    st.subheader("Is a confidence of 0.8 right in 80 % of cases?", anchor=False)
    drawing = reliability_figure({name: one.curve for name, one in found.items()}, dark=state.dark())
    figure(
        drawing,
        key="reliability",
        name="reliability",
        alt="Share of right names against confidence",
        height=360,
        footer=footer,
    )


def _calibration(found: dict[str, Calibration]) -> None:
    """Show the numbers of the curves, in all the room there is."""
    rows = [
        {
            "Confidence": name,
            "Mean": one.confidence,
            "Right": one.accuracy,
            "ECE": one.error.mean,
            "95 % interval": f"{one.error.low:.3f} to {one.error.high:.3f}"
            if one.error.known
            else "cannot tell",
            "ECE by type": one.classwise,
            "Brier": one.brier,
            "Log loss": one.log_loss,
        }
        for name, one in found.items()
    ]
    frame = pd.DataFrame(rows)
    digits = dict.fromkeys((name for name in frame.columns[1:] if name != "95 % interval"), DIGITS)
    table(frame, key="calibration", name="calibration", column_config=digits)
    st.caption(
        "Each point holds a tenth of the cells that judge. ECE: mean distance of confidence and share of right names "
        "in 15 bins, with a 95 % interval; of few cells it comes out too large. Brier: squared distance of the "
        "probabilities from the truth, 0 to 2. The temperature was fitted on other cells."
    )


def _abstain(result: Result, gain: Gain, footer: str) -> float:
    """Choose the least confidence of a name, and say what it does to the held-out cells."""
    st.subheader("What if doubtful cells stay unnamed?", anchor=False)
    threshold = st.slider(
        "Leave cells below this confidence unnamed",
        0.0,
        1.0,
        0.0,
        0.05,
        help="A cell that looks like none of the known types may be of a new one. Nothing is trained again. "
        "The authors of scBERT name every cell, too, unless asked to look for new types; then they leave cells "
        "below 0.50 unnamed.",
        key="threshold",
    )
    doubt = leave_unnamed(
        result.probabilities.max(axis=1),
        result.truth,
        result.predicted[MODEL],
        baseline=result.predicted[gain.baseline],
        threshold=threshold,
    )
    if doubt.unnamed == 1:
        st.caption(f"With {threshold:.2f}: all held-out cells unnamed.")
    else:
        st.caption(
            f"With {threshold:.2f}: {100 * doubt.unnamed:.0f} % of the held-out cells unnamed, accuracy of the others "
            f"{doubt.accuracy:.2f} (baseline on the same cells, {escaped(gain.baseline)}: "
            f"{doubt.baseline_accuracy:.2f}; the model with every cell named: {doubt.accuracy_of_all:.2f}). "
            "The table of cells shows them as unnamed; the file keeps every name with its confidence."
        )
    curve = abstaining(result)
    drawing = abstaining_figure(
        curve.named, curve.accuracy, curve.spans, thresholds=curve.thresholds, dark=state.dark()
    )
    figure(
        drawing,
        key="abstaining",
        name="abstaining",
        alt="Share of right names against share of cells named",
        height=300,
        footer=footer,
    )
    return float(threshold)


def _sets(result: Result) -> None:
    st.subheader("Sets of types", anchor=False)
    ways = sets_by_way(result)
    st.write(escaped(sets_sentence(result)))
    if not ways:
        return
    st.write(escaped(sizes_sentence(result)))
    rows = [
        {
            "Sets": SET_WAYS[one.way],
            "Promised": 100 * result.coverage,
            "Observed": 100 * one.coverage.observed.mean,
            "95 % interval": _percent(one.coverage.observed),
            "Types in a set": one.coverage.size,
            "One type": 100 * one.coverage.single,
            "None": 100 * one.coverage.empty,
            "Worst type": _worst(one.by_type),
            "In every set": ", ".join(one.in_all),
        }
        for one in ways
    ]
    percent = dict.fromkeys(("Promised", "Observed", "One type", "None"), TENTH)
    frame = pd.DataFrame(rows)
    shown = [name for name in frame.columns if name != "In every set"]  # said above; the file has them
    config = {**percent, "Types in a set": DIGITS}
    table(frame, key="sets", name="sets", column_config=config, column_order=shown)
    st.caption(
        f"In %, on the cells that judge. {counted(sum(result.calibrating), 'other cell')}, set aside, tell how "
        "odd a cell of a "
        f"type may be. The copy of the file holds the sets {SET_WAYS[result.sets_by]}. An empty set says: none of the "
        "known types at this level. A type with too few cells set aside is in every set for each type."
    )
    chosen = next(one for one in ways if one.way == result.sets_by)
    _held(chosen.by_type, "Type", "coverage_by_type")
    if chosen.by_group:
        _held(chosen.by_group, "Group held out", "coverage_by_group")


def _one_names(run: Run, result: Result) -> None:
    """Show the one name that the Cell Ontology has for each set."""
    folder = state.workspace().dataset_folder(run.request["dataset"])
    terms = label_terms(folder, result.types, run.request["label_key"])
    found = climbed(result, [one.term for one in terms])
    if found is None:
        return
    st.subheader("One name for each set", anchor=False)
    missing = [one.label for one in terms if not one.term]
    st.write(escaped(climbed_sentence(result, found)))
    rows = [
        {
            "Name": one.name,
            "Term": one.term,
            "Cells": one.n_cells,
            "Held out": one.n_judged,
            "Right": 100 * one.right,
        }
        for one in one_names(result, found)
    ]
    table(pd.DataFrame(rows), key="one_names", name="names_of_sets", column_config={"Right": TENTH})
    st.caption(
        "Where CD4 and CD8 cannot be told, a set of both is called T cell: the narrowest name that the Cell Ontology "
        "has for all types of the set. Right: % of the held-out cells of that name whose known type is of it."
        + (
            escaped(
                f" Without a term, and so never climbed from: {', '.join(missing)}; see the tab Ontology."
            )
            if missing
            else ""
        )
    )


def _held(shares: dict[str, float], what: str, name: str) -> None:
    frame = pd.DataFrame({what: list(shares), "Type in its set (%)": [100 * one for one in shares.values()]})
    table(frame, key=name, name=name, column_config={"Type in its set (%)": TENTH})


def _percent(span: Interval) -> str:
    return f"{100 * span.low:.1f} to {100 * span.high:.1f}" if span.known else "cannot tell"


def _worst(by_type: dict[str, float]) -> str:
    name = min(by_type, key=by_type.__getitem__)
    return f"{name}: {100 * by_type[name]:.0f} %"


def _seeds(result: Result) -> None:
    said = spread_sentence(result)
    if not said:
        return
    st.subheader("Other seeds", anchor=False)
    st.write(escaped(said))
    rows = [
        {
            "Seed": one.seed,
            "Cells held out": one.n,
            "Named by": "the model" if name == MODEL else name,
            "Macro-F1": one.macro_f1[name],
            "Accuracy": one.accuracy[name],
        }
        for one in result.repeats
        for name in one.macro_f1
    ]
    digits = dict.fromkeys(("Macro-F1", "Accuracy"), DIGITS)
    table(pd.DataFrame(rows), key="seeds", name="scores_by_seed", column_config=digits)
