"""What the command `annotate` takes, prints and writes."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np

from scviz.cli.fields import add_fields
from scviz.cli.running import (
    add_output,
    add_subject,
    carry_out,
    given,
    say,
    subject,
    write_copy,
    write_csv,
)
from scviz.settings import Settings
from scviz.tasks import annotation
from scviz.tasks.annotation import MODEL, Result


def add_command(entries: Any) -> None:
    """Offer the naming of cell types."""
    annotate = entries.add_parser(
        "annotate", help="learn cell types and name the cells held out, beside baselines"
    )
    add_subject(annotate)
    add_fields(annotate, annotation.Request)
    add_output(annotate)
    annotate.set_defaults(command=run)


def run(options: argparse.Namespace, settings: Settings) -> None:
    """Name cell types and print the scores."""
    dataset, checkpoint = subject(options, settings)
    request = annotation.Request(
        **given(options, annotation.Request) | {"dataset": dataset, "checkpoint": checkpoint}
    )
    run_id, result = carry_out("annotation", request, settings)
    scores = {
        name: {"macro_f1": round(s.macro_f1, 4), "accuracy": round(s.accuracy, 4)}
        for name, s in result.scores.items()
    }
    say(run_id, request, result, settings=settings, scores=scores, verdict=result.gain.sentence)
    if options.csv:
        columns, rows = cells(result)
        write_csv(options.csv, dataset, settings, columns=columns, rows=rows)
    write_copy(options, run_id, settings)


def cells(result: Result) -> tuple[list[str], Iterator[tuple[object, ...]]]:
    """Give the columns of the table, and a row for each cell of the dataset.

    `known` and the names by the baselines are those of the cells held out and empty for all others.
    """
    baselines = [method for method in result.predicted if method != MODEL]
    n_cells = len(result.all_predicted)
    words = np.array([*result.types, ""])
    held_out = np.full((2 + len(baselines), n_cells), "", dtype=object)
    held_out[0, result.test_rows] = "held out"
    held_out[1, result.test_rows] = words[result.truth]
    for row, method in enumerate(baselines, start=2):
        held_out[row, result.test_rows] = words[result.predicted[method]]
    columns = ["named", "confidence", "role", "known", *baselines]
    return columns, zip(words[result.all_predicted], result.all_confidence, *held_out, strict=True)
