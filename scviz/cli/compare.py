"""What the command `compare` takes, prints and writes."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from scviz.cli.fields import add_fields, begin_as_the_page
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
from scviz.tasks.compare import SCORES, Result, ScoreGain
from scviz.workspace import Workspace


def add_command(entries: Any) -> None:
    """Offer the comparison of several models."""
    compare_ = entries.add_parser(
        "compare", help="embed with several models, compared with principal components"
    )
    compare_.add_argument("dataset", help=DATASET)
    compare_.add_argument(
        "--checkpoints", nargs="+", default=[], help="ids of checkpoints; default: the newest four"
    )
    add_fields(compare_, compare.Request)
    compare_.add_argument("--csv", type=Path, help="write how much methods disagree on each cell here")
    compare_.add_argument(
        "--arrays",
        type=Path,
        help="write what every number is made of here (.npz): of each cell its neighbors, cluster and silhouettes by "
        "each method, and the scores of each half of the cells",
    )
    compare_.set_defaults(command=run)


def gain_of(one: ScoreGain) -> dict[str, Any]:
    """Say what a model gains by a score; bounds are None where there is no interval."""
    gap = one.gain.difference
    bounds = (round(gap.low, 4), round(gap.high, 4)) if gap.known else (None, None)
    words = {"method": one.method, "score": one.score, "outcome": one.gain.outcome}
    return words | {"difference": round(gap.mean, 4), "low": bounds[0], "high": bounds[1]}


def write_arrays(result: Result, path: Path) -> None:
    """Write arrays by name, those of a method as `name/method`."""
    named = ("neighbors", "named", "clusters", "silhouette_label", "silhouette_batch", "elsewhere", "halves")
    arrays: dict[str, Any] = {
        "types": result.types,
        "batches": result.batches,
        "disagreement": result.disagreement,
    }
    for name in named:
        arrays |= {f"{name}/{method}": values for method, values in getattr(result, name).items()}
    with path.open("wb") as file:
        np.savez_compressed(file, methods=np.array(result.methods), scores=np.array(list(SCORES)), **arrays)


def run(options: argparse.Namespace, settings: Settings) -> None:
    """Compare models and print their scores."""
    newest = [info.id for info in Workspace.from_settings(settings).checkpoints()]
    checkpoints = tuple(options.checkpoints or newest[: compare.MOST_CHECKPOINTS])
    dataset = dataset_of(options.dataset, settings)
    begin_as_the_page(options, compare.Request, Workspace.from_settings(settings).dataset(dataset))
    request = compare.Request(
        **given(options, compare.Request) | {"dataset": dataset, "checkpoints": checkpoints}
    )
    run_id, result = carry_out("compare", request, settings)
    scores = {
        method: {name: round(value, 4) for name, value in dataclasses.asdict(row).items() if value == value}
        for method, row in result.scores.items()
    }
    overlap = result.overlap.round(4).tolist()
    say(
        run_id,
        request,
        result,
        settings=settings,
        outcome=result.outcome,
        verdict=result.verdict,
        scores=scores,
        gains=[gain_of(one) for one in result.gains],
        overlap=overlap,
    )
    if options.arrays:
        write_arrays(result, options.arrays)
    if options.csv:
        write_csv(
            options.csv,
            dataset,
            settings,
            columns=["disagreement"],
            rows=zip(result.disagreement, strict=True),
        )
