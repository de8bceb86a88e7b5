"""The cells of one perturbation and of control, by the expression of a gene."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.components import state
from pages.components.show import figure
from pages.components.verdict_box import footer
from scviz.datasets.columns import cell_column, gene_values
from scviz.datasets.conditions import conditions_of
from scviz.datasets.screen import CONTROL, Perturbation
from scviz.plots.screen import cells_figure
from scviz.tasks.perturbation import Result
from scviz.workspace.database import Run


def cells_of_a_gene(run: Run, result: Result, at: int, *, methods: list[str]) -> None:
    """Draw the expression of a gene in each cell, beside what the methods predict."""
    tested = result.tested[at]
    folder = state.workspace().dataset_folder(run.request["dataset"])
    order = [
        *result.de_genes[at].tolist(),
        *(i for i in range(len(result.genes)) if i not in result.de_genes[at]),
    ]
    gene = st.selectbox("Gene", [result.genes[i] for i in order], key="shown_gene")
    place = result.genes.index(gene)
    rows, values = gene_values(folder, gene)
    everywhere = np.zeros(len(_codes(run)), dtype=np.float32)
    everywhere[rows] = values
    cells = {
        title: everywhere[_rows_of(run, one)]
        for title, one in (("control", CONTROL), (tested.name, tested.genes))
    }
    predicted = {result.outcomes[key].title: float(result.predicted[key][at, place]) for key in methods}
    drawing = cells_figure(cells, predicted, title=f"{gene} (log1p of scaled counts)", dark=state.dark())
    figure(
        drawing,
        key="cells",
        name=f"{tested.name}-{gene}",
        alt=f"Expression of {gene} in control cells and after perturbing {tested.name}",
        height=430,
        footer=f"{tested.name} · {gene} · {footer(run)}",
    )


@st.cache_resource(max_entries=16)
def _reading(
    dataset: str, column: str, control: str
) -> tuple[NDArray[np.int64], tuple[Perturbation | None, ...]]:
    """Return the code of each cell, and the perturbation of each code."""
    folder = state.workspace().dataset_folder(dataset)
    values, mapping = cell_column(folder, column), conditions_of(folder, column, control).mapping
    names = values.categories or ()
    return np.asarray(values.values, dtype=np.int64), tuple(mapping.get(name) for name in names)


def _codes(run: Run) -> NDArray[np.int64]:
    request = run.request
    return _reading(request["dataset"], request["column"], request.get("control", ""))[0]


def _rows_of(run: Run, perturbation: Perturbation) -> NDArray[np.int64]:
    request = run.request
    codes, perturbations = _reading(request["dataset"], request["column"], request.get("control", ""))
    return np.flatnonzero(np.isin(codes, [i for i, one in enumerate(perturbations) if one == perturbation]))
