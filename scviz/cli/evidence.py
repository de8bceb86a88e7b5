"""What the command `evidence` takes, prints and writes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from scviz.cli.fields import add_fields
from scviz.cli.running import carry_out, given, say
from scviz.jobs.queue import RunQueue
from scviz.settings import Settings
from scviz.tasks.attribution import Request, Result
from scviz.tasks.attribution.verdict import said_of
from scviz.workspace.csv_files import CsvWriter

COLUMNS = ("integrated", "gradient", "seen", "differential")
"""Arrays of the result that are written, a column each."""


def add_command(commands: Any) -> None:
    """Offer the genes behind the names of a run."""
    entry = commands.add_parser("evidence", help="ask which genes make a trained classifier say each type")
    entry.add_argument("run", help="id of a finished run of annotate")
    add_fields(entry, Request)
    entry.add_argument("--csv", type=Path, help="write one row per type and gene here")
    entry.set_defaults(command=run)


def run(options: argparse.Namespace, settings: Settings) -> None:
    """Ask the classifier and print what was found."""
    dataset = RunQueue(settings).get(options.run).request["dataset"]
    request = Request(**given(options, Request) | {"dataset": dataset, "run": options.run})
    run_id, result = carry_out("attribution", request, settings)
    say(run_id, request, result, settings=settings, **summary(result, request.n_deleted))
    if options.csv:
        write_genes(result, options.csv)


def summary(result: Result, n_deleted: int) -> dict[str, Any]:
    """Say what was found of each type, of whose score so many genes were deleted."""
    types = {
        name: {
            "cells": result.n_cells[k],
            "first": [result.genes[i] for i in (-result.integrated[k]).argsort(kind="stable")[:10]],
            "agreement": float(result.agreement[k]),
            "agreement_of_gradient_x_input": float(result.gradient_agreement[k]),
            "agreement_of_expression_alone": float(result.level_agreement[k]),
            "between_halves": float(result.repeated[k]),
            "name": {
                one.evidence: {"standing": one.standing, "why": one.words}
                for one in said_of(result, k, n_deleted=n_deleted)
            },
            "drop": {
                "own_genes": float(result.drop[k, 0]),
                "genes_by_expression": float(result.drop[k, 1]),
                "random_genes": result.drop[k, 2:].tolist(),
            },
        }
        for k, name in enumerate(result.types)
    }
    return {
        "verdict": result.verdict,
        "types": types,
        "unexplained": result.unexplained,
        "seconds": result.seconds,
    }


def write_genes(result: Result, path: Path) -> None:
    """Write one row per type and gene, the genes that a type goes by first."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = CsvWriter(file)
        writer.writerow(["type", "gene", *COLUMNS])
        for k, name in enumerate(result.types):
            order = (-result.integrated[k]).argsort(kind="stable")
            arrays = [getattr(result, column)[k, order].tolist() for column in COLUMNS]
            writer.writerows(zip([name] * len(order), [result.genes[i] for i in order], *arrays, strict=True))
