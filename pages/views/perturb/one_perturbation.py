"""One perturbation of a screen: predicted against measured changes, and the cells of a gene."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from pages.components import state
from pages.components.digits import DIGITS
from pages.components.show import escaped, figure, table
from pages.components.verdict_box import footer
from pages.components.widgets import told_apart
from pages.views.perturb.cells import cells_of_a_gene
from scviz.metrics.evidence import counted
from scviz.metrics.perturbation_table import METRICS, SUBGROUPS
from scviz.plots.screen import change_figure
from scviz.tasks.perturbation import HALVES, Result
from scviz.workspace.database import Run

GENE_SETS = {"all": "All genes", "expressed": "1,000 most expressed genes", "de": "20 most changed genes"}
VALUES = {"change": "Change", "level": "Expression"}
MOST_EXPRESSED = 1000


def one_perturbation(run: Run, result: Result) -> None:
    """Show what a method predicts for a perturbation, beside what was measured."""
    st.subheader("One perturbation", anchor=False)
    names = {one.name: i for i, one in enumerate(result.tested)}
    names |= {"+".join(one): len(result.tested) + i for i, one in enumerate(result.asked)}
    row = st.columns([3, 4, 3, 3])
    name = row[0].selectbox("Perturbation", _interesting(result, names), key="perturbation")
    at = names[name]
    methods = [key for key, values in result.predicted.items() if np.isfinite(values[at]).all()]
    if not methods:
        st.info("No method can predict this perturbation; “How it was made” says why.")
        return
    method = row[1].selectbox(
        "Method",
        methods,
        index=len(methods) - 1,
        format_func=told_apart(methods, lambda key: result.outcomes[key].title),
        key="shown_method",
    )
    genes = row[2].selectbox("Genes", list(GENE_SETS), format_func=GENE_SETS.__getitem__, key="gene_set")
    values = row[3].selectbox("Values", list(VALUES), format_func=VALUES.__getitem__, key="values")
    if at >= len(result.tested):
        st.caption("The screen does not hold this perturbation: there is nothing to judge the prediction by.")
        _asked_table(result, at, method)
        return
    left, right = st.columns([6, 5], gap="medium")
    with left:
        _changes(run, result, at, method=method, genes=genes, values=values)
    with right:
        cells_of_a_gene(run, result, at, methods=methods)


def _interesting(result: Result, names: dict[str, int]) -> list[str]:
    """Put pairs first, those with most cells in front."""
    n_cells = {one.name: (len(one.genes), one.n_cells) for one in result.tested}
    return sorted(names, key=lambda name: n_cells.get(name, (0, 0)), reverse=True)


def _changes(run: Run, result: Result, at: int, *, method: str, genes: str, values: str) -> None:
    tested = result.tested[at]
    chosen = _gene_rows(result, at, genes)
    observed, predicted = result.observed[at], result.predicted[method][at]
    if values == "change":
        observed, predicted = observed - result.control, predicted - result.control_predicted
    marked = np.isin(chosen, result.de_genes[at])
    drawing = change_figure(
        observed[chosen],
        predicted[chosen],
        [result.genes[i] for i in chosen],
        marked=marked,
        what="change" if values == "change" else "log expression",
        dark=state.dark(),
    )
    figure(
        drawing,
        key="changes",
        name=f"{tested.name}-{values}",
        alt=f"Predicted against measured {values} of genes after perturbing {tested.name}",
        height=430,
        footer=f"{tested.name} · {result.outcomes[method].title} · {footer(run)}",
    )
    if values == "level":
        st.caption(
            ":material/warning: Expression itself correlates above 0.9 with any prediction, even with no change: "
            "judge methods by the change."
        )
    scores = dict(zip(METRICS, result.scores[method][:, at].tolist(), strict=True))
    half = dict(zip(METRICS, result.scores[HALVES][:, at].tolist(), strict=True))
    mean = dict(zip(METRICS, result.scores["train_mean"][:, at].tolist(), strict=True))
    st.caption(
        f"{counted(tested.n_cells, 'cell')}; {escaped(SUBGROUPS.get(tested.subgroup, tested.subgroup))}. "
        "Correlation of changes "
        f"{scores['pearson_delta']:.2f} over all genes, {scores['pearson_delta_de']:.2f} over the 20 most changed; the "
        f"mean of perturbations has {mean['pearson_delta']:.2f} and {mean['pearson_delta_de']:.2f}. One half of the "
        f"cells predicts the other with {half['pearson_delta']:.2f} over all genes.",
        help=METRICS["pearson_delta_de"].how,
    )
    _genes_table(result, at)


def _gene_rows(result: Result, at: int, genes: str) -> NDArray[np.int64]:
    if genes == "de":
        return np.asarray(result.de_genes[at])
    if genes == "expressed":
        return np.argsort(-result.control, kind="stable")[:MOST_EXPRESSED]
    return np.arange(len(result.genes))


def _genes_table(result: Result, at: int) -> None:
    """List every gene with what was measured and what each method predicts."""
    with st.expander("All genes as a table"):
        rows = {
            "gene": result.genes,
            "control": result.control,
            "control of predictions": result.control_predicted,
            "measured change": result.observed[at] - result.control,
        }
        for key, values in result.predicted.items():
            rows[result.outcomes[key].title] = values[at] - result.control_predicted
        frame = pd.DataFrame(rows)
        frame = frame.sort_values("measured change", key=np.abs, ascending=False)
        digits = dict.fromkeys(frame.columns[1:], DIGITS)
        table(frame, key="genes", name=f"{result.tested[at].name}-genes", height=280, column_config=digits)


def _asked_table(result: Result, at: int, method: str) -> None:
    change = result.predicted[method][at] - result.control_predicted
    frame = pd.DataFrame({"gene": result.genes, "control": result.control, "predicted change": change})
    frame = frame.sort_values("predicted change", key=np.abs, ascending=False)
    digits = dict.fromkeys(frame.columns[1:], DIGITS)
    table(frame, key="asked", name="prediction", height=360, column_config=digits)
