"""Held-out cells, gradients, plain differential expression on other cells, and deletion on cells that chose nothing."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.columns import gene_blocks
from scviz.metrics.attribution import matched_agreement, rank_agreement
from scviz.metrics.many_groups import MarkerTable, many_groups
from scviz.progress import Progress
from scviz.tasks.attribution import Request, Result
from scviz.tasks.attribution.inputs import FEWEST_CELLS, Asked, gather, load_classifier
from scviz.tasks.attribution.reading import Subject, deleted, read_cells
from scviz.tasks.attribution.verdict import verdict
from scviz.tasks.context import Context

FEWEST_SEEN = 3
"""Cells in which a gene must be read to be ranked."""


def run(request: Request, context: Context) -> Result:
    """Carry the request out."""
    begun = time.monotonic()
    finished = context.finished(request.run)
    asked = gather(finished, request, context)
    classifier, adata = load_classifier(finished, request, context), context.counts(request.dataset)
    known = np.flatnonzero(classifier.encoder.column_tokens(adata.var) >= 0)
    subject = Subject(classifier=classifier, adata=adata, known=known)
    read = read_cells(subject, asked, n_steps=request.n_steps, report=context.report)
    context.report(Progress(stage="Comparing expression"))
    table = _differential(asked, request, context)
    t, levels = (values[: len(asked.kept), known] for values in (table.score, table.means))
    own, gradient, seen = (_means(values, asked) for values in (read.integrated, read.gradient, read.seen))
    halves = [_means(read.integrated, asked, asked.chooses == side) for side in (True, False)]
    sizes = np.array([(asked.types == k).sum() for k in asked.kept])
    ranked = seen * sizes[:, None] >= FEWEST_SEEN
    drop = deleted(subject, asked, (halves[0], t), levels=levels, request=request, context=context)
    agreement, by_level = rank_agreement(own, t, ranked), rank_agreement(levels, t, ranked)
    matched = [
        matched_agreement(own[k, genes], t[k, genes], levels[k, genes], seed=request.seed)
        for k, genes in enumerate(ranked)
    ]
    types = tuple(classifier.types[k] for k in asked.kept)
    bare = Result(
        types=types,
        genes=tuple(subject.genes.tolist()),
        n_cells=tuple(sizes.tolist()),
        integrated=own,
        gradient=gradient,
        seen=seen,
        differential=t.astype(np.float32),
        agreement=agreement,
        gradient_agreement=rank_agreement(gradient, t, ranked),
        level_agreement=by_level,
        repeated=rank_agreement(halves[0], halves[1], ranked),
        drop=drop,
        unexplained=read.unexplained,
        verdict="",
        notes=_notes(classifier.types, asked),
        seconds=time.monotonic() - begun,
        matched=np.array([[one.expected, one.p] for one in matched]),
        other_types=np.stack([rank_agreement(own, np.tile(one, (len(t), 1)), ranked) for one in t], axis=1),
    )
    return replace(bare, verdict=verdict(bare, request))


def _means(
    values: NDArray[np.floating] | NDArray[np.bool_], asked: Asked, among: NDArray[np.bool_] | None = None
) -> NDArray[np.float32]:
    """Average what the cells of each type say, (M, G) to (K, G), over all of them or some, (M,)."""
    some = np.ones(len(asked.types), dtype=bool) if among is None else among
    return np.stack([values[some & (asked.types == k)].mean(axis=0) for k in asked.kept]).astype(np.float32)


def _differential(asked: Asked, request: Request, context: Context) -> MarkerTable:
    """Compare each type with all others on the cells that are not asked."""
    folder = context.workspace.dataset_folder(request.dataset)
    blocks = gene_blocks(folder, len(asked.others))
    return many_groups(blocks, asked.others, int(asked.others.max()) + 1, method="welch")


def _notes(types: tuple[str, ...], asked: Asked) -> tuple[str, ...]:
    left = [name for k, name in enumerate(types) if k not in asked.kept]
    said = f"Not asked, with fewer than {FEWEST_CELLS} held-out cells: {', '.join(left)}."
    return (said,) if left else ()
