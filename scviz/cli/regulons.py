"""What the command `regulons` takes, prints and writes."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from scviz.cli.fields import NONE, add_fields, begin_as_the_page
from scviz.cli.running import carry_out, dataset_of, given, say, write_csv
from scviz.cli.words import DATASET
from scviz.datasets.conditions import guess_screen_column
from scviz.errors import RequestError
from scviz.metrics.networks import Overlap
from scviz.networks.contract import TRUTH
from scviz.settings import Settings
from scviz.tasks.scenic import Request, Result
from scviz.tasks.scenic.files import gmt
from scviz.workspace import Workspace
from scviz.workspace.csv_files import CsvWriter
from scviz.workspace.records import files_version

FILES = {
    "regulators": "list of regulators, a symbol in each line; default: those of the prior network, without one "
    "the transcription factors that scviz ships",
    "prior": "prior network (TF - target), a table: source (or tf) and target, .tsv or .csv, also .gz; simulated cells "
    "need none, their own network checks the links",
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
    find.add_argument(
        "--csv", type=Path, help="write the activity of each regulon in each cell here, and whether it is on"
    )
    find.add_argument("--gmt", type=Path, help="write the regulons as gene sets here")
    find.add_argument(
        "--links", type=Path, help="write every possible link with its weight by each method here"
    )
    find.add_argument("--table", type=Path, help="write a row per regulon here, also of those left out")
    find.add_argument("--types", type=Path, help="write activity and specificity by type and regulon here")
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
        if path is not None and name == "prior" and str(path) == TRUTH:
            files[name] = TRUTH  # which the Request refuses
            continue
        if path is not None and not path.is_file():
            raise RequestError(f"There is no file {path}.", hint="Check the spelling of the path.")
        files[name] = str(path.resolve()) if path is not None else ""
    files["files_version"] = files_version(*files.values())
    return Request(**given(options, Request) | files | {"dataset": dataset})


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
    """Write one row per method and possible link, the strongest of each method first: all that checks are made of."""
    allowed = np.array(result.regulators)[:, None] != np.array(result.targets)[None, :]  # none to itself
    rows, columns = np.nonzero(allowed)
    told = bool(result.known.size)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = CsvWriter(file)
        writer.writerow(["method", "source", "target", "weight", "known", "judged"])
        for name, strength in result.strengths.items():
            weights = strength[rows, columns]
            for at in np.argsort(-weights, kind="stable"):
                pair = rows[at], columns[at]
                facts = (
                    (int(result.known[pair]), int(result.judged[pair]))
                    if told and result.judged.size
                    else ("", "")
                )
                ends = result.regulators[pair[0]], result.targets[pair[1]]
                writer.writerow([name, *ends, float(weights[at]), *facts])


def write_regulons(result: Result, path: Path) -> None:
    """Write one row per regulon, those that known links left out among them, with the counts its p comes from."""
    found = {one.name: one for one in result.regulons}
    names = [*found, *(name for name in result.overlaps if name not in found)]
    counts = [one.name for one in dataclasses.fields(Overlap)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = CsvWriter(file)
        writer.writerow(["name", "kept", "n_targets", "score", "share_on", "fdr", *counts])
        for name in names:
            one, seen = found.get(name), result.overlaps.get(name)
            own = (1, len(one.genes), one.score, one.share_on, one.fdr) if one else (0, "", "", "", "")
            rest = [getattr(seen, count) for count in counts] if seen else [""] * len(counts)
            writer.writerow([name, *own, *rest])


def write_types(result: Result, path: Path) -> None:
    """Write one row per type and regulon: mean activity, specificity and its false discovery rate."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = CsvWriter(file)
        writer.writerow(["type", "regulon", "mean_activity", "specificity", "fdr"])
        for row, name in enumerate(result.types):
            tables = (result.mean_auc[row], result.rss[row], result.rss_fdr[row])
            for one, *values in zip(result.regulons, *tables, strict=True):
                writer.writerow([name, one.name, *map(float, values)])


def activity_columns(result: Result) -> dict[str, list[float]]:
    """Give the activity of each regulon in each of N cells, and whether it is on, by name of a column."""
    columns = {one.name: result.auc[:, i].tolist() for i, one in enumerate(result.regulons)}
    on = {f"{one.name} on": result.on[:, i].astype(int).tolist() for i, one in enumerate(result.regulons)}
    return {**columns, **on}


def run(options: argparse.Namespace, settings: Settings) -> None:
    """Find regulons and print how they stand beside chance."""
    dataset, workspace = dataset_of(options.dataset, settings), Workspace.from_settings(settings)
    info = workspace.dataset(dataset)
    begin_as_the_page(options, Request, info)
    if options.condition_key == NONE:
        options.condition_key = ""
    elif not options.condition_key:
        options.condition_key = guess_screen_column(workspace.dataset_folder(dataset), info.columns) or ""
    request = request_of(options, dataset)
    run_id, result = carry_out("scenic", request, settings)
    say(run_id, request, result, settings=settings, **summary(result))
    if options.csv:
        columns = activity_columns(result)
        rows = zip(*columns.values(), strict=True)
        write_csv(options.csv, request.dataset, settings, columns=list(columns), rows=rows)
    if options.gmt:
        options.gmt.write_text(gmt(result.regulons), encoding="utf-8")
    for path, write in (
        (options.links, write_links),
        (options.table, write_regulons),
        (options.types, write_types),
    ):
        if path:
            write(result, path)
