"""What the command `audit` takes, prints and writes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from scviz.cli.fields import add_fields, begin_as_the_page
from scviz.cli.running import carry_out, dataset_of, given, say
from scviz.cli.words import DATASET
from scviz.datasets.columns import cell_names
from scviz.settings import Settings
from scviz.tasks.label_audit import Request, Result
from scviz.workspace import Workspace
from scviz.workspace.csv_files import CsvWriter


def add_command(commands: Any) -> None:
    """Offer the audit of labels."""
    audit = commands.add_parser(
        "audit", help="ask which cells may have a wrong label: neighbors and markers speak for another one"
    )
    audit.add_argument("dataset", help=DATASET)
    add_fields(audit, Request)
    audit.add_argument("--csv", type=Path, help="write one row per cell on the list here")
    audit.set_defaults(command=run)


def run(options: argparse.Namespace, settings: Settings) -> None:
    """Audit the labels and print what was found."""
    dataset, workspace = dataset_of(options.dataset, settings), Workspace.from_settings(settings)
    begin_as_the_page(options, Request, workspace.dataset(dataset))
    request = Request(**given(options, Request) | {"dataset": dataset})
    run_id, result = carry_out("label_audit", request, settings)
    say(run_id, request, result, settings=settings, **summary(result))
    if options.csv:
        write_list(result, cell_names(workspace.dataset_folder(dataset)), options.csv)


def summary(result: Result) -> dict[str, Any]:
    """Say what was found."""
    of_label = {
        name: {
            "cells": int((result.codes == k).sum()),
            "to_check": int((result.codes[result.rows] == k).sum()),
            "found_of_changed": float(result.found_of_type[k]),
        }
        for k, name in enumerate(result.names)
    }
    return {
        "verdict": result.verdict,
        "judged": result.n_judged,
        "to_check": len(result.rows),
        "expected": {
            "mean": result.expected,
            "low": result.expected_low,
            "high": result.expected_high,
            "p": result.p,
            "share_if_labels_were_dealt_at_random": result.any_label,
        },
        "changed_as_a_test": {
            "labels": result.n_planted,
            "found": result.found,
            "interval": [result.found_low, result.found_high],
            "restored": result.restored,
        },
        "labels": of_label,
        "seconds": result.seconds,
    }


def write_list(result: Result, cells: tuple[str, ...], path: Path) -> None:
    """Write the cells on the list, the clearest first."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = CsvWriter(file)
        writer.writerow(
            ["cell", "label", "neighbors_and_markers", "neighbors_with_its_label", "margin_of_markers"]
        )
        for row in result.rows.tolist():
            own, other = result.names[result.codes[row]], result.names[result.by_markers[row]]
            writer.writerow([cells[row], own, other, result.own_share[row], result.margin[row]])
