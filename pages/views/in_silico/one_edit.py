"""What one edit did: arrows beside random genes, types, other genes, a real perturbation, cells."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.digits import SMALL
from pages.components.job_panel import duration
from pages.components.show import escaped, figure, table
from pages.components.verdict_box import footer
from pages.components.widgets import tabs
from pages.views.in_silico.arrows import draw_among_random, draw_arrows
from pages.views.in_silico.files import offer_files, published_table
from pages.views.in_silico.numbers import (
    HOW,
    digits_of,
    draw_intervals,
    effect_row,
    measure_of,
    name_of,
)
from scviz.datasets.columns import cell_names
from scviz.plots.null_band import null_figure
from scviz.tasks.in_silico import Result
from scviz.workspace.database import Run

RAW = st.column_config.NumberColumn(format="%.4g")


def edit_result(run: Run, result: Result) -> None:
    """Show one edit: arrows beside random genes, then the rest in tabs."""
    names = ["Map", "Types", "Other genes", "Real perturbation", "Cells"]
    arrows, types, genes, real, cells = tabs(names, key="in_silico_tabs")
    small = footer(run)
    with arrows:
        left, right = st.columns([5, 4])
        with left:
            draw_arrows(result, small)
        with right:
            draw_among_random(result, small)
    with types:
        _types(run, result, small)
    with genes:
        _affected(result)
    with real:
        _observed(result, small)
    with cells:
        _cells(run, result)


def _types(run: Run, result: Result, footer: str) -> None:
    if not result.types:
        st.info("Name a column with known cell types under Advanced to see each type by itself.")
        return
    frame = pd.DataFrame([{"Type": one.name, **effect_row(result, one)} for one in result.types])
    table(frame, key="by_type", name="shift_by_type", column_config=digits_of(frame))
    st.caption(HOW)
    shown = [one.to_goal or one.moved for one in result.types]
    names = [one.name for one in result.types]
    draw_intervals(names, shown, footer=footer, title=measure_of(run), key="type_intervals")


def _affected(result: Result) -> None:
    """List the genes that the edit changes most."""
    found = result.affected
    if found is None or not found.genes:
        st.info("The edit changes no other gene for the model.")
        return
    frame = pd.DataFrame(
        {
            "Gene": found.genes,
            "Change": found.change,
            "Random edits": found.random_change,
            "Cells": found.n_cells,
        }
    )
    table(
        frame,
        key="affected",
        name="other_genes",
        height=340,
        column_config={"Change": RAW, "Random edits": RAW},
    )
    predicted = "log" in found.what
    st.caption(
        f"Change: mean {escaped(found.what)}, over at most 20 cells; beside it the mean of {found.n_random:,} random "
        "edits in the same genes. A list to look at, not a test."
        + ("" if predicted else " This model predicts no expression, so the vectors of genes are compared.")
    )


def _observed(result: Result, footer: str) -> None:
    seen = result.observed
    if seen is None:
        st.info(
            "The dataset holds no real perturbation of this gene that could stand beside the simulated one. A column "
            "with values such as ctrl and GENE+ctrl is found by itself; a goal state is compared too."
        )
        return
    (st.success if seen.outcome == "better" else st.info)(escaped(seen.verdict))
    st.caption(
        escaped(
            f"Observed: mean of {seen.n_perturbed:,} cells ({seen.perturbed}) less mean of {seen.n_control:,} cells "
            f"({seen.control}), column {seen.column}, in the same embedding. Predicted: mean shift of "
            f"{result.effects[0].n_cells:,} cells."
        )
    )
    names = [" + ".join(genes) for genes in result.random_genes]
    labels = names if len(names) == len(seen.random) else [f"random {i + 1}" for i in range(len(seen.random))]
    drawing = null_figure(
        seen.in_few_cells,
        name_of(result),
        list(seen.random),
        names=labels,
        title="Cosine of simulated and observed shift",
        dark=state.dark(),
    )
    figure(
        drawing, key="observed", name="observed", alt="Simulated beside observed", height=380, footer=footer
    )


def _cells(run: Run, result: Result) -> None:
    names = cell_names(state.workspace().dataset_folder(run.request["dataset"]))
    frame = pd.DataFrame({"cell": [names[row] for row in result.rows], "moved": result.moved[0]})
    if result.to_goal is not None and result.to_start is not None:
        frame["to_goal"], frame["to_start"] = result.to_goal[0], result.to_start[0]
    small = dict.fromkeys(frame.columns[1:], SMALL)
    table(frame, key="moved_cells", name="moved_cells", height=320, column_config=small)
    took = duration(run.ended - run.started)
    st.caption(
        f"{len(result.rows):,} of {result.n_chosen:,} chosen cells. Took {took}. Run {escaped(run.id)}."
    )
    published_table(result)
    offer_files(run, result)
