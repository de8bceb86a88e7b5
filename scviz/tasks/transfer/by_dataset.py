"""Name cells by a labeled dataset: every method learns from the same cells and is judged on the same others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.label_terms import label_terms
from scviz.metrics.evidence import counted
from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.transfer import Request, Result
from scviz.tasks.transfer.finishing import Named, finish
from scviz.tasks.transfer.fitting import Genes
from scviz.tasks.transfer.genes import both_have, fit_space
from scviz.tasks.transfer.judging import gain_of_models, judge_scored
from scviz.tasks.transfer.keeping import keep_rules
from scviz.tasks.transfer.labeled import Labeled, labeled_cells
from scviz.tasks.transfer.learning import (
    Cells,
    Read,
    Scored,
    after_harmony,
    by_model,
    fine_tuned,
    plain_methods,
    rows_of,
)
from scviz.tasks.transfer.placing import fit_place
from scviz.tasks.transfer.rules import probabilities
from scviz.workspace.cell_marks import MANY, share_known

MOST_TRAINED = 20_000
"""Training cells; of more, so many are drawn."""


def name_by_dataset(request: Request, context: Context) -> Result:
    """Learn the types of the reference, judge on its held-out cells, name the cells of the dataset.

    Raises
    ------
    RequestError
        If no column with cell types is named, or it cannot be learned from.
    GeneMatchError
        If next to no gene is shared.
    """
    inputs = labeled_cells(request, context.counts(request.reference))
    query = context.counts(request.dataset)
    context.report(Progress(stage="Finding shared genes"))
    both = both_have(inputs.adata, query)
    train = _drawn(inputs.split.train, request.seed)
    cells = Cells(
        reference=inputs.adata,
        query=query,
        codes=inputs.codes,
        train=train,
        judged=np.concatenate([inputs.split.validation, inputs.calibration, inputs.split.test]),
        n_types=len(inputs.types),
    )
    space = fit_space(both.reference, both.genes, train, seed=request.seed)
    context.report(Progress(stage="Learning types by genes"))
    read, scored = plain_methods(cells, space, reference=both.reference, query=both.query)
    n_plain = len(scored) + 2 * request.harmony
    scored += _others(request, context, cells, read=read, inputs=inputs)
    found = judge_scored(scored, inputs, read, train=train, seed=request.seed)
    place = fit_place(read.train, cells.known, cells.n_types, held_out=read.judged[-len(inputs.split.test) :])
    folder = context.workspace.dataset_folder(request.reference)
    ids = tuple(one.term for one in label_terms(folder, inputs.types, request.label_key))
    keep_rules(
        request,
        inputs,
        scored,
        space=space,
        place=place,
        held_out=rows_of(both.reference, inputs.split.test),
        found=found,
        ontology_ids=ids,
        context=context,
    )
    named_by = [
        probabilities(one.query, method.temperature)
        for one, method in zip(scored, found.methods, strict=True)
    ]
    return finish(
        request,
        Named(
            types=inputs.types,
            ontology_ids=ids,
            probabilities={
                one.name: named if one.checkpoint else both.query.where_read(named)
                for one, named in zip(scored, named_by, strict=True)
            },
            found=found,
        ),
        Genes(
            n_shared=len(both.genes),
            n_reference=both.n_reference,
            n_query=query.n_vars,
            read=both.read,
            taught=share_known(context.workspace.dataset_folder(request.dataset), (request.reference,))
            >= MANY,
            exact=True,
        ),
        place=place,
        pcs=both.query.where_read(read.query),
        reference_name=context.workspace.dataset(request.reference).name,
        held_out=_held_out(inputs, request),
        context=context,
        notes=(*inputs.notes, *both.query.notes()),
        gain=gain_of_models(found, n_plain=n_plain, n_types=len(inputs.types)),
        n_train=len(train),
    )


def _drawn(train: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    if len(train) <= MOST_TRAINED:
        return train
    return np.sort(np.random.default_rng(seed).choice(train, MOST_TRAINED, replace=False))


def _others(request: Request, context: Context, cells: Cells, *, read: Read, inputs: Labeled) -> list[Scored]:
    """Carry out what is asked for besides the plain methods."""
    found: list[Scored] = []
    if request.harmony:
        context.report(Progress(stage="Harmony"))
        found += after_harmony(cells, read, seed=request.seed)
    for checkpoint in request.checkpoints:
        found += by_model(cells, read, checkpoint, context=context)
        if request.tuning != "none":
            found.append(fine_tuned(cells, inputs, checkpoint, request=request, context=context))
    return found


def _held_out(inputs: Labeled, request: Request) -> str:
    n_test = len(inputs.split.test)
    whole = ", ".join(inputs.split.held_out_groups)
    of = f", all those of {request.group_key} {whole}" if request.group_key else ""
    return f"{counted(n_test, 'held-out cell')} of the reference{of}"
