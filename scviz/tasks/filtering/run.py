"""Find the cells and genes that are kept, and make a dataset of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.cell_quality import MEASURES, cells_with_genes
from scviz.datasets.steps import Step, apply_step
from scviz.errors import RequestError
from scviz.metrics.evidence import counted
from scviz.metrics.thresholds import Bounds, within
from scviz.tasks.chosen_cells import chosen_rows
from scviz.tasks.context import Context
from scviz.tasks.filtering import Request, Result
from scviz.tasks.filters import Bound
from scviz.workspace.groups import copy_groups, read_groups


def run(request: Request, context: Context) -> Result:
    """Carry the request out; equal requests make one dataset.

    Raises
    ------
    RequestError
        If no cell or no gene would be left or all would, or the measures of the thresholds are not there.
    """
    before = context.workspace.dataset(request.dataset)
    folder = context.workspace.dataset_folder(request.dataset)
    kept = np.zeros(before.n_cells, dtype=bool)
    kept[chosen_rows(folder, request, before.n_cells)] = True
    kept &= _within_bounds(request, context, before.n_cells)
    if not kept.any():
        raise RequestError("No cell would be left.", hint="Choose wider thresholds or other cells.")
    genes = _genes(request, folder, kept, context=context)
    if genes is not None and not len(genes):
        raise RequestError(
            f"No gene is seen in {request.min_cells:,} of the kept cells.",
            hint="Choose a smaller number of cells.",
        )
    if kept.all() and genes is None:
        raise RequestError(
            "All cells and genes would be kept.",
            hint="Choose narrower thresholds, or go on with these cells.",
        )
    line = _line(request, kept, genes, n_genes=before.n_genes)
    step = Step(line=line, cells=None if kept.all() else kept, genes=genes)
    info = apply_step(context.workspace, request.dataset, step, name=request.name, report=context.report)
    _carry_groups(folder, context.workspace.dataset_folder(info.id), kept)
    return Result(dataset=info.id, n_cells=info.n_cells, n_genes=info.n_genes, line=line)


def _within_bounds(request: Request, context: Context, n_cells: int) -> NDArray[np.bool_]:
    """Tell which cells, (N,), are within all thresholds."""
    kept = np.ones(n_cells, dtype=bool)
    if not request.bounds:
        return kept
    try:
        finished = context.finished(request.run)
    except OSError as error:
        raise RequestError(
            f"There is no finished run {request.run!r}.", hint="Run quality control on these cells again."
        ) from error
    if finished.task != "qc" or finished.request.dataset != request.dataset:
        raise RequestError(
            f"The run {request.run!r} is no quality control of these cells.",
            hint="Run quality control on these cells first.",
        )
    for one in request.bounds:
        if one.measure not in finished.result.measures:
            raise RequestError(
                f"The run {request.run!r} has no measure {one.measure!r}.",
                hint=f"It has {', '.join(finished.result.measures)}.",
            )
        kept &= within(finished.result.measures[one.measure], Bounds(low=one.low, high=one.high))
    return kept


def _genes(
    request: Request, folder: Path, kept: NDArray[np.bool_], *, context: Context
) -> NDArray[np.int64] | None:
    """Find the genes that enough of the kept cells, (N,), have; None where all are kept."""
    if not request.min_cells:
        return None
    seen = cells_with_genes(folder, kept, context.report) >= request.min_cells
    return None if seen.all() else np.flatnonzero(seen)


def _carry_groups(parent: Path, child: Path, kept: NDArray[np.bool_]) -> None:
    """Give the groups that were named on a map to the cells that are left of them."""
    place = np.cumsum(kept) - 1
    copy_groups(child, {name: place[rows[kept[rows]]] for name, rows in read_groups(parent).items()})


def _line(request: Request, kept: NDArray[np.bool_], genes: NDArray[np.int64] | None, *, n_genes: int) -> str:
    """Say what was done, with its numbers."""
    parts = [_between(one) for one in request.bounds if one.low is not None or one.high is not None]
    parts += [f"{one.column} {' or '.join(one.values)}" for one in request.cells]
    parts += [f"the named group {request.group}"] if request.group else []
    said = f"Kept {int(kept.sum()):,} of {counted(len(kept), 'cell')}"
    said += f" ({'; '.join(parts)})" if parts else ""
    if request.min_cells:
        left = n_genes if genes is None else len(genes)
        fewest = counted(request.min_cells, "kept cell")
        said += f" and {left:,} of {counted(n_genes, 'gene')} (seen in {fewest} at least)"
    return f"{said}."


def _between(bound: Bound) -> str:
    """Write thresholds of a measure, such as "Mitochondrial at most 5.00 %"."""
    measure = MEASURES[bound.measure]
    ends = [_written(end, share=measure.share) for end in (bound.low, bound.high) if end is not None]
    if len(ends) == 2:
        return f"{measure.label} {' to '.join(ends)}"
    return f"{measure.label} {'at most' if bound.low is None else 'at least'} {ends[0]}"


def _written(value: float, *, share: bool) -> str:
    if share:
        return f"{100 * value:.4g} %"
    return f"{value:,.0f}" if value == round(value) else f"{value:.4g}"
