"""What is written of each cell, of each type and of each method."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.comparison import FEWEST_JUDGED
from scviz.metrics.scores import classification_scores
from scviz.tasks.transfer import Result, column_stem
from scviz.tasks.transfer.held_out import COVERAGE, NameDoubt
from scviz.tasks.transfer.measured import measured_with


def cells(result: Result, method: str = "") -> tuple[list[str], Iterator[tuple[object, ...]]]:
    """Give the columns of the table, and a row for each cell of the dataset."""
    columns = result.columns(method)
    others = {f"{column_stem(one)}_label": result.names(one) for one in result.probabilities}
    columns |= {name: names for name, names in others.items() if name not in columns}
    clusters = np.where(result.clusters < 0, "", (result.clusters + 1).astype(str))
    return [*columns, "cluster"], zip(*columns.values(), clusters, strict=True)


def types_table(result: Result, method: str = "") -> list[dict[str, Any]]:
    """Count the cells of each name, with their mean confidence and how many lie far from the reference."""
    best, confidence, doubts = result.best(method), result.confidence(method), result.doubts(method)
    rows = []
    for code, (name, term) in enumerate(zip(result.types, result.ontology_ids, strict=True)):
        own = best == code
        if own.any():
            rows.append(
                {
                    "type": name,
                    "ontology_term_id": term,
                    "cells": int(own.sum()),
                    "share": float(own.mean()),
                    "confidence": float(confidence[own].mean()),
                    "far": _far(result.distance[own]),
                    **(_held_out(doubts[code]) if doubts else {}),
                }
            )
    return sorted(rows, key=lambda row: -int(row["cells"]))


def _far(distance: NDArray[np.float32]) -> float:
    """Give the share of cells, (n,), beyond the reach of the reference, among those whose distance is known."""
    known = distance[np.isfinite(distance)]
    return float((known > 1).mean()) if len(known) else float("nan")


def _held_out(doubt: NameDoubt) -> dict[str, Any]:
    """Say how far the name can be trusted, by the held-out cells of the reference; None where there is no such cell."""
    right, found = doubt.right, doubt.found
    return {
        "named_so": right.n,
        "right": _known(right.mean),
        "right_low": _known(right.low),
        "right_high": _known(right.high),
        "most_others": doubt.others,
        "of_this_type": found.n,
        "found": _known(found.mean),
        "most_named_instead": doubt.named_instead,
        "said": "weak" if doubt.weak else "cannot tell" if doubt.untested else "",
    }


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value


def _coverage(result: Result) -> dict[str, Any]:
    """Say how often sets of held-out cells hold the known type; nothing without sets."""
    found = result.coverage()
    if found is None:
        return {}
    span = found.observed
    return {
        "sets": {
            "promised": COVERAGE,
            "observed": span.mean,
            "interval": [_known(span.low), _known(span.high)],
            "types_in_a_set": found.size,
            "cells_set_aside": result.n_calibrating,
        }
    }


def method_rows(result: Result) -> list[dict[str, Any]]:
    """Score every method, and the names that know nothing of the types, on the same held-out cells."""
    rows = [
        {
            "method": one.name,
            "accuracy": one.accuracy,
            "macro_f1": one.macro_f1,
            "temperature": one.temperature,
            "seconds": one.seconds,
        }
        for one in result.methods
    ]
    if result.truth is None:
        return rows
    for name, named in result.baselines.items():
        scores = classification_scores(result.truth, named, result.types, fewest=FEWEST_JUDGED)
        rows.append({"method": name, "accuracy": scores.accuracy, "macro_f1": scores.macro_f1})
    return rows


def summary(result: Result) -> dict[str, Any]:
    """Say what was found, as JSON holds it."""
    fit = result.fit
    return {
        "verdict": result.verdict,
        "reference": result.reference_name,
        "named_by": result.chosen,
        "types": types_table(result),
        "cells_without_a_name": int((result.best() < 0).sum()),
        "fit": {
            "genes_shared": fit.n_shared,
            "genes_of_reference": fit.n_reference,
            "share_of_molecules": fit.read,
            "cells_beyond": fit.beyond,
            "cells_beyond_before_common_shift": fit.beyond_before,
            "clusters": [
                {
                    "cluster": one.number,
                    "cells": one.n_cells,
                    "beyond": one.beyond.mean,
                    "interval": [one.beyond.low, one.beyond.high],
                    "named": one.name,
                    "of_its_cells": one.share,
                    "counterpart": {"near": "yes", "far": "no"}.get(one.nearness, one.nearness),
                }
                for one in fit.clusters
            ],
        },
        "methods": {
            one.name: {
                "accuracy": one.accuracy,
                "macro_f1": one.macro_f1,
                "temperature": one.temperature,
                "seconds": round(one.seconds, 2),
                "with_fewer_genes": [
                    {
                        "genes": less.share,
                        "molecules": round(less.read, 3),
                        "accuracy": round(less.accuracy, 4),
                    }
                    for less in one.fewer
                ],
            }
            for one in result.methods
        },
        "baselines": {
            row["method"]: {"accuracy": row["accuracy"], "macro_f1": row["macro_f1"]}
            for row in method_rows(result)
            if row["method"] in result.baselines
        },
        "judged_on": result.held_out,
        "judged_with": measured_with(result),
        **_coverage(result),
        **({"models": result.gain.sentence} if result.gain else {}),
    }
