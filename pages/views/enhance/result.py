"""What restoring found: verdict, every method on thinned cells, how the cells are spread, the file."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.export import annotated_file
from pages.components.finished import result_of
from pages.components.job_panel import duration
from pages.components.runs import dataset_name, model_name, read_depth
from pages.components.show import escaped, figure, table
from scviz.plots.distribution import distribution_figure
from scviz.tasks.enhancement import LAYER, MODEL, Result
from scviz.workspace.database import Run


def enhancement_result(run: Run) -> None:
    """Show a finished run."""
    result = result_of(run, Result)
    _verdict(run, result)
    _table(result)
    shown = {_title(name): values for name, values in result.correlations.items()}
    drawing = distribution_figure(shown, title="Correlation with the whole cell", dark=state.dark())
    footer = f"{dataset_name(run)} · {model_name(run)} · seed {run.request.get('seed', 0)} · run {run.id}"
    figure(
        drawing,
        key="correlations",
        name="correlations",
        alt="Correlation of each cell with what it was, by method",
        height=320,
        footer=footer,
    )
    st.subheader("All cells", anchor=False)
    st.caption(
        f"{result.n_genes:,} genes, {read_depth(run)}, as log1p of counts per 10,000; "
        f"took {duration(result.seconds)}. In the file it is the layer {LAYER}; genes that the model does not "
        "know are 0 there."
    )
    if result.n_unseen:
        st.caption(f"The model sees no gene in {result.n_unseen:,} cells; they stay empty.")
    annotated_file(run)


def _title(name: str) -> str:
    return "the model" if name == MODEL else name


def _verdict(run: Run, result: Result) -> None:
    gain = result.gain.difference
    show = st.success if gain.low > 0 else st.warning if gain.high < 0 else st.info
    show(escaped(result.gain.verdict))
    st.caption(
        f"{len(result.check_rows):,} cells were thinned to a tenth of their reads and restored; each method saw "
        "the thinned cells only."
    )
    for note in result.notes:
        st.caption(escaped(note))
    if state.workspace().checkpoint(run.request["checkpoint"]).demo:
        st.caption("Demo weights: a small model. Its numbers say nothing of the published one.")


def _table(result: Result) -> None:
    rows = [
        {
            "Method": _title(name),
            "Correlation": score.mean,
            "from": score.low,
            "to": score.high,
            "Silhouette of types": result.silhouettes.get(name, float("nan")),
        }
        for name, score in result.scores.items()
    ]
    rows.append(
        {"Method": "the whole cells", "Correlation": 1.0, "Silhouette of types": result.whole_silhouette}
    )
    frame = pd.DataFrame(rows)
    if not result.silhouettes:
        frame = frame.drop(columns="Silhouette of types")
    digits = {name: st.column_config.NumberColumn(format="%.3f") for name in frame.columns[1:]}
    table(frame, key="methods", name="methods", column_config=digits)
    st.caption(
        "Correlation of log1p expression over genes with the cell as it was: mean over cells, with the 95 % "
        "interval of a bootstrap over cells. Silhouette: how far known types stand apart among 50 principal "
        "components, -1 to 1."
    )
