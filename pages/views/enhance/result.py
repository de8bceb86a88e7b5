"""What denoising found: verdict, every method on down-sampled cells, how the cells are spread, the file."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.digits import DIGITS
from pages.components.export import annotated_file
from pages.components.finished import result_of
from pages.components.job_panel import duration
from pages.components.runs import read_depth
from pages.components.show import escaped, figure, table
from pages.components.verdict_box import footer, verdict_box
from scviz.metrics.evidence import counted
from scviz.plots.distribution import distribution_figure
from scviz.tasks.enhancement import LAYER, MODEL, Result
from scviz.workspace.database import Run


def enhancement_result(run: Run) -> None:
    """Show a finished run."""
    result = result_of(run, Result)
    _verdict(run, result)
    _table(result)
    shown = {_title(name): values for name, values in result.correlations.items()}
    drawing = distribution_figure(shown, title="Correlation with the original cell", dark=state.dark())
    figure(
        drawing,
        key="correlations",
        name="correlations",
        alt="Correlation of each cell with what it was, by method",
        height=320,
        footer=footer(run),
    )
    st.subheader("All cells", anchor=False)
    st.caption(
        f"{counted(result.n_genes, 'gene')}, {escaped(read_depth(run))}, as log1p of counts per 10,000; "
        f"took {duration(result.seconds)}. In the file it is the layer {LAYER}; genes that the model does not "
        "know are 0 there."
    )
    if result.n_unseen:
        st.caption(f"The model sees no gene in {counted(result.n_unseen, 'cell')}; they stay empty.")
    annotated_file(run)


def _title(name: str) -> str:
    return "the model" if name == MODEL else name


def _verdict(run: Run, result: Result) -> None:
    checked = (
        f"{len(result.check_rows):,} cells were down-sampled to a tenth of their reads and denoised; each method saw "
        "the down-sampled cells only."
    )
    verdict_box(result.gain.outcome, result.gain.sentence, run=run, notes=(checked, *result.notes))


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
        {
            "Method": "the original cells",
            "Correlation": 1.0,
            "from": 1.0,
            "to": 1.0,
            "Silhouette of types": result.original_silhouette,
        }
    )
    frame = pd.DataFrame(rows)
    if not result.silhouettes:
        frame = frame.drop(columns="Silhouette of types")
    digits = dict.fromkeys(frame.columns[1:], DIGITS)
    table(frame, key="methods", name="methods", column_config=digits)
    st.caption(
        "Correlation of log1p expression over genes with the original cell: mean over cells, with the 95 % "
        "interval of a bootstrap over cells. Silhouette: how far known types stand apart among 50 principal "
        "components, -1 to 1."
    )
