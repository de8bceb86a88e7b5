"""What the command `in-silico` takes, prints and writes."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from scviz.cli.fields import add_fields, begin_as_the_page
from scviz.cli.running import add_subject, carry_out, given, say, subject, write_copy
from scviz.cli.words import cells_with
from scviz.settings import Settings
from scviz.tasks.in_silico import Published, Request, Result
from scviz.tasks.in_silico.tables import EDITS, tables_of
from scviz.workspace import Workspace
from scviz.workspace.groups import group_version, read_groups

MOST_PRINTED = 20
"""Rows of the published statistics."""


def add_command(commands: Any) -> None:
    """Offer edits of genes."""
    edit = commands.add_parser(
        "in-silico", help="remove genes, or turn them down or up, compared with random genes"
    )
    add_subject(edit)
    edit.add_argument("--genes", nargs="+", default=[], help="names of genes, edited at once")
    edit.add_argument("--each", action="store_true", help="edit each of the genes by itself")
    edit.add_argument(
        "--cells", action="append", default=[], metavar="COLUMN=VALUE[,VALUE]", help="which cells"
    )
    edit.add_argument("--group", default="", help="or the name of a group of cells")
    edit.add_argument("--goal", default="", metavar="COLUMN=VALUE", help="state that the cells may move to")
    add_fields(edit, Request, without=("together",))
    edit.add_argument(
        "--csv",
        type=Path,
        help="write one row per edit here, and beside it files that end in _random.csv, _cells.csv and others with "
        "all that the printed numbers are made of",
    )
    edit.add_argument("--output", type=Path, help="write a copy of the file with the results (.h5ad) here")
    edit.set_defaults(command=run)


def request_of(options: argparse.Namespace, dataset: str, checkpoint: str) -> Request:
    """Turn options into a request.

    Raises
    ------
    RequestError
        If a condition is not written as COLUMN=VALUE, or a field is out of its bounds.
    """
    named = {
        "dataset": dataset,
        "checkpoint": checkpoint,
        "genes": tuple(options.genes),
        "together": not options.each,
        "cells": tuple(map(cells_with, options.cells)),
        "goal": cells_with(options.goal) if options.goal else None,
    }
    return Request(**given(options, Request) | named)


def summary(result: Result) -> dict[str, Any]:
    """Say what was found."""
    return {
        "cells": len(result.rows),
        "outcome": result.outcome,
        "verdict": result.verdict,
        "observed": result.observed.verdict if result.observed else None,
        "types": {one.name: float(f"{one.moved.mean:.4g}") for one in result.types},
        **({"published": _published(result.published)} if result.published else {}),
        "notes": [*result.notes, "A simulation inside the model, not a measurement."],
    }


def _published(found: Published) -> dict[str, Any]:
    """Give the first rows of the published statistics."""
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows[:MOST_PRINTED]]
    return {"statistics": found.name, "rows": len(found.rows), "first": rows}


def write_tables(result: Result, path: Path) -> None:
    """Write one row per edit, and beside it all that its numbers are made of, see `tables_of`."""
    for name, table in tables_of(result).items():
        place = path if name == EDITS else path.with_name(f"{path.stem}_{name}{path.suffix or '.csv'}")
        place.write_text(table.as_csv(), encoding="utf-8")


def run(options: argparse.Namespace, settings: Settings) -> None:
    """Edit genes and print what moved."""
    dataset, checkpoint = subject(options, settings)
    workspace = Workspace.from_settings(settings)
    begin_as_the_page(options, Request, workspace.dataset(dataset))
    request = request_of(options, dataset, checkpoint)
    groups = read_groups(workspace.dataset_folder(dataset))
    if request.group in groups:  # a group that is drawn anew is another question
        request = replace(request, group_version=group_version(groups[request.group]))
    run_id, result = carry_out("in_silico", request, settings)
    say(run_id, request, result, settings=settings, **summary(result))
    if options.csv:
        write_tables(result, options.csv)
    write_copy(options, run_id, settings)
