"""How good names are, on cells that judge: confusion matrix, scores of each type and of each method."""

from __future__ import annotations

from functools import partial

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from pages.components import state
from pages.components.digits import DIGITS
from pages.components.show import downloads, escaped, figure, table
from pages.components.widgets import told_apart
from pages.views.annotate.door import clicked_square, door
from scviz.metrics.classification import confusion_matrix
from scviz.metrics.comparison import FEWEST_JUDGED
from scviz.metrics.evidence import Gain
from scviz.metrics.score_gaps import score_gaps
from scviz.metrics.scores import ClassificationScores
from scviz.plots.confusion import Show, confusion_figure
from scviz.plots.export import Kind, draw
from scviz.plots.plain_text import as_text
from scviz.plots.scores import scores_figure
from scviz.tasks.annotation import MODEL, Result
from scviz.tasks.annotation.judging import judged_scores
from scviz.workspace.database import Run

CONFUSION = "confusion"
SHOWN: dict[Show, str] = {"percent": "% of type", "counts": "cells"}
SCORES = {
    "macro_f1": (
        "Macro-F1",
        "Mean over types of F1, the harmonic mean of precision and recall; rare types count like common ones.",
    ),
    "accuracy": ("Accuracy", "Share of these cells with the right name."),
    "macro_precision": ("Precision", "Of the cells named X, the share that are X; mean over types."),
    "macro_recall": ("Recall", "Of the cells that are X, the share named X; mean over types."),
}


def metrics(result: Result, gain: Gain) -> None:
    """Show each score of the model over that of the best baseline; an arrow where the interval is on one side of 0."""
    scores = judged_scores(result)
    own, best = scores[MODEL], scores[gain.baseline]
    gaps = score_gaps(
        result.truth, result.predicted[MODEL], result.predicted[gain.baseline], n_types=len(result.types)
    )
    for column, (name, (title, meaning)) in zip(st.columns(len(SCORES)), SCORES.items(), strict=True):
        value, baseline, gap = getattr(own, name), getattr(best, name), gaps[name]
        differs = gap.known and (gap.low > 0 or gap.high < 0)
        said = (
            f"Difference {gap.mean:+.3f}, 95 % interval {gap.low:+.3f} to {gap.high:+.3f}"
            if gap.known
            else "Too few cells for an interval of the difference"
        )
        column.metric(
            title,
            f"{value:.3f}",
            f"{f'{value - baseline:+.3f}' if differs else 'cannot tell'} from {baseline:.3f}",
            delta_color="normal" if differs else "off",
            delta_arrow="auto" if differs else "off",
            help=escaped(
                f"{meaning}{_over_types(own, name)} Below: compared with {baseline:.3f} of the best baseline, "
                f"{gain.baseline}, on the same cells. "
                f"{said}."
            ),
        )


def _over_types(scores: ClassificationScores, name: str) -> str:
    """Say which types a mean is over, where these are not all."""
    if name == "accuracy" or scores.n_judged == len(scores.types):
        return ""
    return (
        f" Over the {scores.n_judged} of {len(scores.types)} types with {FEWEST_JUDGED} or more held-out cells, as in "
        "the verdict."
    )


def confusion(run: Run, result: Result, *, footer: str) -> None:
    """Draw which types are taken for which, by one method; a click on a square opens what is behind it."""
    row = st.container(horizontal=True, vertical_alignment="center")
    options = {MODEL: "the model", **{name: name for name in result.predicted if name != MODEL}}
    method = row.selectbox(
        "Named by",
        list(options),
        format_func=told_apart(options, lambda name: f"Named by {options[name]}"),
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
    height = max(280, 90 + 19 * len(result.types))
    st.plotly_chart(
        as_text(confusion_figure(counts, result.types, show=shown, clickable=True, dark=state.dark())),
        theme=None,
        key=CONFUSION,
        height=height,
        alt="Confusion matrix",
        config={"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "toImage"]},
        on_select=partial(clicked_square, CONFUSION, result.types),
        selection_mode="points",
    )
    plain = confusion_figure(counts, result.types, show=shown, dark=state.dark())
    downloads(CONFUSION, "confusion", partial(_file, plain, footer=footer))
    door(run, result, method, footer=footer)


def _file(drawing: go.Figure, kind: Kind, *, footer: str) -> bytes:
    return draw(drawing, kind, footer=footer)


def types_and_methods(result: Result, gain: Gain, *, footer: str) -> None:
    """Show the scores of each type beside the best baseline, and those of all methods."""
    scores = judged_scores(result)
    own, best = scores[MODEL], scores[gain.baseline]
    frame = pd.DataFrame(
        [
            {
                "Type": mine.name,
                "Cells": mine.support,
                "Precision": mine.precision,
                "Recall": mine.recall,
                "F1": mine.f1,
                "F1 of baseline": theirs.f1,
            }
            for mine, theirs in zip(own.types, best.types, strict=True)
        ]
    )
    digits = dict.fromkeys(frame.columns[2:], DIGITS)
    table(frame, key="types", name="scores_by_type", column_config=digits)
    st.caption(f"Baseline: {escaped(gain.baseline)}.")
    series = {"the model": [t.f1 for t in own.types], "best baseline": [t.f1 for t in best.types]}
    drawing = scores_figure(series, [t.name for t in own.types], title="F1", dark=state.dark())
    height = 140 + 26 * len(own.types)
    figure(drawing, key="f1", name="f1_by_type", alt="F1 of each type", height=height, footer=footer)
    _methods(result)


def _methods(result: Result) -> None:
    scores = judged_scores(result)
    rows = [
        {
            "Method": "the model" if name == MODEL else name,
            **{title: getattr(s, key) for key, (title, _) in SCORES.items()},
        }
        for name, s in scores.items()
    ]
    st.subheader("All methods, same cells", anchor=False)
    frame = pd.DataFrame(rows)
    digits = dict.fromkeys(frame.columns[1:], DIGITS)
    table(frame, key="methods", name="methods", column_config=digits)
    if said := _over_types(scores[MODEL], "macro_f1"):
        st.caption(escaped(f"Macro-F1, precision and recall:{said.lower()}"))
