"""What is written of each cell and of each type: all scores can be computed again from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np

from scviz.tasks.annotation import MODEL, NOT_SEEN, Result


def cells(result: Result) -> tuple[list[str], Iterator[tuple[object, ...]]]:
    """Give the columns of the table, and a row for each cell of the dataset.

    `known` and the names by the baselines are those of the cells that judge and empty for all others. Where doubtful
    cells are called unassigned, `most probable` says what they would be called.
    """
    baselines = [method for method in result.predicted if method != MODEL]
    types = np.array([*result.types, NOT_SEEN], dtype=object)
    judging = np.full((2 + len(baselines), len(result.all_predicted)), "", dtype=object)
    judging[0, result.test_rows] = "held out" if result.n_train else "compared"
    judging[1, result.test_rows] = types[result.truth]
    for row, method in enumerate(baselines, start=2):
        judging[row, result.test_rows] = types[result.predicted[method]]
    named = {"named": result.names}
    if result.unassigned_below:
        named["most probable"] = types[result.all_predicted]
    columns = [*named, "confidence", "certainty", "role", "known", *baselines]
    return columns, zip(*named.values(), result.all_confidence, result.all_certainty, *judging, strict=True)


def summary(result: Result) -> dict[str, Any]:
    """Say what was found, as JSON holds it."""
    names, counts = np.unique(result.names, return_counts=True)
    found: dict[str, Any] = {"cells": dict(zip(names.tolist(), counts.tolist(), strict=True))}
    if result.gain is None:
        return found
    digits = {
        method: {name: _rounded(value) for name, value in asdict(one).items() if name != "types"}
        for method, one in result.scores.items()
    }
    of_types = {
        method: {
            one.name: {
                "cells": one.support,
                **{k: _rounded(getattr(one, k)) for k in ("precision", "recall", "f1")},
            }
            for one in scores.types
        }
        for method, scores in result.scores.items()
    }
    gap = result.gain.difference
    return found | {
        "scores": digits,
        "types": of_types,
        "verdict": result.gain.sentence,
        "outcome": result.gain.outcome,
        "gain": {
            "over": result.gain.baseline,
            "difference": round(gap.mean, 4),
            "interval": [_rounded(gap.low), _rounded(gap.high)],
            "n": result.gain.n,
        },
    }


def _rounded(value: float) -> float | None:
    """Round to four digits; None, which JSON knows, for NaN."""
    return None if np.isnan(value) else round(value, 4)
