"""What the command `compare` takes, prints and writes."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from scviz.cli.fields import add_fields
from scviz.cli.running import (
    carry_out,
    dataset_of,
    given,
    say,
    write_csv,
)
from scviz.cli.words import DATASET
from scviz.settings import Settings
from scviz.tasks import compare
from scviz.workspace import Workspace


def add_command(entries: Any) -> None:
    """Offer the comparison of several models."""
    compare_ = entries.add_parser("compare", help="embed with several models, beside principal components")
    compare_.add_argument("dataset", help=DATASET)
    compare_.add_argument(
        "--checkpoints", nargs="+", default=[], help="ids of checkpoints; default: the newest four"
    )
    add_fields(compare_, compare.Request)
    compare_.add_argument("--csv", type=Path, help="write how much methods disagree on each cell here")
    compare_.set_defaults(command=run)


def run(options: argparse.Namespace, settings: Settings) -> None:
    """Compare models and print their scores."""
    newest = [info.id for info in Workspace.from_settings(settings).checkpoints()]
    checkpoints = tuple(options.checkpoints or newest[: compare.MOST_CHECKPOINTS])
    dataset = dataset_of(options.dataset, settings)
    request = compare.Request(
        **given(options, compare.Request) | {"dataset": dataset, "checkpoints": checkpoints}
    )
    run_id, result = carry_out("compare", request, settings)
    scores = {
        method: {name: round(value, 4) for name, value in dataclasses.asdict(row).items() if value == value}
        for method, row in result.scores.items()
    }
    overlap = result.overlap.round(4).tolist()
    say(run_id, request, result, settings=settings, scores=scores, overlap=overlap)
    if options.csv:
        write_csv(
            options.csv,
            dataset,
            settings,
            columns=["disagreement"],
            rows=zip(result.disagreement, strict=True),
        )
