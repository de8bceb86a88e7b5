"""The scores of one way of naming cells: overall, and of each type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.classification import accuracy, confusion_matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeScores:
    """How well cells of one type are named, each from 0 to 1."""

    name: str
    support: int
    """Cells that are of this type."""
    precision: float
    """Of the cells named so, the share that are; 0 when none is named so."""
    recall: float
    """Of the cells that are so, the share named so; NaN when there are none."""
    f1: float
    """Harmonic mean of the two; NaN when the type is neither true nor named anywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationScores:
    """How well cells are named, each from 0 to 1; means are over types that have cells enough, alike for all."""

    accuracy: float
    balanced_accuracy: float
    """Mean recall of the types that occur among the truth."""
    macro_precision: float
    macro_recall: float
    macro_f1: float
    weighted_f1: float
    """Mean of F1 weighted by how common each type is."""
    types: tuple[TypeScores, ...]
    n_judged: int = 0
    """Types that the macro means are over; 0 where an older result does not say."""


def classification_scores(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], types: Sequence[str], *, fewest: int = 1
) -> ClassificationScores:
    """Score names of cells.

    Parameters
    ----------
    truth, predicted
        (M,) positions in `types`.
    fewest
        Types with fewer cells are left out of the macro means, as a verdict leaves them out; unless that leaves fewer
        than two.

    Examples
    --------
    >>> scores = classification_scores(np.array([0, 0, 1]), np.array([0, 1, 1]), ["B", "T"])
    >>> round(scores.macro_f1, 3), scores.types[0].recall
    (0.667, 0.5)
    """
    counts = confusion_matrix(truth, predicted, len(types)).astype(np.float64)
    hits, true, named = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    nothing = np.full(len(types), np.nan)
    recall = np.divide(hits, true, out=nothing.copy(), where=true > 0)
    precision = np.divide(hits, named, out=np.where(true > 0, 0.0, np.nan), where=named > 0)
    f1 = np.divide(2 * hits, true + named, out=nothing.copy(), where=true + named > 0)
    present = true >= fewest if (true >= fewest).sum() > 1 else true > 0
    return ClassificationScores(
        accuracy=accuracy(truth, predicted),
        balanced_accuracy=float(np.nanmean(recall)),
        macro_precision=float(precision[present].mean()),
        macro_recall=float(np.nan_to_num(recall[present]).mean()),
        macro_f1=float(f1[present].mean()),
        weighted_f1=float(np.average(np.nan_to_num(f1), weights=true)),
        n_judged=int(present.sum()),
        types=tuple(
            TypeScores(name=name, support=int(t), precision=float(p), recall=float(r), f1=float(f))
            for name, t, p, r, f in zip(types, true, precision, recall, f1, strict=True)
        ),
    )
