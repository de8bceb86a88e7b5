"""What the command `modules` takes, prints and writes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from scviz.cli.fields import add_fields, begin_as_the_page
from scviz.cli.running import carry_out, dataset_of, given, say, subject, write_csv
from scviz.cli.words import DATASET, cells_with
from scviz.metrics.evidence import Gain
from scviz.settings import Settings
from scviz.tasks.modules import Judged, Request, Result
from scviz.tasks.modules.files import cell_columns, gene_table, gmt, graphml, module_table
from scviz.workspace import Workspace

MOST_PRINTED = 10


def add_command(commands: Any) -> None:
    """Offer the search for modules."""
    find = commands.add_parser(
        "modules", help="find genes that work together, compared with plain co-expression"
    )
    find.add_argument("dataset", help=DATASET)
    find.add_argument("--checkpoint", default="", help="id of the checkpoint; default: the newest")
    find.add_argument(
        "--cells", nargs="*", default=[], metavar="COLUMN=VALUE", help="only cells with these values"
    )
    add_fields(find, Request)
    find.add_argument("--csv", type=Path, help="write the module of each gene here")
    find.add_argument("--table", type=Path, help="write one row per module of every method here")
    find.add_argument(
        "--scores",
        type=Path,
        help="write a row per cell here: the score of each module, what the cell was used for, and its part in a gain",
    )
    find.add_argument("--gmt", type=Path, help="write the modules as gene sets here")
    find.add_argument("--graphml", type=Path, help="write genes and links here")
    find.set_defaults(command=run)


def request_of(options: argparse.Namespace, dataset: str, checkpoint: str) -> Request:
    """Turn options into a request."""
    used = "" if options.source == "expression" else checkpoint
    named = {"dataset": dataset, "checkpoint": used, "cells": tuple(map(cells_with, options.cells))}
    return Request(**given(options, Request) | named)


def summary(result: Result) -> dict[str, Any]:
    """Say what was found."""
    return {
        "verdict": result.verdict,
        "methods": {name: _numbers(one) for name, one in result.methods.items()},
        "gains": {name: _gain(one) for name, one in result.gains.items()},
        "modules": {one.name: list(one.genes[:MOST_PRINTED]) for one in result.modules},
        "notes": [*result.notes],
    }


def _numbers(judged: Judged) -> dict[str, Any]:
    """Give what is said of a method."""
    names = (
        "n_modules",
        "n_beyond",
        "share",
        "coherence",
        "random",
        "gain",
        "precision",
        "recall",
        "agreement",
    )
    values = {name: getattr(judged, name) for name in names}
    return {name: round(value, 4) for name, value in values.items() if value == value}


def _gain(gain: Gain) -> dict[str, Any]:
    """Give what the model gains over another method; no bounds where there is no interval."""
    mean, low, high = gain.difference.mean, gain.difference.low, gain.difference.high
    bounds = {"low": round(low, 5), "high": round(high, 5)} if gain.difference.known else {}
    return {"outcome": gain.outcome, "difference": round(mean, 5), **bounds, "cells": gain.n}


def write_files(result: Result, options: argparse.Namespace) -> None:
    """Write what was asked for, except the scores."""
    written = (
        (options.csv, gene_table),
        (options.table, module_table),
        (options.gmt, lambda one: gmt(one.modules)),
        (options.graphml, graphml),
    )
    for path, words in written:
        if path:
            path.write_text(words(result), encoding="utf-8")


def run(options: argparse.Namespace, settings: Settings) -> None:
    """Find gene modules and print how they stand beside plain co-expression and chance."""
    if options.source == "expression":
        dataset, checkpoint = dataset_of(options.dataset, settings), ""
    else:
        dataset, checkpoint = subject(options, settings)
    begin_as_the_page(options, Request, Workspace.from_settings(settings).dataset(dataset))
    request = request_of(options, dataset, checkpoint)
    run_id, result = carry_out("modules", request, settings)
    say(run_id, request, result, settings=settings, **summary(result))
    write_files(result, options)
    if options.scores:
        columns = cell_columns(result)
        rows = zip(*columns.values(), strict=True)
        write_csv(options.scores, dataset, settings, columns=list(columns), rows=rows)
