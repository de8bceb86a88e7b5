"""What the command `in-silico` takes, prints and writes."""

from __future__ import annotations

import argparse
import csv
import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scviz.cli.fields import add_fields
from scviz.cli.running import add_subject, carry_out, say, subject, write_copy
from scviz.cli.words import cells_with
from scviz.settings import Settings
from scviz.tasks.fields import declared
from scviz.tasks.in_silico import Request, Result, Shift


def add_command(commands: Any) -> None:
    """Offer edits of genes."""
    edit = commands.add_parser("in-silico", help="remove genes, or turn them down or up, beside random genes")
    add_subject(edit)
    edit.add_argument("--genes", nargs="+", default=[], help="names of genes, edited at once")
    edit.add_argument("--each", action="store_true", help="edit each of the genes by itself")
    edit.add_argument(
        "--cells", action="append", default=[], metavar="COLUMN=VALUE[,VALUE]", help="which cells"
    )
    edit.add_argument("--group", default="", help="or the name of a group of cells")
    edit.add_argument("--goal", default="", metavar="COLUMN=VALUE", help="state that the cells may move to")
    add_fields(edit, Request, without=("together",))
    edit.add_argument(
        "--csv",
        type=Path,
        help="write one row per edit here, and beside it files that end in _random.csv, _cells.csv and others with "
        "all that the printed numbers are made of",
    )
    edit.add_argument("--output", type=Path, help="write a copy of the file with the results (.h5ad) here")
    edit.set_defaults(command=run)


def request_of(options: argparse.Namespace, dataset: str, checkpoint: str) -> Request:
    """Turn options into a request.

    Raises
    ------
    RequestError
        If a condition is not written as COLUMN=VALUE, or a field is out of its bounds.
    """
    return Request(
        dataset=dataset,
        checkpoint=checkpoint,
        genes=tuple(options.genes),
        together=not options.each,
        cells=tuple(cells_with(text) for text in options.cells),
        group=options.group,
        goal=cells_with(options.goal) if options.goal else None,
        **{name: getattr(options, name) for name in declared(Request)},
    )


def summary(result: Result) -> dict[str, Any]:
    """Say what was found."""
    return {
        "cells": len(result.rows),
        "outcome": result.outcome,
        "verdict": result.verdict,
        "observed": result.observed.verdict if result.observed else None,
        "types": {one.name: round(one.moved.mean, 6) for one in result.types},
        "notes": [*result.notes, "A simulation inside the model, not a measurement."],
    }


def write_effects(result: Result, path: Path) -> None:
    """Write one row per edit, and beside it what its numbers are made of.

    `_random.csv` has the random genes, `_cells.csv` every cell of every edit, `_ruler.csv` the distances that moves are
    a share of, `_genes.csv` the other genes that one edit changes, `_published.csv` the published statistics.
    """
    _write_edits(result, path)
    _write_random(result, _beside(path, "random"))
    shown = ["moved", *(["to_goal", "to_start"] if result.to_goal is not None else [])]
    _write(_beside(path, "cells"), ["genes", "random", "row", *shown], _cells(result))
    ruler = result.ruler
    rulers = [[ruler.words, ruler.distance, ruler.goal_distance, result.n_tests]]
    _write(_beside(path, "ruler"), ["words", "distance", "goal_distance", "n_tests"], rulers)
    if result.affected is not None:
        found = result.affected
        columns = (found.genes, found.change, found.random_change, found.n_cells)
        _write(_beside(path, "genes"), ["gene", found.what, "random", "cells"], zip(*columns, strict=True))
    if result.observed is not None:
        pairs = [["edit", result.observed.in_few_cells], *(["random", one] for one in result.observed.random)]
        _write(_beside(path, "observed"), ["of", "cosine"], pairs)
    if result.published is not None:
        _write(_beside(path, "published"), result.published.columns, result.published.rows)


def _write_edits(result: Result, path: Path) -> None:
    """Write one row per edit: cells, shifts with intervals, bands of random genes, ranks, p values."""
    names = [field.name for field in dataclasses.fields(Shift)]
    shown = ("moved", "to_goal", "to_start") if result.to_goal is not None else ("moved",)
    rows = []
    for effect in result.effects:
        numbers = [getattr(getattr(effect, measure), name) for measure in shown for name in names]
        rows.append(["+".join(effect.genes), effect.n_cells, effect.level, *numbers])
    _write(path, ["genes", "cells", "level", *(f"{one}_{name}" for one in shown for name in names)], rows)


def _write_random(result: Result, path: Path) -> None:
    """Write one row per random gene or set: its rank by expression and its means."""
    values = _known(result.random_moved, result.random_to_goal)
    named = enumerate(zip(result.random_genes, result.random_levels, strict=True))
    rows = [["+".join(genes), level, *(_mean(one[i]) for one in values)] for i, (genes, level) in named]
    _write(path, ["genes", "level", "moved", "to_goal"][: 2 + len(values)], rows)


def _cells(result: Result) -> Iterable[list[Any]]:
    """Give a row for each cell that an edit changes."""
    edits = _known(result.moved, result.to_goal, result.to_start)
    random = _known(result.random_moved, result.random_to_goal)
    named = [(effect.genes, False, [v[i] for v in edits]) for i, effect in enumerate(result.effects)]
    named += [(genes, True, [v[i] for v in random]) for i, genes in enumerate(result.random_genes)]
    for genes, drawn, values in named:
        for cell in np.flatnonzero(np.isfinite(values[0])):
            yield ["+".join(genes), int(drawn), int(result.rows[cell]), *(float(v[cell]) for v in values)]


def _known(*arrays: np.ndarray | None) -> list[np.ndarray]:
    return [array for array in arrays if array is not None]


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean(dtype=np.float64)) if len(known) else float("nan")


def _beside(path: Path, name: str) -> Path:
    return path.with_name(f"{path.stem}_{name}{path.suffix or '.csv'}")


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def run(options: argparse.Namespace, settings: Settings) -> None:
    """Edit genes and print what moved."""
    dataset, checkpoint = subject(options, settings)
    request = request_of(options, dataset, checkpoint)
    run_id, result = carry_out("in_silico", request, settings)
    say(run_id, request, result, settings=settings, **summary(result))
    if options.csv:
        write_effects(result, options.csv)
    write_copy(options, run_id, settings)
