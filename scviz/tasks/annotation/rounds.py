"""One training: split, learn, name, calibrate, and the baselines on the same cells; and what several make together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.calibration import Temperature
from scviz.metrics.scores import classification_scores
from scviz.tasks.annotation import MODEL, Repeat, Request
from scviz.tasks.annotation.doubt import Doubt
from scviz.tasks.annotation.inputs import Inputs
from scviz.tasks.annotation.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one training says of the cells that it held out; a record, so that a stopped run need not repeat it."""

    seed: int
    fold: int
    rows: NDArray[np.int64]
    """(M,) cells held out."""
    truth: NDArray[np.int64]
    """(M,) known types."""
    predicted: dict[str, NDArray[np.int64]]
    """(M,) for "model" and for each baseline."""
    probabilities: NDArray[np.float32]
    """(M, K) of the model, calibrated."""
    raw_confidence: NDArray[np.float32]
    """(M,) probability of the name before temperature."""
    sets: dict[str, NDArray[np.bool_]]
    """(M, K) by way."""
    typical: NDArray[np.float32] | None
    """(M,) how typical each cell is of the type that fits best."""
    temperature: Temperature | None


def round_of(
    plan: Plan,
    inputs: Inputs,
    raw: NDArray[np.float32],
    *,
    doubt: Doubt,
    baselines: dict[str, NDArray[np.int64]],
) -> Round:
    """Gather what one training says of its held-out cells.

    Parameters
    ----------
    raw
        (N, K) probabilities as the classifier gives them.
    baselines
        (M,) names by each baseline.
    """
    rows = inputs.split.test
    probabilities = doubt.probabilities(raw)
    named = probabilities[rows].argmax(axis=1).astype(np.int64)
    typical = doubt.typical(probabilities[rows])
    return Round(
        seed=plan.seed,
        fold=plan.fold,
        rows=rows,
        truth=inputs.codes[rows],
        predicted={MODEL: named, **baselines},
        probabilities=probabilities[rows],
        raw_confidence=raw[rows].max(axis=1),
        sets=doubt.sets(probabilities, rows),
        typical=typical,
        temperature=doubt.temperature,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """The folds of one seed as one: each cell that any of them held out, by row."""

    whole: Round
    folds: NDArray[np.int64]
    """(M,) fold of each cell."""
    temperatures: tuple[Temperature | None, ...]
    """Of each fold."""


def join(rounds: Sequence[Round]) -> Joined:
    """Put the folds of one seed together; sets only where every fold has them."""
    first = rounds[0]
    rows = np.concatenate([one.rows for one in rounds])
    order = np.argsort(rows, kind="stable")

    def put(take: Callable[[Round], NDArray[Any]]) -> NDArray[Any]:
        return np.concatenate([take(one) for one in rounds])[order]

    typical = [one.typical for one in rounds if one.typical is not None]
    whole = replace(
        first,
        rows=rows[order],
        truth=put(lambda one: one.truth),
        predicted=_joined([one.predicted for one in rounds], order),
        probabilities=put(lambda one: one.probabilities),
        raw_confidence=put(lambda one: one.raw_confidence),
        sets=_joined([one.sets for one in rounds], order),
        typical=np.concatenate(typical)[order] if len(typical) == len(rounds) else None,
    )
    folds = put(lambda one: np.full(len(one.rows), one.fold))
    return Joined(whole=whole, folds=folds, temperatures=tuple(one.temperature for one in rounds))


def _joined(parts: Sequence[dict[str, NDArray[Any]]], order: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Put arrays that every part has behind one another, in an order, (M,)."""
    names = [name for name in parts[0] if all(name in part for part in parts)]
    return {name: np.concatenate([part[name] for part in parts])[order] for name in names}


def repeat_of(joined: Joined, types: Sequence[str], request: Request) -> Repeat:
    """Score one seed."""
    whole = joined.whole
    scores = {
        method: classification_scores(whole.truth, named, types) for method, named in whole.predicted.items()
    }
    return Repeat(
        seed=request.seed + whole.seed,
        macro_f1={method: one.macro_f1 for method, one in scores.items()},
        accuracy={method: one.accuracy for method, one in scores.items()},
        n=len(whole.rows),
    )
