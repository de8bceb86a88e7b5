"""What is written of each cell and of each type: all scores can be computed again from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from io import StringIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.evidence import Interval
from scviz.tasks.annotation import MODEL, NewType, Result
from scviz.tasks.annotation.confidence import (
    calibrations,
    climbed,
    climbed_sentence,
    one_names,
    sets_by_way,
    sets_sentence,
    spread_sentence,
)
from scviz.tasks.annotation.judging import judged_scores
from scviz.tasks.annotation.roles import COMPARED, HELD_OUT, ROLES
from scviz.tasks.annotation.set_sizes import sizes_sentence
from scviz.workspace.csv_files import CsvWriter

SET = "set"


def cells(
    result: Result, terms: Sequence[str] | None = None
) -> tuple[list[str], Iterator[tuple[object, ...]]]:
    """Give the columns of the table, and a row for each cell of the dataset.

    `known` is the label that each cell came with, `role` what it was used for; the names by the baselines are those of
    the cells that judge and empty for all others. Where doubtful cells get no name, `most probable` says what they
    would be called.
    """
    baselines = [method for method in result.predicted if method != MODEL]
    types = np.array([*result.types, ""], dtype=object)
    judged = [_of_judging(result, types[result.predicted[method]]) for method in baselines]
    named = {"named": result.names}
    if result.unassigned_below:
        named["most probable"] = types[result.all_predicted]
    more = _doubt_columns(result, terms)
    columns = [*named, "confidence", "certainty", *more, "role", "known", *baselines]
    values = (result.all_confidence, result.all_certainty, *more.values())
    return columns, zip(*named.values(), *values, *_known(result, types), *judged, strict=True)


def _known(result: Result, types: NDArray[np.object_]) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Give role and label of every cell, (N,) each; of older results those of the cells that judge."""
    if result.roles is None or result.given is None:
        role = HELD_OUT if result.n_train else COMPARED
        there = np.full(len(result.test_rows), role, dtype=object)
        return _of_judging(result, there), _of_judging(result, types[result.truth])
    known = np.array([*result.given_names, ""], dtype=object)[result.given]
    known[result.test_rows] = types[result.truth]  # in prediction letters may differ in case
    return np.array(ROLES, dtype=object)[result.roles], known


def _doubt_columns(result: Result, terms: Sequence[str] | None) -> dict[str, NDArray[Any]]:
    """Give (N,) of each column that only some results have: before temperature, set, how typical, fold, group."""
    found: dict[str, NDArray[Any]] = {}
    if result.raw_confidence is not None:
        found["confidence before"] = result.raw_confidence
    if result.all_sets is not None:
        found[SET] = result.set_names
    one_name = climbed(result, terms) if terms is not None else None
    if one_name is not None:
        found["name of the set"] = one_name.names
    if result.all_typical is not None:
        found["typical"] = result.all_typical
    if result.folds is not None:
        found["fold"] = _of_judging(result, result.folds + 1)
    if result.test_groups is not None:
        found["group"] = _of_judging(result, result.test_groups)
    return found


def _of_judging(result: Result, values: NDArray[Any]) -> NDArray[Any]:
    """Spread (M,) values of the cells that judge over all cells, (N,); empty for the others."""
    column = np.full(len(result.all_predicted), "", dtype=object)
    column[result.test_rows] = values
    return column


def probabilities_csv(result: Result, names: Sequence[str]) -> str:
    """Write the probability of each type for the cells that judge, and whether each way's set holds it, as CSV.

    Parameters
    ----------
    names
        N names of cells, such as barcodes, which stand first.
    """
    text = StringIO()
    writer = CsvWriter(text)
    ways = list(result.test_sets)
    writer.writerow(
        [
            "cell",
            "row",
            "known",
            *(f"p {name}" for name in result.types),
            *(f"set {way} {name}" for way in ways for name in result.types),
        ]
    )
    for at, row in enumerate(result.test_rows):
        sets = [int(inside) for way in ways for inside in result.test_sets[way][at]]
        p = [f"{value:.6g}" for value in result.probabilities[at]]
        writer.writerow([names[row], int(row), result.types[result.truth[at]], *p, *sets])
    return text.getvalue()


