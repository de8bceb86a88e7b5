"""Learn from the reference or take a saved one, name the cells in every way, say how far the two lie apart."""

from __future__ import annotations

from scviz.memory import peak_gb
from scviz.metrics.evidence import counted
from scviz.tasks.context import Context
from scviz.tasks.price import Price
from scviz.tasks.transfer import Request, Result
from scviz.tasks.transfer.by_dataset import name_by_dataset
from scviz.tasks.transfer.by_saved import name_by_saved
from scviz.tasks.transfer.references import find_reference


def run(request: Request, context: Context) -> Result:
    """Carry the request out; what an earlier try has read with a model is not read again."""
    kept = find_reference(context.workspace, request.reference)
    if kept is not None:
        return name_by_saved(request, kept.with_tensors(), context)
    return name_by_dataset(request, context)


def price(request: Request, context: Context) -> Price:
    """Time each model on three batches, and say what the whole will take."""
    from scviz.foundation.batching import pick_device, time_per_cell

    workspace, kept = context.workspace, find_reference(context.workspace, request.reference)
    query = workspace.dataset(request.dataset)
    n_reference = 0 if kept else workspace.dataset(request.reference).n_cells
    n_cells, seconds = query.n_cells + n_reference, 0.0
    adata = context.counts(request.dataset) if request.checkpoints else None
    for checkpoint in request.checkpoints:
        model = context.model(checkpoint, "embedding").to(pick_device(context.device))
        passes = 1 if request.tuning == "none" else 30
        seconds += time_per_cell(model, adata) * n_cells * passes
    return Price(
        seconds=seconds + 6 + 0.003 * n_cells,
        gigabytes=peak_gb() + 8 * 2000 * 4 * min(n_cells, 20_000) / 1e9,
        how=f"{counted(n_cells, 'cell')}"
        + (
            f" with {counted(len(request.checkpoints), 'model')}, timed on batches of them"
            if request.checkpoints
            else ""
        ),
    )
