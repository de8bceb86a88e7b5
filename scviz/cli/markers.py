"""What the command `markers` takes, prints and writes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from scviz.cli.fields import add_fields, begin_as_the_page
from scviz.cli.running import carry_out, dataset_of, given, say
from scviz.cli.words import DATASET
from scviz.settings import Settings
from scviz.tasks.markers import Request, Result
from scviz.tasks.markers.ranking import markers_of
from scviz.workspace import Workspace
from scviz.workspace.csv_files import CsvWriter

MOST_PRINTED = 10
COLUMNS = (
    "score",
    "log2_fold_change",
    "p_value",
    "adjusted_p",
    "shares",
    "other_shares",
    "means",
)
"""Arrays of the result that are written, a column each."""


def add_command(commands: Any) -> None:
    """Offer the markers of all groups."""
    markers = commands.add_parser(
        "markers", help="ask which genes tell every type or cluster of cells from all others"
    )
    markers.add_argument("dataset", help=DATASET)
    add_fields(markers, Request)
    markers.add_argument(
        "--run", default="", help="a finished run with clusters, in place of a column: its id"
    )
    markers.add_argument("--csv", type=Path, help="write one row per gene and group here")
    markers.set_defaults(command=run)


def request_of(options: argparse.Namespace, dataset: str, workspace: Workspace) -> Request:
    """Turn options into a request."""
    if not options.run:
        begin_as_the_page(options, Request, workspace.dataset(dataset))
    return Request(**given(options, Request) | {"dataset": dataset, "run": options.run})


def summary(result: Result) -> dict[str, Any]:
    """Say what was found."""
    groups = {}
    for k, name in enumerate(result.names):
        order, suggested = markers_of(result, k), result.suggestions[k]
        groups[name] = {
            "cells": result.n_cells[k],
            "markers": len(order),
            "first": [result.genes[i] for i in order[:MOST_PRINTED]],
            "resembles": suggested.name or "no suggestion",
            "shared_markers": [*suggested.genes],
        }
    return {"verdict": result.verdict, "groups": groups, "notes": [*result.notes]}


def write_markers(result: Result, path: Path) -> None:
    """Write one row per group and gene, the largest score of a group first."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = CsvWriter(file)
        writer.writerow(["group", "gene", *COLUMNS])
        for k, name in enumerate(result.names):
            order = (-result.score[k]).argsort(kind="stable")
            arrays = [getattr(result, column)[k, order].tolist() for column in COLUMNS]
            genes = [result.genes[i] for i in order]
            writer.writerows(zip([name] * len(genes), genes, *arrays, strict=True))


def run(options: argparse.Namespace, settings: Settings) -> None:
    """Find the markers of all groups and print the first of each."""
    dataset = dataset_of(options.dataset, settings)
    request = request_of(options, dataset, Workspace.from_settings(settings))
    run_id, result = carry_out("markers", request, settings)
    say(run_id, request, result, settings=settings, **summary(result))
    if options.csv:
        write_markers(result, options.csv)
