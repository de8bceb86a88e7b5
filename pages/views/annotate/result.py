"""What a run of cell types found: verdict, scores beside the baselines, confusion matrix, every cell's name."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.export import annotated_file
from pages.components.finished import result_of
from pages.components.job_panel import curve, duration
from pages.components.show import escaped, figure, table
from pages.components.verdict_box import footer, verdict_box
from scviz.datasets.columns import cell_names
from scviz.metrics.classification import confusion_matrix
from scviz.metrics.comparison import MEANING
from scviz.metrics.rejection import leave_unnamed
from scviz.plots.confusion import Show, confusion_figure
from scviz.plots.scores import scores_figure
from scviz.tasks.annotation import MODEL, Result
from scviz.workspace.database import Run

SHOWN: dict[Show, str] = {"percent": "% of type", "counts": "cells"}
SCORES = {
    "macro_f1": (
        "Macro-F1",
        "Mean over types of F1, the harmonic mean of precision and recall; rare types count like common ones.",
    ),
    "accuracy": ("Accuracy", "Share of held-out cells with the right name."),
    "macro_precision": ("Precision", "Of the cells named X, the share that are X; mean over types."),
    "macro_recall": ("Recall", "Of the cells that are X, the share named X; mean over types."),
}


def annotation_result(run: Run) -> None:
    """Show a finished run."""
    result = result_of(run, Result)
    _verdict(run, result)
    _metrics(result)
    confusion, types, learning, cells = st.tabs(
        ["Confusion", "Types", "Learning", "Cells"], key="annotate_tabs"
    )
    with confusion:
        _confusion(result, footer(run))
    with types:
        _types(result, footer(run))
    with learning:
        curve(run.id)
        st.caption(
            f"Trained on {result.n_train:,} cells, checked on {result.n_validation:,}; "
            f"the weights of epoch {result.best_epoch + 1} of {len(result.losses)} were kept. "
            f"Took {duration(run.ended - run.started)}."
        )
    with cells:
        _cells(run, result)


def _verdict(run: Run, result: Result) -> None:
    verdict_box(result.gain.outcome, result.gain.sentence, run=run, notes=(MEANING, *result.notes))


def _metrics(result: Result) -> None:
    """Show each score of the model over that of the best baseline."""
    own, best = result.scores[MODEL], result.scores[result.gain.baseline]
    for column, (name, (title, meaning)) in zip(st.columns(len(SCORES)), SCORES.items(), strict=True):
        value, baseline = getattr(own, name), getattr(best, name)
        column.metric(
            title,
            f"{value:.3f}",
            f"{value - baseline:+.3f} compared with {baseline:.3f}",
            help=f"{meaning} Below: the best baseline, {result.gain.baseline}, on the same cells.",
        )


def _confusion(result: Result, footer: str) -> None:
    row = st.container(horizontal=True, vertical_alignment="center")
    options = {MODEL: "the model", **{name: name for name in result.predicted if name != MODEL}}
    method = row.selectbox(
        "Named by",
        list(options),
        format_func=lambda name: f"Named by {options[name]}",
        key="confusion_method",
        label_visibility="collapsed",
        width=420,
    )
    shown: Show = row.segmented_control(
        "Numbers",
        SHOWN,
        default="percent",
        required=True,
        key="confusion_show",
        label_visibility="collapsed",
        format_func=SHOWN.__getitem__,
    )
    counts = confusion_matrix(result.truth, result.predicted[method], len(result.types))
    drawing = confusion_figure(counts, result.types, show=shown, dark=state.dark())
    height = max(280, 90 + 19 * len(result.types))
    figure(drawing, key="confusion", name="confusion", alt="Confusion matrix", height=height, footer=footer)


def _types(result: Result, footer: str) -> None:
    own, best = result.scores[MODEL], result.scores[result.gain.baseline]
    frame = pd.DataFrame(
        [
            {
                "Type": mine.name,
                "Cells held out": mine.support,
                "Precision": mine.precision,
                "Recall": mine.recall,
                "F1": mine.f1,
                "F1 of baseline": theirs.f1,
            }
            for mine, theirs in zip(own.types, best.types, strict=True)
        ]
    )
    digits = {name: st.column_config.NumberColumn(format="%.3f") for name in frame.columns[2:]}
    table(frame, key="types", name="scores_by_type", column_config=digits)
    st.caption(f"Baseline: {result.gain.baseline}.")
    series = {"the model": [t.f1 for t in own.types], "best baseline": [t.f1 for t in best.types]}
    drawing = scores_figure(series, [t.name for t in own.types], title="F1", dark=state.dark())
    figure(
        drawing,
        key="f1",
        name="f1_by_type",
        alt="F1 of each type",
        height=140 + 26 * len(own.types),
        footer=footer,
    )
    rows = [
        {
            "Method": "the model" if name == MODEL else name,
            **{title: getattr(s, key) for key, (title, _) in SCORES.items()},
        }
        for name, s in result.scores.items()
    ]
    st.subheader("All methods, same cells", anchor=False)
    methods = pd.DataFrame(rows)
    table(
        methods,
        key="methods",
        name="methods",
        column_config={name: st.column_config.NumberColumn(format="%.3f") for name in methods.columns[1:]},
    )


def _cells(run: Run, result: Result) -> None:
    threshold = _threshold(result)
    folder = state.workspace().dataset_folder(run.request["dataset"])
    names = [*result.types, "not seen"]
    frame = pd.DataFrame(
        {
            "cell": cell_names(folder),
            "named": [names[code] for code in result.all_predicted],
            "confidence": result.all_confidence,
        }
    )
    frame.loc[frame["confidence"] < threshold, "named"] = "unnamed"
    role = pd.Series("", index=frame.index)
    role.iloc[result.test_rows] = "held out"
    frame["role"] = role
    known = pd.Series("", index=frame.index)
    known.iloc[result.test_rows] = [result.types[code] for code in result.truth]
    frame["known type (held out)"] = known
    table(
        frame,
        key="cells",
        name="cell_types",
        height=360,
        column_config={"confidence": st.column_config.NumberColumn(format="%.2f")},
    )
    st.caption("Cells that were trained on are named too; only those held out say how good the names are.")
    annotated_file(run)


def _threshold(result: Result) -> float:
    """Choose the least confidence of a name, and say what it does to the held-out cells."""
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
    best = result.gain.baseline
    doubt = leave_unnamed(
        result.probabilities.max(axis=1),
        result.truth,
        result.predicted[MODEL],
        baseline=result.predicted[best],
        threshold=threshold,
    )
    if doubt.unnamed == 1:
        st.caption(f"With {threshold:.2f}: all held-out cells unnamed.")
    else:
        st.caption(
            f"With {threshold:.2f}: {doubt.unnamed:.0%} of the held-out cells unnamed, accuracy of the others "
            f"{doubt.accuracy:.2f} (baseline on the same cells, {escaped(best)}: {doubt.baseline_accuracy:.2f}; "
            f"the model with every cell named: {doubt.accuracy_of_all:.2f}). "
            "The file below keeps every name with its confidence."
        )
    return float(threshold)
