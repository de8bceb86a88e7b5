"""What the command `regulons` takes, prints and writes."""

from __future__ import annotations

import argparse
import csv
import dataclasses
from pathlib import Path
from typing import Any

from scviz.cli.fields import add_fields
from scviz.cli.running import carry_out, dataset_of, say, write_csv
from scviz.cli.words import DATASET
from scviz.errors import RequestError
from scviz.settings import Settings
from scviz.tasks.fields import declared
from scviz.tasks.scenic import Request, Result
from scviz.tasks.scenic.files import files_version, gmt

FILES = {
    "regulators": "list of regulators, a symbol in each line; default: those of the prior network",
    "prior": "prior network (TF - target), a table: source (or tf) and target, .tsv or .csv, also .gz",
    "rankings": "database of rankings by motif, .genes_vs_motifs.rankings.feather",
    "annotations": "table that ties motifs to regulators, .tbl",
}
MOST_PRINTED = 20


def add_command(commands: Any) -> None:
    """Offer the search for regulons."""
    find = commands.add_parser(
        "regulons", help="find regulators and their targets, compared with plain correlation"
    )
    find.add_argument("dataset", help=DATASET)
    for name, words in FILES.items():
        find.add_argument(f"--{name}", type=Path, default=None, help=words)
    find.add_argument(
        "--checkpoint", default="", help="id of the checkpoint whose vectors are compared, for similarity"
    )
    add_fields(find, Request)
    find.add_argument("--csv", type=Path, help="write the activity of each regulon in each cell here")
    find.add_argument("--gmt", type=Path, help="write the regulons as gene sets here")
    find.add_argument("--links", type=Path, help="write the strongest links of each method here")
    find.set_defaults(command=run)


def request_of(options: argparse.Namespace, dataset: str) -> Request:
    """Turn options into a request.

    Raises
    ------
    RequestError
        If a file is not there.
    """
    files: dict[str, Any] = {}
    for name in FILES:
        path = getattr(options, name)
        if path is not None and not path.is_file():
            raise RequestError(f"There is no file {path}.", hint="Check the spelling of the path.")
        files[name] = str(path.resolve()) if path is not None else ""
    return Request(
        dataset=dataset,
        checkpoint=options.checkpoint,
        files_version=files_version(files.values()),
        **files,
        **{name: getattr(options, name) for name in declared(Request)},
    )


def summary(result: Result) -> dict[str, Any]:
    """Say what was found."""
    return {
        "outcome": result.outcome,
        "verdict": result.verdict,
        "checks": {
            name: {key: round(value, 4) for key, value in dataclasses.asdict(one).items() if key != "place"}
            | {"place": one.place.words}
            for name, one in result.checks.items()
        },
        "regulons": {one.name: len(one.genes) for one in result.regulons[:MOST_PRINTED]},
        "notes": [*result.notes],
    }


def write_links(result: Result, path: Path) -> None:
    """Write one row per method and link."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["method", "source", "target", "weight", "known"])
        for name, links in result.links.items():
            known = links.known or ("",) * len(links.sources)
            rows = zip(links.sources, links.targets, links.weights, known, strict=True)
            writer.writerows([name, *row] for row in rows)


def run(options: argparse.Namespace, settings: Settings) -> None:
    """Find regulons and print how they stand beside chance."""
    request = request_of(options, dataset_of(options.dataset, settings))
    run_id, result = carry_out("scenic", request, settings)
    say(run_id, request, result, settings=settings, **summary(result))
    if options.csv:
        names = [one.name for one in result.regulons]
        write_csv(options.csv, request.dataset, settings, columns=names, rows=result.auc.tolist())
    if options.gmt:
        options.gmt.write_text(gmt(result.regulons), encoding="utf-8")
    if options.links:
        write_links(result, options.links)
