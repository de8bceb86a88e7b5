"""What the command `annotate` takes, prints and writes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from scviz.cli import by_reference
from scviz.cli.fields import add_fields, begin_as_the_page
from scviz.cli.running import (
    add_output,
    add_subject,
    carry_out,
    given,
    say,
    subject,
    text_of,
    write_copy,
    write_csv,
)
from scviz.datasets.columns import cell_names
from scviz.datasets.label_terms import label_terms
from scviz.datasets.own_cell_split import keep_split
from scviz.errors import RequestError
from scviz.settings import Settings
from scviz.tasks import annotation, importing
from scviz.tasks.annotation.tables import cells, probabilities_csv, summary
from scviz.workspace import Workspace


def add_command(entries: Any) -> None:
    """Offer the naming of cell types."""
    annotate = entries.add_parser(
        "annotate",
        help="annotate cell types: learn them and judge on cells held out, compared with baselines, or predict with "
        "weights that know types",
    )
    add_subject(annotate)
    add_fields(annotate, annotation.Request)
    annotate.add_argument(
        "--split-file", type=Path, help="your own split: lines of a cell and train, validation or test"
    )
    annotate.add_argument(
        "--save-as",
        default="",
        metavar="NAME",
        help="keep the trained classifier as a checkpoint of this name",
    )
    annotate.add_argument(
        "--probabilities-csv",
        type=Path,
        help="write the probability of each type and the sets of the cells that judge",
    )
    by_reference.add_options(annotate)
    add_output(annotate)
    annotate.set_defaults(command=run)


def request_of(options: argparse.Namespace, settings: Settings) -> annotation.Request:
    """Turn options into a request.

    Raises
    ------
    RequestError
        If the question makes no sense, or the own split cannot be read.
    """
    dataset, checkpoint = subject(options, settings)
    begin_as_the_page(options, annotation.Request, Workspace.from_settings(settings).dataset(dataset))
    asked = given(options, annotation.Request) | {"dataset": dataset, "checkpoint": checkpoint}
    folder = Workspace.from_settings(settings).dataset_folder(dataset)
    asked["split_file"] = keep_split(text_of(options.split_file), folder) if options.split_file else ""
    if options.save_as and options.mode == "predict":
        raise RequestError(
            "Prediction trains nothing that could be saved.",
            hint="Leave --save-as out, or train in another mode.",
        )
    return annotation.Request(**asked)


def run(options: argparse.Namespace, settings: Settings) -> None:
    """Name cell types and print the scores."""
    if options.reference or options.apply:
        by_reference.run(options, settings)
        return
    request = request_of(options, settings)
    run_id, result = carry_out("annotation", request, settings)
    folder = Workspace.from_settings(settings).dataset_folder(request.dataset)
    terms = label_terms(folder, result.types, request.label_key)
    ids = [one.term for one in terms]
    saved = (
        {"checkpoint": _save(options.save_as, run_id, request, settings=settings)} if options.save_as else {}
    )
    say(run_id, request, result, settings=settings, **summary(result, ids), **saved)
    if options.csv:
        columns, rows = cells(result, ids)
        write_csv(options.csv, request.dataset, settings, columns=columns, rows=rows)
    if options.probabilities_csv:
        options.probabilities_csv.write_text(probabilities_csv(result, cell_names(folder)), encoding="utf-8")
    write_copy(options, run_id, settings, terms=terms)


def _save(name: str, run_id: str, request: annotation.Request, *, settings: Settings) -> str:
    """Import what a run trained, and return the id of the checkpoint."""
    workspace = Workspace.from_settings(settings)
    to_save = importing.Request(
        model=workspace.checkpoint(request.checkpoint).model,
        folder=str((workspace.run_folder(run_id) / "result" / annotation.CLASSIFIER).resolve()),
        name=name,
    )
    return str(carry_out("importing", to_save, settings)[1].checkpoint)
