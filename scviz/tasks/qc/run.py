"""Count, then look for doublets."""

from __future__ import annotations

import time

import numpy as np

from scviz.datasets.cell_quality import MEASURES, CellQuality, measure_cells
from scviz.datasets.labels import cell_labels
from scviz.metrics.evidence import counted
from scviz.metrics.thresholds import usual_bounds
from scviz.tasks.context import Context
from scviz.tasks.qc import Request, Result
from scviz.tasks.qc.doublets import Doublets, find_doublets


def run(request: Request, context: Context) -> Result:
    """Carry the request out."""
    begun = time.monotonic()
    folder = context.workspace.dataset_folder(request.dataset)
    if request.label_key:
        cell_labels(
            folder, request.label_key
        )  # refuses a column that is not there before anything is counted
    found = measure_cells(folder, context.report)
    doublets = (
        find_doublets(request, context)
        if request.doublets
        else Doublets(scores=None, thresholds={}, notes=("Doublets were not looked for.",))
    )
    scores = {} if doublets.scores is None else {"doublet_score": doublets.scores}
    return Result(
        measures=found.measures | scores,
        gene_cells=found.gene_cells,
        doublet_thresholds=doublets.thresholds,
        n_mitochondrial=found.n_mitochondrial,
        n_ribosomal=found.n_ribosomal,
        seconds=time.monotonic() - begun,
        notes=(*_notes(found), *doublets.notes),
    )


def _notes(found: CellQuality) -> tuple[str, ...]:
    """Say what could not be told."""
    notes = []
    for kind, n_genes in (("mitochondrial", found.n_mitochondrial), ("ribosomal", found.n_ribosomal)):
        if not n_genes:
            notes.append(
                f"No gene of these data is known to be {kind}, so that the {kind} share is 0 in all cells."
            )
    n_empty = int((found.measures["counts"] == 0).sum())
    if n_empty:
        notes.append(f"{counted(n_empty, 'cell')} without any counts; nothing is known of their shares.")
    n_genes_of = {"mitochondrial": found.n_mitochondrial, "ribosomal": found.n_ribosomal}
    for name, values in found.measures.items():
        if not n_genes_of.get(name, 1):  # said above
            continue
        known = values[np.isfinite(values)]
        if known.any() and usual_bounds(values).is_open:
            notes.append(
                f"No threshold is suggested for {MEASURES[name].label.lower()}: half of the cells have the same value."
            )
    return tuple(notes)
