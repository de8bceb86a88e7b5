"""Name cells by a labeled dataset: every method learns from the same cells and is judged on the same others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.label_terms import label_terms
from scviz.metrics.classification import accuracy
from scviz.metrics.comparison import Names, compare
from scviz.metrics.evidence import Gain
from scviz.metrics.scores import classification_scores
from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.transfer import Method, Request, Result
from scviz.tasks.transfer.finishing import Named, chosen_method, finish
from scviz.tasks.transfer.fitting import Genes
from scviz.tasks.transfer.genes import Shared, both_have, fit_space
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
)
from scviz.tasks.transfer.placing import fit_place
from scviz.tasks.transfer.rules import probabilities, temperature_of

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
    genes, reference_counts, query_counts = both_have(inputs.adata, query)
    split, train = inputs.split, _drawn(inputs.split.train, request.seed)
    cells = Cells(
        reference=inputs.adata,
        query=query,
        codes=inputs.codes,
        train=train,
        judged=np.concatenate([split.validation, split.test]),
        n_types=len(inputs.types),
    )
    space = fit_space(reference_counts, genes, train, seed=request.seed)
    context.report(Progress(stage="Learning types by genes"))
    read, scored = plain_methods(cells, space, reference=reference_counts, query=query_counts)
    n_plain = len(scored) + 2 * request.harmony
    scored += _others(request, context, cells, read=read, inputs=inputs)
    n_validation = len(split.validation)
    methods = tuple(_method(one, cells, inputs, n_validation=n_validation) for one in scored)
    place = fit_place(read.train, cells.known, cells.n_types, held_out=read.judged[n_validation:])
    folder = context.workspace.dataset_folder(request.reference)
    ids = tuple(one.term for one in label_terms(folder, inputs.types, request.label_key))
    keep_rules(
        request, inputs, scored, space=space, place=place, methods=methods, ontology_ids=ids, context=context
    )
    predicted = {one.name: _named(one.judged[n_validation:]) for one in scored}
    truth = inputs.codes[split.test]
    return finish(
        request,
        Named(
            types=inputs.types,
            ontology_ids=ids,
            methods=methods,
            probabilities={
                one.name: probabilities(one.query, method.temperature)
                for one, method in zip(scored, methods, strict=True)
            },
            n_validation=n_validation,
        ),
        _genes(genes, inputs, query.n_vars, counts=reference_counts),
        place=place,
        pcs=read.query,
        reference_name=context.workspace.dataset(request.reference).name,
        held_out=_held_out(inputs, request),
        context=context,
        notes=inputs.notes,
        gain=_gain(truth, predicted, methods, n_plain=n_plain, n_validation=n_validation),
        truth=truth,
        predicted=predicted,
        n_train=len(train),
        n_validation=n_validation,
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


def _method(one: Scored, cells: Cells, inputs: Labeled, *, n_validation: int) -> Method:
    """Choose the temperature by validation cells, and score on the others."""
    known, scores = cells.codes[cells.judged], one.judged
    test = classification_scores(known[n_validation:], _named(scores[n_validation:]), inputs.types)
    return Method(
        name=one.name,
        temperature=temperature_of(scores[:n_validation], known[:n_validation]),
        validated=accuracy(known[:n_validation], _named(scores[:n_validation])),
        accuracy=test.accuracy,
        macro_f1=test.macro_f1,
        seconds=one.seconds,
        scores=test,
    )


def _named(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """Take the best type, (M,); the first one for cells that a model does not see, as any guess would."""
    return np.asarray(np.nan_to_num(scores, nan=-1e9).argmax(axis=1), dtype=np.int64)


def _gain(
    truth: NDArray[np.int64],
    predicted: dict[str, NDArray[np.int64]],
    methods: Sequence[Method],
    *,
    n_plain: int,
    n_validation: int,
) -> Gain | None:
    """Compare the model that did best on validation cells with the plain methods, on held-out cells."""
    if len(methods) == n_plain:
        return None
    best = chosen_method(methods[n_plain:], n_validation=n_validation)
    plain = [Names(method=one.name, types=predicted[one.name]) for one in methods[:n_plain]]
    n_types = len(methods[0].scores.types) if methods[0].scores else 0
    return compare(truth, Names(method=best, types=predicted[best]), plain, n_types=n_types)


def _genes(genes: Sequence[str], inputs: Labeled, n_query: int, *, counts: Shared) -> Genes:
    whole = float(inputs.adata.X.sum())
    return Genes(
        n_shared=len(genes),
        n_reference=inputs.adata.n_vars,
        n_query=n_query,
        read=float(counts.counts.sum()) / whole if whole else 0.0,
    )


def _held_out(inputs: Labeled, request: Request) -> str:
    n_test = len(inputs.split.test)
    of = (
        f"of whole {request.group_key} ({', '.join(inputs.split.held_out_groups)}) "
        if request.group_key
        else ""
    )
    return f"{n_test:,} held-out cells {of}of the reference"
