"""What the command `enhance` takes, prints and writes."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from scviz.cli.fields import add_fields
from scviz.cli.running import (
    add_subject,
    carry_out,
    request_about,
    say,
    write_copy,
)
from scviz.settings import Settings
from scviz.tasks import enhancement
from scviz.tasks.enhancement import ORIGINAL, Result
from scviz.workspace.csv_files import CsvWriter


def add_command(entries: Any) -> None:
    """Offer denoising."""
    enhance = entries.add_parser("enhance", help="denoise cells as if they had more reads, with a check")
    add_subject(enhance)
    add_fields(enhance, enhancement.Request)
    enhance.add_argument("--output", type=Path, help="write a copy of the file with the new layer here")
    enhance.add_argument(
        "--csv", type=Path, help="write correlation and silhouette of each checked cell, by method, here"
    )
    enhance.set_defaults(command=run)


def run(options: argparse.Namespace, settings: Settings) -> None:
    """Denoise cells and print the check."""
    request = request_about(enhancement.Request, options, settings)
    run_id, result = carry_out("enhancement", request, settings)
    scores = {name: dataclasses.asdict(score) for name, score in result.scores.items()}
    say(
        run_id,
        request,
        result,
        settings=settings,
        scores=scores,
        silhouettes={**result.silhouettes, ORIGINAL: result.original_silhouette}
        if result.silhouettes
        else {},
        verdict=result.gain.sentence,
    )
    if options.csv:
        write_check(result, options.csv)
    write_copy(options, run_id, settings)


def write_check(result: Result, path: Path) -> None:
    """Write the row of each checked cell, its correlation with the original and its silhouette, by method."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = CsvWriter(file)
        silhouettes = {f"silhouette {name}": values for name, values in result.cell_silhouettes.items()}
        columns = {**result.correlations, **silhouettes}
        writer.writerow(["row", *columns])
        writer.writerows(zip(result.check_rows.tolist(), *map(list, columns.values()), strict=True))
