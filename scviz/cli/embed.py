"""What the command `embed` takes, prints and writes."""

from __future__ import annotations

import argparse
from typing import Any

from scviz.cli.fields import add_fields
from scviz.cli.running import (
    add_output,
    add_subject,
    carry_out,
    request_about,
    say,
    write_copy,
    write_csv,
)
from scviz.settings import Settings
from scviz.tasks import embedding


def add_command(entries: Any) -> None:
    """Offer the map of cells."""
    embed = entries.add_parser(
        "embed", help="embed cells and draw the map, compared with principal components"
    )
    add_subject(embed)
    add_fields(embed, embedding.Request)
    add_output(embed)
    embed.set_defaults(command=run)


def run(options: argparse.Namespace, settings: Settings) -> None:
    """Embed cells and print how many."""
    request = request_about(embedding.Request, options, settings)
    run_id, result = carry_out("embedding", request, settings)
    found = {"cells": len(result.umap), "dimensions": result.embedding.shape[1]}
    say(run_id, request, result, settings=settings, **found)
    if options.csv:
        columns = ["umap_1", "umap_2", "baseline_umap_1", "baseline_umap_2"]
        rows = zip(*result.umap.T, *result.baseline_umap.T, strict=True)
        write_csv(options.csv, request.dataset, settings, columns=columns, rows=rows)
    write_copy(options, run_id, settings)
