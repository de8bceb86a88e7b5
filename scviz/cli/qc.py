"""What the commands `qc` and `subset` take, print and write."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scviz.cli.fields import add_fields, begin_as_the_page
from scviz.cli.running import carry_out, dataset_of, given, say, write_csv
from scviz.cli.words import DATASET, cells_with
from scviz.datasets.cell_quality import MEASURES
from scviz.datasets.labels import cell_labels
from scviz.errors import RequestError
from scviz.metrics.thresholds import Bounds, Loss, losses
from scviz.settings import Settings
from scviz.tasks import filtering
from scviz.tasks.filters import Bound
from scviz.tasks.qc import Request, Result
from scviz.tasks.qc.suggesting import at_first, kept_cells, suggested
from scviz.tasks.qc.telling import kept_sentence, lost_by_measure, warnings
from scviz.workspace import Workspace
from scviz.workspace.groups import group_version, read_groups

OPEN = "open"
"""Stands for no threshold."""


def add_command(entries: Any) -> None:
    """Offer quality control, and cells as a dataset of their own."""
    qc = entries.add_parser("qc", help="tell good cells from bad ones and what each cell type would lose")
    qc.add_argument("dataset", help=DATASET)
    add_fields(qc, Request)
    for end in ("least", "most"):
        qc.add_argument(
            f"--at-{end}",
            action="append",
            default=[],
            metavar="MEASURE=VALUE",
            help=f"another threshold than the suggested one: {', '.join(MEASURES)}; shares from 0 to 1; "
            f'"{OPEN}" for none',
        )
    add_fields(qc, filtering.Request, "min_cells")
    qc.add_argument("--apply", action="store_true", help="make a dataset of what is kept")
    qc.add_argument("--name", default="", help="of the new dataset; default: the same name")
    qc.add_argument("--csv", type=Path, help="write the measures of each cell here, and whether it is kept")
    qc.set_defaults(command=run)

    subset = entries.add_parser("subset", help="make a dataset of some of the cells")
    subset.add_argument("dataset", help=DATASET)
    subset.add_argument(
        "--cells", action="append", default=[], metavar="COLUMN=VALUE[,VALUE]", help="which cells"
    )
    subset.add_argument("--group", default="", help="or the name of a group that was circled on a map")
    subset.add_argument("--name", default="", help="of the new dataset; default: the same name")
    subset.set_defaults(command=run_subset)


def run(options: argparse.Namespace, settings: Settings) -> None:
    """Measure cells, print what the thresholds keep, and make a dataset of it where that was asked for."""
    dataset = dataset_of(options.dataset, settings)
    workspace = Workspace.from_settings(settings)
    begin_as_the_page(options, Request, workspace.dataset(dataset))
    request = Request(**given(options, Request) | {"dataset": dataset})
    run_id, result = carry_out("qc", request, settings)
    bounds = bounds_of(options, result, n_mads=request.n_mads)
    kept = kept_cells(result.measures, bounds)
    found = summary(request, result, bounds, folder=workspace.dataset_folder(dataset))
    if options.apply:
        step = step_of(options, run_id, bounds, dataset=dataset)
        made = carry_out("filtering", step, settings)[1]
        found |= {"dataset": made.dataset, "parent": dataset, "genes": made.n_genes, "history": made.line}
    say(run_id, request, result, settings=settings, **found)
    if options.csv:
        columns = [*result.measures, "kept"]
        rows = zip(*(values.tolist() for values in (*result.measures.values(), kept)), strict=True)
        write_csv(options.csv, dataset, settings, columns=columns, rows=rows)


def bounds_of(options: argparse.Namespace, result: Result, *, n_mads: float) -> dict[str, Bounds]:
    """Take the thresholds that hold at first, and those that options move.

    Raises
    ------
    RequestError
        If an option names no measure of the result, or no number, or no cell could be between the two ends.
    """
    bounds = at_first(suggested(result, n_mads))
    for end, texts in (("low", options.at_least), ("high", options.at_most)):
        for text in texts:
            name, _, value = text.partition("=")
            if name not in bounds:
                raise RequestError(
                    f"{text!r} names no measure of these cells.", hint=f"They have {', '.join(bounds)}."
                )
            bounds[name] = replace(bounds[name], **{end: None if value == OPEN else _number(name, value)})
    for name, one in bounds.items():
        if one.is_empty:
            raise RequestError(
                f"No cell has {name} of at least {one.low:g} and at most {one.high:g}.",
                hint=f"Move the other end too, or open it: --at-least {name}={OPEN} or --at-most {name}={OPEN}.",
            )
    return bounds


def _number(name: str, value: str) -> float:
    """Read a threshold of a measure; a share given in percent is asked about, not taken."""
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise RequestError(
            f"{f'{name}={value}'!r} holds no number.", hint=f"Write {name}=VALUE, or {name}={OPEN}."
        )
    if MEASURES[name].share and not 0 <= number <= 1:
        raise RequestError(
            f"{name} must be between 0 and 1 (got {value}).",
            hint=f"Write {name}={number / 100:g} for {number:g} %.",
        )
    return number


def step_of(
    options: argparse.Namespace, run_id: str, bounds: Mapping[str, Bounds], *, dataset: str
) -> filtering.Request:
    """Turn thresholds into the request that applies them."""
    moved = tuple(
        Bound(measure=name, low=one.low, high=one.high) for name, one in bounds.items() if not one.is_open
    )
    return filtering.Request(
        dataset=dataset,
        name=options.name,
        run=run_id if moved else "",
        bounds=moved,
        min_cells=options.min_cells,
    )


def summary(
    request: Request, result: Result, bounds: Mapping[str, Bounds], *, folder: Path
) -> dict[str, Any]:
    """Say what the thresholds keep, and what each cell type and batch loses."""
    kept = kept_cells(result.measures, bounds)
    by = {
        column: _losses(folder, column, kept) for column in (request.label_key, request.batch_key) if column
    }
    shown = suggested(result, request.n_mads)
    types = by.get(request.label_key or "", ())
    return {
        "verdict": kept_sentence(kept, types),
        "warnings": [sentence for found in by.values() for sentence in warnings(found)],
        "kept": int(kept.sum()),
        "cells": len(kept),
        "thresholds": {
            name: {"suggested": [shown[name].low, shown[name].high], "used": [one.low, one.high]}
            for name, one in bounds.items()
        },
        "lost_by_measure": lost_by_measure(result.measures, bounds),
        "lost": {
            column: {one.name: {"cells": one.n, "lost": one.lost} for one in found}
            for column, found in by.items()
        },
    }


def _losses(folder: Path, column: str, kept: NDArray[np.bool_]) -> Sequence[Loss]:
    labels = cell_labels(folder, column)
    return losses(kept, labels.codes, labels.names)


def run_subset(options: argparse.Namespace, settings: Settings) -> None:
    """Make a dataset of some cells and print its id."""
    dataset = dataset_of(options.dataset, settings)
    groups = read_groups(Workspace.from_settings(settings).dataset_folder(dataset))
    request = filtering.Request(
        dataset=dataset,
        name=options.name,
        cells=tuple(map(cells_with, options.cells)),
        group=options.group,
        group_version=group_version(groups[options.group]) if options.group in groups else "",
        min_cells=0,
    )
    made = carry_out("filtering", request, settings)[1]
    found = {"dataset": made.dataset, "parent": dataset, "cells": made.n_cells, "genes": made.n_genes}
    print(json.dumps(found | {"history": made.line}, indent=1))
