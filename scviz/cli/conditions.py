"""What the command `conditions` takes, prints and writes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from scviz.cli.fields import add_fields
from scviz.cli.running import carry_out, dataset_of, given, say
from scviz.cli.words import DATASET
from scviz.settings import Settings
from scviz.tasks.conditions import Request, Result
from scviz.tasks.conditions.choosing import begin_with, conditions_of
from scviz.workspace import DatasetInfo, Workspace
from scviz.workspace.csv_files import CsvWriter

MOST_PRINTED = 10
NAMED = ("condition_key", "first", "second")
COLUMNS = ("change", "low", "high", "p_value", "adjusted_p", "answers")


def add_command(commands: Any) -> None:
    """Offer the comparison of two conditions."""
    conditions = commands.add_parser(
        "conditions", help="ask what differs between two conditions, donor by donor"
    )
    conditions.add_argument("dataset", help=DATASET)
    add_fields(conditions, Request)
    conditions.add_argument("--csv", type=Path, help="write one row per type here")
    conditions.set_defaults(command=run)


def request_of(options: argparse.Namespace, dataset: DatasetInfo) -> Request:
    """Turn options into a request; columns and conditions that none names are those that the page begins with."""
    asked, found = given(options, Request), begin_with(dataset)
    for name in ("type_key", "donor_key", "condition_key"):
        asked[name] = asked[name] or getattr(found, name)
    if asked["condition_key"]:
        asked["first"], asked["second"] = _sides(dataset, **{name: asked[name] for name in NAMED})
    return Request(**asked | {"dataset": dataset.id})


def _sides(dataset: DatasetInfo, *, condition_key: str, first: str, second: str) -> tuple[str, str]:
    """Choose the conditions that are not named, as the page does."""
    values = conditions_of(dataset, condition_key)
    first = first or next((value for value in values if value != second), "")
    return first, second or next((value for value in reversed(values) if value != first), "")


def summary(result: Result) -> dict[str, Any]:
    """Say what was found."""
    return {
        "verdict": result.verdict,
        "genes": result.genes_verdict,
        "paired": result.paired,
        "donors": dict(zip(result.names, result.n_donors, strict=True)),
        "reference": result.reference,
        "types": {
            name: {
                "shares": dict(zip(result.names, result.shares[:, i].tolist(), strict=True)),
                **{column: _plain(getattr(result, column)[i]) for column in COLUMNS},
            }
            for i, name in enumerate(result.types)
        },
        "changed_genes": {
            one.type: {
                "changed": one.n_changed,
                "tested": one.n_tested,
                f"with_{result.equal_cells}_cells": one.n_equal,
                "swapped": one.n_swapped,
                "first": [gene.gene for gene in one.first[:MOST_PRINTED]],
            }
            if not one.reason
            else {"why_not": one.reason}
            for one in result.genes
        },
        "notes": [*result.notes],
    }


def _plain(value: Any) -> Any:
    return value if isinstance(value, str) else float(value)


def write_types(result: Result, path: Path) -> None:
    """Write one row per type."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = CsvWriter(file)
        writer.writerow(["type", *(f"share_{name}" for name in result.names), *COLUMNS, "changed_genes"])
        for i, (name, genes) in enumerate(zip(result.types, result.genes, strict=True)):
            row = [_plain(getattr(result, column)[i]) for column in COLUMNS]
            changed = "" if genes.reason else genes.n_changed
            writer.writerow([name, *result.shares[:, i].tolist(), *row, changed])


def run(options: argparse.Namespace, settings: Settings) -> None:
    """Compare two conditions and print what differs."""
    dataset = dataset_of(options.dataset, settings)
    request = request_of(options, Workspace.from_settings(settings).dataset(dataset))
    run_id, result = carry_out("conditions", request, settings)
    say(run_id, request, result, settings=settings, **summary(result))
    if options.csv:
        write_types(result, options.csv)
