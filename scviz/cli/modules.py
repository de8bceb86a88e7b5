"""What the command `modules` takes, prints and writes."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any, get_args

from scviz.cli.running import carry_out, dataset_of, say, subject, write_csv
from scviz.cli.words import DATASET, cells_with
from scviz.networks.communities import Communities
from scviz.settings import Settings
from scviz.tasks.modules import Graph, Request, Result, Source
from scviz.tasks.modules.files import gene_table, gmt, graphml

NUMBERS = (
    *("most_genes", "most_cells", "context_cells", "n_neighbors", "threshold", "resolution"),
    *("fewest_genes", "n_random", "seed"),
)
MOST_PRINTED = 10


def add_command(commands: Any) -> None:
    """Offer the search for modules."""
    find = commands.add_parser("modules", help="find genes that work together, beside plain co-expression")
    find.add_argument("dataset", help=DATASET)
    find.add_argument("--checkpoint", default="", help="id of the weights; default: the newest")
    find.add_argument(
        "--source",
        choices=get_args(Source),
        default="expression",
        help="plain co-expression, what a model knows of each gene (static), or makes of each in these cells (context)",
    )
    find.add_argument(
        "--cells", nargs="*", default=[], metavar="COLUMN=VALUE", help="only cells with these values"
    )
    find.add_argument("--graph", choices=get_args(Graph), default="nearest")
    find.add_argument("--method", choices=get_args(Communities), default="louvain")
    find.add_argument("--uncentered", action="store_true", help="compare vectors as they are, as published")
    find.add_argument("--scaled", action="store_true", help="stretch scores from 0 to 1, as published")
    find.add_argument(
        "--label-key", default=None, help="column with known cell types; not read to find modules"
    )
    fields = {field.name: field.default for field in dataclasses.fields(Request)}
    for name in NUMBERS:
        words = f"default {fields[name]}"
        kind = type(fields[name])
        find.add_argument(f"--{name.replace('_', '-')}", type=kind, default=fields[name], help=words)
    find.add_argument("--csv", type=Path, help="write the module of each gene here")
    find.add_argument("--scores", type=Path, help="write the score of each module in each cell here")
    find.add_argument("--gmt", type=Path, help="write the modules as gene sets here")
    find.add_argument("--graphml", type=Path, help="write genes and links here")
    find.set_defaults(command=run)


def request_of(options: argparse.Namespace, dataset: str, checkpoint: str) -> Request:
    """Turn options into a request."""
    return Request(
        dataset=dataset,
        checkpoint="" if options.source == "expression" else checkpoint,
        source=options.source,
        cells=tuple(map(cells_with, options.cells)),
        graph=options.graph,
        method=options.method,
        centered=not options.uncentered,
        scaled=options.scaled,
        label_key=options.label_key,
        **{name: getattr(options, name) for name in NUMBERS},
    )


def summary(result: Result) -> dict[str, Any]:
    """Say what was found."""
    return {
        "verdict": result.verdict,
        "methods": {
            name: {key: round(value, 4) for key, value in dataclasses.asdict(one).items() if value == value}
            for name, one in result.methods.items()
        },
        "modules": {one.name: list(one.genes[:MOST_PRINTED]) for one in result.modules},
        "notes": [*result.notes],
    }


def write_files(result: Result, options: argparse.Namespace) -> None:
    """Write what was asked for, except the scores."""
    written = (
        (options.csv, gene_table),
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
    request = request_of(options, dataset, checkpoint)
    run_id, result = carry_out("modules", request, settings)
    say(run_id, request, result, settings=settings, **summary(result))
    write_files(result, options)
    if options.scores:
        names = [one.name for one in result.modules]
        write_csv(options.scores, dataset, settings, columns=names, rows=result.scores.tolist())
