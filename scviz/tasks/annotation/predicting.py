"""Name cells with weights that know their types already; nothing is trained."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.labels import Labels, labels_in, no_labels
from scviz.foundation.batching import longest_first, pick_device
from scviz.foundation.classifier import CellTypeClassifier, Named
from scviz.memory import peak_gb
from scviz.metrics.evidence import counted
from scviz.metrics.rejection import certainty, leave_unnamed, unassigned
from scviz.models import model_class
from scviz.tasks.annotation import MODEL, Request, Result
from scviz.tasks.annotation.judging import Judged, judge
from scviz.tasks.annotation.refusals import refuse_no_types
from scviz.tasks.annotation.roles import roles_in_prediction
from scviz.tasks.annotation.timing import seconds_per_cell
from scviz.tasks.context import Context
from scviz.tasks.price import Price

MOST_PREDICTED = "the type predicted most often, for every cell"
COUNTED = "cells with a label that the weights know"
TIMED = 32
"""Cells that are timed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labeled:
    """Cells whose label is one of the types that the weights know."""

    rows: NDArray[np.int64]
    """(M,) rows of these cells."""
    truth: NDArray[np.int64]
    """(M,) positions in the types."""
    notes: tuple[str, ...]


def predict(request: Request, context: Context) -> Result:
    """Name every cell; where there are labels that the weights know, compare the names with them.

    Raises
    ------
    RequestError
        If the weights know no types.
    MissingColumnError
        If the dataset lacks the column with labels.
    """
    classifier, adata = _classifier(request, context), context.counts(request.dataset)
    labels = labels_in(adata.obs, request.label_key) if request.label_key else no_labels(adata.n_obs)
    named = classifier.classify(adata, device=context.device, report=context.report)
    confidence = named.probabilities.max(axis=1)
    labeled = match_labels(labels, named)
    predicted = {
        MODEL: named.best[labeled.rows],
        MOST_PREDICTED: np.full(len(labeled.rows), _most_predicted(named), dtype=np.int64),
    }
    name = context.workspace.checkpoint(request.checkpoint).name
    judged = (
        judge(labeled.truth, predicted, named.types, name=name, counted=COUNTED)
        if len(labeled.rows)
        else None
    )
    return Result(
        types=named.types,
        test_rows=labeled.rows,
        truth=labeled.truth,
        predicted=predicted,
        probabilities=named.probabilities[labeled.rows],
        all_predicted=named.best,
        all_confidence=confidence,
        all_certainty=certainty(named.probabilities),
        scores=judged.scores if judged else {},
        gain=judged.gain if judged else None,
        unassigned_below=request.unassigned_below,
        given=labels.codes.astype(np.int32),
        given_names=labels.names,
        roles=roles_in_prediction(labels, labeled.rows),
        notes=(
            *labeled.notes,
            *_notes(named, request.unassigned_below),
            *_agreement(confidence, labeled, predicted, judged=judged, threshold=request.unassigned_below),
        ),
    )


def price_of_prediction(request: Request, context: Context) -> Price:
    """Time a few cells and say what naming all of them takes."""
    classifier, adata = _classifier(request, context), context.counts(request.dataset)
    classifier.to(pick_device(context.device))
    rows = longest_first(classifier.encoder.n_tokens(adata))
    timed = np.random.default_rng(request.seed).permutation(rows)[:TIMED]
    return Price(
        seconds=seconds_per_cell(classifier, adata, timed) * len(rows) if len(rows) else 0.0,
        gigabytes=peak_gb(),
        how=f"{counted(len(rows), 'cell')} to name, timed on {len(timed)}",
    )


def _classifier(request: Request, context: Context) -> CellTypeClassifier:
    info = context.workspace.checkpoint(request.checkpoint)
    refuse_no_types(info)
    return CellTypeClassifier.load(
        context.workspace.checkpoint_folder(request.checkpoint), model_class(info.model)
    )


def match_labels(labels: Labels, named: Named) -> Labeled:
    """Find the cells that can judge the names: labels and types are compared letter by letter, but for case.

    Parameters
    ----------
    labels
        Of the N cells.
    named
        What the classifier says of them.
    """
    known = {name.strip().casefold(): code for code, name in enumerate(named.types)}
    codes = np.array([known.get(name.strip().casefold(), -1) for name in (*labels.names, "")], dtype=np.int64)
    of_cells = codes[labels.codes]
    rows = np.flatnonzero((of_cells >= 0) & (named.best >= 0))
    others = [name for name, code in zip(labels.names, codes, strict=False) if code < 0]
    notes = [*labels.notes]
    if others:
        n_cells = int(((of_cells < 0) & (labels.codes >= 0)).sum())
        notes.append(
            f"Compared with nothing, since their label in {labels.column} is no type of these weights: "
            f"{counted(n_cells, 'cell')} ({', '.join(others)})."
        )
    return Labeled(rows=rows, truth=of_cells[rows], notes=tuple(notes))


def _most_predicted(named: Named) -> int:
    """Return the type that most cells are given, whatever their labels."""
    return int(np.bincount(named.best[named.best >= 0], minlength=len(named.types)).argmax())


def _notes(named: Named, threshold: float) -> tuple[str, ...]:
    seen = named.best >= 0
    n_unassigned = int(unassigned(named.probabilities[seen], threshold).sum())
    notes = [
        f"Without a name, since no type has a probability of {threshold:g} or more: {n_unassigned:,} of "
        f"{counted(int(seen.sum()), 'cell')}."
    ]
    if not seen.all():
        notes.append(f"The model sees no gene in {counted(int((~seen).sum()), 'cell')}, left without a name.")
    return tuple(notes)


def _agreement(
    confidence: NDArray[np.float32],
    labeled: Labeled,
    predicted: dict[str, NDArray[np.int64]],
    *,
    judged: Judged | None,
    threshold: float,
) -> tuple[str, ...]:
    """Say what leaving doubtful cells without a name does to the agreement."""
    if judged is None:
        return ()
    found = leave_unnamed(
        confidence[labeled.rows],
        labeled.truth,
        predicted[MODEL],
        baseline=predicted[MOST_PREDICTED],
        threshold=threshold,
    )
    doubt = f"{100 * found.unnamed:.1f} % of the {len(labeled.rows):,} {COUNTED} get no name"
    if found.unnamed < 1:
        doubt += (
            f"; of the others {100 * found.accuracy:.1f} % have the name of their label ({MOST_PREDICTED}: "
            f"{100 * found.baseline_accuracy:.1f} %)"
        )
    return (*judged.notes, f"The scores count every cell with its most probable type. {doubt}.")
