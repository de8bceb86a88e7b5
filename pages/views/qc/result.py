"""What quality control found: thresholds to move, what is lost by them, and Apply."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.components import state
from pages.components.finished import result_of
from pages.components.show import escaped, figure
from pages.components.steps import apply_step
from pages.components.verdict_box import footer, verdict_box
from pages.components.widgets import Form, tabs
from pages.views.qc.losses import losses_by, show_losses
from pages.views.qc.thresholds import thresholds, title
from scviz.datasets.cell_quality import MEASURES
from scviz.datasets.columns import n_cells_with
from scviz.metrics.evidence import counted
from scviz.metrics.thresholds import Bounds, Loss
from scviz.plots.quality import depth_scatter
from scviz.tasks import filtering
from scviz.tasks.filters import Bound
from scviz.tasks.qc import Request, Result
from scviz.tasks.qc.suggesting import RULE, at_first, kept_cells, suggested
from scviz.tasks.qc.telling import kept_sentence, lost_by_measure, warnings
from scviz.workspace import DatasetInfo
from scviz.workspace.database import Run

MOST_COUNTED = 20_000
"""Of more cells, genes of the kept ones are counted when the step is made."""


def qc_result(run: Run, request: Request) -> None:
    """Show a finished run.

    Parameters
    ----------
    request
        The question as it stands on the page: by which groups losses are counted, and the rule of the thresholds.
    """
    result = result_of(run, Result)
    dataset = state.workspace().dataset(run.request["dataset"])
    box = st.container()  # says what the fields below it amount to
    names = [name for name in MEASURES if name in result.measures]
    measures = {name: result.measures[name] for name in names}
    bounds_suggested = suggested(result, request.n_mads)
    bounds = thresholds(
        measures,
        bounds_suggested,
        at_first(bounds_suggested),
        key=f"{run.id}_{request.n_mads:g}",
        footer=footer(run),
    )
    st.caption(RULE.format(n_mads=float(request.n_mads)))
    kept = kept_cells(measures, bounds)
    types, batches = losses_by(dataset, request.label_key, kept), losses_by(dataset, request.batch_key, kept)
    with box:
        _verdict(run, result, kept, types=types, batches=batches)
        _by_measure(measures, bounds)
    _apply(run, dataset, bounds, kept=kept, result=result)
    _lost(run, request, types, batches=batches)
    _scatter(run, measures, bounds, kept=kept)


def _verdict(
    run: Run,
    result: Result,
    kept: NDArray[np.bool_],
    *,
    types: tuple[Loss, ...],
    batches: tuple[Loss, ...],
) -> None:
    """Say what is kept of (N,) cells, and warn of groups that would go."""
    verdict_box("none", kept_sentence(kept, types), run=run, notes=result.notes)
    for sentence in (*warnings(types), *warnings(batches)):
        st.warning(escaped(sentence), icon=":material/warning:")


def _by_measure(measures: Mapping[str, NDArray[np.float64]], bounds: Mapping[str, Bounds]) -> None:
    """Say how many cells each threshold alone costs; (N,) each."""
    lost = lost_by_measure(measures, bounds)
    if lost:
        parts = ", ".join(f"{escaped(label.lower())} {n:,}" for label, n in lost.items())
        st.caption(f"Lost by each measure alone: {parts}; a cell may be lost by several.")


def _apply(
    run: Run,
    dataset: DatasetInfo,
    bounds: Mapping[str, Bounds],
    *,
    kept: NDArray[np.bool_],
    result: Result,
) -> None:
    """Offer to make the step that keeps these of (N,) cells."""
    left, middle, right = st.columns([3, 5, 3], vertical_alignment="bottom")
    min_cells = Form(filtering.Request, "filtering").number("min_cells", left)
    middle.caption(_genes_lost(dataset, kept, min_cells, result=result))
    moved = tuple(
        Bound(measure=name, low=one.low, high=one.high) for name, one in bounds.items() if not one.is_open
    )
    possible = kept.any() and not any(one.is_empty for one in bounds.values())
    nothing = not possible or not (moved or min_cells)
    if right.button("Apply", type="primary", key="apply", width="stretch", disabled=nothing):
        apply_step(
            "filtering",
            filtering.Request(
                dataset=dataset.id, run=run.id if moved else "", bounds=moved, min_cells=min_cells
            ),
        )


@st.cache_data(max_entries=16)
def _seen(folder: str, kept: bytes) -> NDArray[np.int64]:
    """Count the kept cells with each gene, (G,)."""
    rows = np.flatnonzero(np.frombuffer(kept, dtype=bool))
    return n_cells_with(state.workspace().dataset_folder(folder), rows, len(kept))


def _genes_lost(dataset: DatasetInfo, kept: NDArray[np.bool_], min_cells: int, *, result: Result) -> str:
    """Say how many genes too few of (N,) cells have."""
    if not min_cells:
        return f"All {counted(dataset.n_genes, 'gene')} are kept."
    if len(kept) > MOST_COUNTED:
        lost = int((result.gene_cells < min_cells).sum())
        return (
            f"{lost:,} of {counted(dataset.n_genes, 'gene')} at least are left out; counted exactly by Apply."
        )
    lost = int((_seen(dataset.id, kept.tobytes()) < min_cells).sum())
    return (
        f"{lost:,} of {counted(dataset.n_genes, 'gene')} {'is' if lost == 1 else 'are'} seen in fewer than "
        f"{counted(min_cells, 'kept cell')} and left out."
    )


def _lost(run: Run, request: Request, types: tuple[Loss, ...], *, batches: tuple[Loss, ...]) -> None:
    """Show what is lost by type and by batch."""
    shown = {
        name: (found, column)
        for name, found, column in (("type", types, request.label_key), ("batch", batches, request.batch_key))
        if found and column
    }
    if not shown:
        st.info("Choose a column with cell types or batches on the left to see what each of them loses.")
        return
    titles = [f"Lost by {escaped(column)}" for _, column in shown.values()]
    for tab, (name, (found, column)) in zip(tabs(titles, key="qc_tabs"), shown.items(), strict=True):
        with tab:
            show_losses(found, column, key=name, footer=footer(run))


def _scatter(
    run: Run,
    measures: Mapping[str, NDArray[np.float64]],
    bounds: Mapping[str, Bounds],
    *,
    kept: NDArray[np.bool_],
) -> None:
    """Draw counts against genes of (N,) cells."""
    depth = {MEASURES[name].label: (measures[name], bounds[name]) for name in ("counts", "genes")}
    color_title = title(MEASURES["mitochondrial"])
    drawing = depth_scatter(
        depth, 100 * measures["mitochondrial"], kept, color_title=color_title, dark=state.dark()
    )
    alt = "Counts against genes of each cell, colored by mitochondrial share"
    figure(drawing, key="depth", name="qc_counts_genes", alt=alt, height=420, footer=footer(run))
