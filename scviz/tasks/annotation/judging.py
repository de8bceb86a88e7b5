"""Score the names of the cells held out, and say what the model gains over the baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.comparison import FEWEST_JUDGED, Names, compare, judged_types
from scviz.metrics.evidence import Gain
from scviz.metrics.scores import ClassificationScores, classification_scores
from scviz.tasks.annotation import MODEL, Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """How good the names are."""

    scores: dict[str, ClassificationScores]
    gain: Gain
    notes: tuple[str, ...]


def judge(
    truth: NDArray[np.int64],
    predicted: Mapping[str, NDArray[np.int64]],
    types: Sequence[str],
    *,
    name: str,
    counted: str = "held-out cells",
) -> Judged:
    """Judge the model and the baselines on the same cells.

    Parameters
    ----------
    truth
        (M,) positions in `types`.
    predicted
        (M,) of "model" and of each baseline.
    name
        Name of the model in the verdict.
    counted
        What the verdict calls the cells.
    """
    baselines = [Names(method=method, types=named) for method, named in predicted.items() if method != MODEL]
    model = Names(method=name, types=predicted[MODEL])
    return Judged(
        scores={
            method: classification_scores(truth, named, types, fewest=FEWEST_JUDGED)
            for method, named in predicted.items()
        },
        gain=replace(compare(truth, model, baselines, n_types=len(types)), counted=counted),
        notes=_notes(truth, types, counted),
    )


def judged_scores(result: Result) -> dict[str, ClassificationScores]:
    """Score all methods on the cells that judge, means over the types that the verdict is over.

    Results that were written before both were over the same types say it, too.
    """
    return {
        method: classification_scores(result.truth, named, result.types, fewest=FEWEST_JUDGED)
        for method, named in result.predicted.items()
    }


def _notes(truth: NDArray[np.int64], types: Sequence[str], counted: str) -> tuple[str, ...]:
    """Name the types that the verdict leaves out."""
    judged = judged_types(truth, len(types))
    few = [types[code] for code in np.setdiff1d(np.unique(truth), judged)]
    if not few:
        return ()
    names = ", ".join(few)
    if len(judged) < 2:
        return (f"Too few types have {FEWEST_JUDGED} {counted} or more for an interval: {names} have fewer.",)
    return (
        f"Left out of the verdict, with fewer than {FEWEST_JUDGED} {counted}: {names}. The tables hold them.",
    )
