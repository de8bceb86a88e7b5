"""What the command `map` takes, prints and writes."""

from __future__ import annotations

import argparse
from typing import Any

from scviz.cli.fields import add_fields
from scviz.cli.running import add_output, carry_out, dataset_of, given, say, write_copy, write_csv
from scviz.cli.words import DATASET
from scviz.settings import Settings
from scviz.tasks.overview import Request


def add_command(entries: Any) -> None:
    """Offer the first map of a dataset."""
    first = entries.add_parser(
        "map", help="draw the first map of a dataset and find its clusters, without a model"
    )
    first.add_argument("dataset", help=DATASET)
    add_fields(first, Request)
    add_output(first)
    first.set_defaults(command=run)


def run(options: argparse.Namespace, settings: Settings) -> None:
    """Draw the map and print what its clusters are."""
    request = Request(**given(options, Request) | {"dataset": dataset_of(options.dataset, settings)})
    run_id, result = carry_out("overview", request, settings)
    sizes = {name: int((result.clusters == number).sum()) for number, name in enumerate(result.names)}
    say(
        run_id,
        request,
        result,
        settings=settings,
        verdict=result.verdict,
        cells=len(result.umap),
        clusters=sizes,
        seconds=result.seconds,
    )
    if options.csv:
        of_cells = [result.names[number] if number >= 0 else "" for number in result.clusters]
        columns = ["umap_1", "umap_2", "cluster"]
        rows = zip(*result.umap.T, of_cells, strict=True)
        write_csv(options.csv, request.dataset, settings, columns=columns, rows=rows)
    write_copy(options, run_id, settings)
