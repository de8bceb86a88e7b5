"""What a comparison found: scores beside the baseline, linked maps, where the methods disagree."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.digits import DIGITS
from pages.components.finished import result_of
from pages.components.runs import checkpoint_name
from pages.components.show import escaped, figure, table
from pages.components.verdict_box import footer, verdict_box
from pages.views.compare.maps import maps
from scviz.datasets.columns import cell_names
from scviz.metrics.clustering import mean_of_known
from scviz.metrics.evidence import Outcome, counted
from scviz.plots.overlap import overlap_figure
from scviz.tasks.compare import PCA, SCORES, Result, with_random_weights
from scviz.workspace.database import Run

BASELINE = "Principal components (baseline)"
UNTRAINED = "same network, random weights"


OUTCOMES: dict[Outcome, str] = {
    "better": "better",
    "worse": "worse",
    "none": "no gain",
    "unknown": "cannot tell",
}


def compare_result(run: Run) -> None:
    """Show a finished run."""
    result = result_of(run, Result)
    names = _names(result)
    verdict_box(result.outcome, result.verdict, run=run, notes=result.notes)
    _scores(run, result, names)
    maps(run, result, names)
    left, right = st.columns(2, gap="large")
    with left:
        _overlap(run, result, names)
    with right:
        _cells(run, result)


def _names(result: Result) -> dict[str, str]:
    """Name the methods, each differently."""
    names = {method: BASELINE if method == PCA else checkpoint_name(method) for method in result.methods}
    twice = {name for name in names.values() if list(names.values()).count(name) > 1}
    return {method: f"{name} ({method})" if name in twice else name for method, name in names.items()}


def _scores(run: Run, result: Result, names: Mapping[str, str]) -> None:
    """Show a row of scores per method, the baseline among them, and what each model gains by each score."""
    known = [name for name in SCORES if isfinite(getattr(result.scores[PCA], name))]
    if not known:
        return
    called = _with_untrained(result, names)
    rows = [
        {"Method": called[method], **{SCORES[s].title: getattr(result.scores[method], s) for s in known}}
        for method in called
    ]
    columns = {
        SCORES[name].title: st.column_config.NumberColumn(format="%.3f", help=SCORES[name].meaning)
        for name in known
    }
    table(pd.DataFrame(rows), key="scores", name="comparison", column_config=columns)
    st.caption(_of_which_cells(run, result, names))
    with st.expander("Differences from the baselines, with intervals"):
        _gains(result, names)


def _with_untrained(result: Result, names: Mapping[str, str]) -> dict[str, str]:
    """Name the methods, each followed by the same network with random weights where there is one."""
    called: dict[str, str] = {}
    for method, name in names.items():
        called |= {method: name, with_random_weights(method): f"{name}, {UNTRAINED}"}
    return {method: name for method, name in called.items() if method in result.scores}


def _of_which_cells(run: Run, result: Result, names: Mapping[str, str]) -> str:
    """Say on which cells, and by which columns, methods are scored."""
    judged = {"Types": run.request.get("label_key"), "Batches": run.request.get("batch_key")}
    words = [f"{escaped(role)}: {escaped(key)}" for role, key in judged.items() if key]
    unseen = [
        f"{escaped(names[m])} sees no gene in {counted(n, 'cell')}" for m, n in result.n_unseen.items() if n
    ]
    seen = f"Scores are of the {result.n_cells:,} cells that every method sees"
    return ". ".join([seen, *words, *unseen]) + "."


def _gains(result: Result, names: Mapping[str, str]) -> None:
    """List what each model gains by each score, and over the same network with random weights."""
    rows = [
        {
            "Method": names[one.method],
            "Score": SCORES[one.score].title,
            "Compared with": one.gain.baseline,
            "Difference": one.gain.difference.mean,
            "from": one.gain.difference.low,
            "to": one.gain.difference.high,
            "Told": OUTCOMES[one.gain.outcome],
        }
        for one in (*result.gains, *result.over_random)
    ]
    digits = {name: st.column_config.NumberColumn(format="%+.3f") for name in ("Difference", "from", "to")}
    table(pd.DataFrame(rows), key="gains", name="comparison_gains", column_config=digits)
    st.caption(
        "Difference: above 0 where the model is better. All models are compared with one baseline, so the intervals "
        f"are widened: all {len(result.gains)} over principal components hold together in 95 of 100 runs, and so do "
        "those over random weights. They come from halves of the cells, drawn again and again."
    )


def _overlap(run: Run, result: Result, names: Mapping[str, str]) -> None:
    st.subheader("Do methods see the same neighbors?", anchor=False)
    st.caption(
        f"Neighbors drawn at random would overlap by {result.random_overlap:.3f}.",
        help="Of the neighbors that two methods give to a cell, the share that both name (Jaccard index), "
        "averaged over cells. Computed on the vectors, not on the drawn maps.",
    )
    shown = [names[method] for method in result.methods]
    drawing = overlap_figure(result.overlap, shown, dark=state.dark())
    height = 200 + 40 * len(shown)
    figure(
        drawing, key="overlap", name="overlap", alt="Overlap of neighbors", height=height, footer=footer(run)
    )


def _cells(run: Run, result: Result) -> None:
    st.subheader("Cells on which they disagree most", anchor=False)
    st.caption(
        f"Mean disagreement {mean_of_known(result.disagreement):.2f}; random neighbors would disagree by "
        f"{1 - result.random_overlap:.2f}.",
        help="1 less the overlap of a cell's neighbors, averaged over all pairs of methods: 0 when all name the "
        "same neighbors, 1 when no two share one.",
    )
    names = cell_names(state.workspace().dataset_folder(run.request["dataset"]))
    frame = pd.DataFrame({"cell": names, "disagreement": result.disagreement})
    frame = frame.sort_values("disagreement", ascending=False)
    digits = {"disagreement": DIGITS}
    table(frame, key="cells", name="disagreement", height=300, column_config=digits)
