"""What the command `groups` takes, prints and writes."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from scviz.cli.fields import add_fields
from scviz.cli.running import carry_out, dataset_of, given, say
from scviz.cli.words import DATASET, cells_with
from scviz.settings import Settings
from scviz.tasks.cell_groups import CellGroup
from scviz.tasks.group_genes import Request, Result
from scviz.workspace import Workspace
from scviz.workspace.csv_files import CsvWriter
from scviz.workspace.groups import group_version, read_groups

MOST_PRINTED = 20
CLUSTER = re.compile(r"cluster (\d+)", re.IGNORECASE)
COLUMNS = (
    "log2_fold_change",
    "score",
    "p_value",
    "adjusted_p",
    "share_a",
    "share_b",
    "mean_a",
    "mean_b",
)
"""Arrays of the result that are written, a column each."""


def add_command(commands: Any) -> None:
    """Offer the comparison of two groups of cells."""
    groups = commands.add_parser("groups", help="ask which genes two groups of cells express differently")
    groups.add_argument("dataset", help=DATASET)
    groups.add_argument(
        "--a",
        required=True,
        metavar="CELLS",
        help="the first group: its name on the map, or an expression such as 'CD3E > 1 and (CD8A > 0 or cell_type == "
        '"T cell")\', in which a gene stands for its log expression',
    )
    groups.add_argument("--b", default="", metavar="CELLS", help="the second group; default: all other cells")
    groups.add_argument(
        "--within",
        nargs="+",
        default=[],
        type=cells_with,
        metavar="COLUMN=VALUE",
        help="only cells with these values, such as cell_type=Monocyte",
    )
    groups.add_argument(
        "--clusters",
        default="",
        metavar="RUN",
        help='a finished run whose clusters "cluster 1", ... are groups, too',
    )
    add_fields(groups, Request)
    groups.add_argument("--csv", type=Path, help="write one row per gene here")
    groups.set_defaults(command=run)


def request_of(options: argparse.Namespace, dataset: str, workspace: Workspace) -> Request:
    """Turn options into a request."""
    folder = workspace.dataset_folder(dataset)
    groups = {
        "a": _group(options.a, folder, options.clusters),
        "b": _group(options.b, folder, options.clusters) if options.b else None,
        "within": tuple(options.within),
    }
    return Request(**given(options, Request) | groups | {"dataset": dataset})


def _group(text: str, folder: Path, run: str) -> CellGroup:
    """Take a text as the number of a cluster, else as the name of a group if there is one, else as an expression."""
    number = CLUSTER.fullmatch(text.strip()) if run else None
    if number is not None:
        return CellGroup(run=run, cluster=int(number[1]))
    groups = read_groups(folder)
    if text in groups:
        return CellGroup(named=text, version=group_version(groups[text]))
    return CellGroup(expression=text)


def summary(result: Result) -> dict[str, Any]:
    """Say what was found."""
    return {
        "verdict": result.verdict,
        "cells": dict(zip(("a", "b"), result.n_cells, strict=True)),
        "genes": len(result.genes),
        "higher_in_a": result.n_higher,
        "lower_in_a": result.n_lower,
        "at_least_twofold": result.n_large,
        "first": {
            gene: {name: float(getattr(result, name)[i]) for name in COLUMNS}
            for i, gene in enumerate(result.genes[:MOST_PRINTED])
        },
        "notes": [*result.notes],
    }


def write_genes(result: Result, path: Path) -> None:
    """Write one row per gene, the smallest p first."""
    arrays = [getattr(result, name).tolist() for name in COLUMNS]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = CsvWriter(file)
        writer.writerow(["gene", *COLUMNS])
        writer.writerows(zip(result.genes, *arrays, strict=True))


def run(options: argparse.Namespace, settings: Settings) -> None:
    """Compare two groups of cells and print which genes differ."""
    dataset = dataset_of(options.dataset, settings)
    request = request_of(options, dataset, Workspace.from_settings(settings))
    run_id, result = carry_out("group_genes", request, settings)
    say(run_id, request, result, settings=settings, **summary(result))
    if options.csv:
        write_genes(result, options.csv)
