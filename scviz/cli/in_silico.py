"""What the command `in-silico` takes, prints and writes."""

from __future__ import annotations

import argparse
import csv
import dataclasses
from pathlib import Path
from typing import Any, get_args

from scviz.cli.running import carry_out, say, subject, write_copy
from scviz.cli.words import DATASET, cells_with
from scviz.settings import Settings
from scviz.tasks.in_silico import Kind, Request, Result, Shift

NUMBERS = ("share", "most_cells", "n_random", "random_cells", "n_exact", "seed")


def add_command(commands: Any) -> None:
    """Offer edits of genes."""
    edit = commands.add_parser("in-silico", help="remove genes, or turn them down or up, beside random genes")
    edit.add_argument("dataset", help=DATASET)
    edit.add_argument("--checkpoint", default="", help="id of the weights; default: the newest")
    edit.add_argument("--genes", nargs="+", default=[], help="names of genes, edited at once")
    edit.add_argument("--each", action="store_true", help="edit each of the genes by itself")
    edit.add_argument(
        "--all-genes", action="store_true", help="edit every gene that the model sees, one by one"
    )
    edit.add_argument("--kind", choices=get_args(Kind), default="delete")
    edit.add_argument(
        "--cells", action="append", default=[], metavar="COLUMN=VALUE[,VALUE]", help="which cells"
    )
    edit.add_argument("--group", default="", help="or the name of a group of cells")
    edit.add_argument("--goal", default="", metavar="COLUMN=VALUE", help="state that the cells may move to")
    edit.add_argument("--label-key", default=None, help="column with known cell types")
    fields = {field.name: field.default for field in dataclasses.fields(Request)}
    for name in NUMBERS:
        kind = type(fields[name])
        words = f"default {fields[name]}"
        edit.add_argument(f"--{name.replace('_', '-')}", type=kind, default=fields[name], help=words)
    edit.add_argument("--csv", type=Path, help="write one row per edit here")
    edit.add_argument("--output", type=Path, help="write a copy of the file with the results (.h5ad) here")
    edit.set_defaults(command=run)


def request_of(options: argparse.Namespace, dataset: str, checkpoint: str) -> Request:
    """Turn options into a request.

    Raises
    ------
    RequestError
        If a condition is not written as COLUMN=VALUE.
    """
    return Request(
        dataset=dataset,
        checkpoint=checkpoint,
        genes=tuple(options.genes),
        all_genes=options.all_genes,
        together=not options.each,
        kind=options.kind,
        cells=tuple(cells_with(text) for text in options.cells),
        group=options.group,
        goal=cells_with(options.goal) if options.goal else None,
        label_key=options.label_key,
        **{name: getattr(options, name) for name in NUMBERS},
    )


def summary(result: Result) -> dict[str, Any]:
    """Say what was found."""
    return {
        "cells": len(result.rows),
        "verdict": result.verdict,
        "observed": result.observed.verdict if result.observed else None,
        "types": {one.name: round(one.moved.mean, 6) for one in result.types},
        "notes": [*result.notes, "A simulation inside the model, not a measurement."],
    }


def write_effects(result: Result, path: Path) -> None:
    """Write one row per edit: cells, shifts with intervals, bands of random genes, p values."""
    names = [field.name for field in dataclasses.fields(Shift)]
    shown = ("moved", "to_goal", "to_start") if result.to_goal is not None else ("moved",)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["genes", "cells", *(f"{measure}_{name}" for measure in shown for name in names)])
        for effect in result.effects:
            values = [getattr(getattr(effect, measure), name) for measure in shown for name in names]
            writer.writerow(["+".join(effect.genes), effect.n_cells, *values])


def run(options: argparse.Namespace, settings: Settings) -> None:
    """Edit genes and print what moved."""
    dataset, checkpoint = subject(options, settings)
    request = request_of(options, dataset, checkpoint)
    run_id, result = carry_out("in_silico", request, settings)
    say(run_id, request, result, settings=settings, **summary(result))
    if options.csv:
        write_effects(result, options.csv)
    write_copy(options, run_id, settings)