def summary(result: Result, terms: Sequence[str] | None = None) -> dict[str, Any]:
    """Say what was found, as JSON holds it.

    Parameters
    ----------
    terms
        Ids of the types in the Cell Ontology, for one name for each set.
    """
    given = result.names
    names, counts = np.unique(given[given != ""], return_counts=True)
    found: dict[str, Any] = {
        "cells": dict(zip(names.tolist(), counts.tolist(), strict=True)),
        "cells_without_a_name": int((given == "").sum()),
    }
    if result.gain is None:
        return found
    digits = {
        method: {
            name: _rounded(value) for name, value in asdict(one).items() if name not in ("types", "n_judged")
        }
        for method, one in judged_scores(result).items()
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
        "confidence": _confidence(result),
        "sets": _sets(result, terms),
        "seeds": [
            {"seed": one.seed, "n": one.n, "macro_f1": _all(one.macro_f1), "accuracy": _all(one.accuracy)}
            for one in result.repeats
        ],
        "spread": spread_sentence(result),
        "new_types": [_new_type(one) for one in result.novelty],
    }


def _all(values: dict[str, float]) -> dict[str, float | None]:
    return {name: _rounded(value) for name, value in values.items()}


def _span(span: Interval) -> list[float | None]:
    return [_rounded(span.low), _rounded(span.high)]


def _confidence(result: Result) -> dict[str, Any]:
    """Say how far confidence can be taken at its word."""
    return {
        name: {
            "mean": _rounded(one.confidence),
            "accuracy": _rounded(one.accuracy),
            "ece": _rounded(one.error.mean),
            "interval": _span(one.error),
            "ece_by_type": _rounded(one.classwise),
            "brier": _rounded(one.brier),
            "log_loss": _rounded(one.log_loss),
        }
        for name, one in calibrations(result).items()
    } | {"temperatures": [_rounded(one.value) if one else None for one in result.temperatures]}


def _sets(result: Result, terms: Sequence[str] | None) -> dict[str, Any]:
    """Say what sets of types promise and hold."""
    ways = sets_by_way(result)
    if not ways:
        return {}
    found = climbed(result, terms) if terms is not None else None
    named = (
        {}
        if found is None
        else {
            "one_name": climbed_sentence(result, found),
            "names": {
                one.name: {
                    "term": one.term,
                    "cells": one.n_cells,
                    "judged": one.n_judged,
                    "right": _rounded(one.right),
                }
                for one in one_names(result, found)
            },
        }
    )
    return (
        named
        | {
            "promised": result.coverage,
            "sentence": sets_sentence(result),
            "sizes": sizes_sentence(result),
            "calibrating": dict(zip(result.types, result.calibrating, strict=True)),
        }
        | {
            one.way: {
                "observed": _rounded(one.coverage.observed.mean),
                "interval": _span(one.coverage.observed),
                "size": _rounded(one.coverage.size),
                "single": _rounded(one.coverage.single),
                "empty": _rounded(one.coverage.empty),
                "by_type": _all(one.by_type),
                "by_group": _all(one.by_group),
                "in_every_set": list(one.in_all),
            }
            for one in ways
        }
    )


def _new_type(one: NewType) -> dict[str, Any]:
    return {
        "type": one.name,
        "cells": one.n_new,
        "known_cells": one.n_known,
        "vectors": one.vectors,
        "score": one.score,
        "auroc": _rounded(one.auroc.mean),
        "interval": _span(one.auroc),
        "missed": _rounded(one.missed),
        "unassigned_new": _rounded(one.unassigned_new),
        "unassigned_known": _rounded(one.unassigned_known),
    }


def _rounded(value: float) -> float | None:
    """Round to four digits; None, which JSON knows, for NaN."""
    return None if np.isnan(value) else round(value, 4)
