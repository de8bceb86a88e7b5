"""What the command `ontology` takes, prints and writes."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from scviz.cli.fields import begin_as_the_page
from scviz.cli.running import carry_out, dataset_of
from scviz.cli.words import DATASET
from scviz.datasets.cell_ontology import SOURCE, coarse, label_of
from scviz.datasets.label_terms import LabelTerm, label_terms, offered, take_term
from scviz.datasets.labels import cell_labels
from scviz.errors import RequestError
from scviz.settings import Settings
from scviz.tasks import exporting
from scviz.tasks.annotation import Request
from scviz.workspace import Workspace


def add_command(commands: Any) -> None:
    """Offer the terms of labels."""
    entry = commands.add_parser(
        "ontology", help="which terms of the Cell Ontology the labels of a column mean; choose and write them"
    )
    entry.add_argument("dataset", help=DATASET)
    entry.add_argument("--label-key", default="", metavar="COLUMN", help="column with known cell types")
    entry.add_argument(
        "--choose",
        action="append",
        default=[],
        metavar="LABEL=TERM",
        help="keep this term, an id or a name, for a label; nothing behind = says that it has none; may be repeated",
    )
    entry.add_argument("--output", type=Path, help="write a copy of the file with the terms (.h5ad) here")
    entry.add_argument(
        "--standard",
        action="store_true",
        help="write the terms as cell_type_ontology_term_id, too; refused where the file has that column",
    )
    entry.set_defaults(command=run)


def run(options: argparse.Namespace, settings: Settings) -> None:
    """Keep the choices, print what each label is offered, and write a copy where that was asked for.

    Raises
    ------
    RequestError
        If the column or a label is not there, or a term is unknown.
    """
    dataset, workspace = dataset_of(options.dataset, settings), Workspace.from_settings(settings)
    begin_as_the_page(options, Request, workspace.dataset(dataset))
    if not options.label_key:
        raise RequestError("No column with known cell types was chosen.", hint="Name one with --label-key.")
    folder = workspace.dataset_folder(dataset)
    labels = cell_labels(folder, options.label_key)
    for choice in options.choose:
        _choose(folder, choice, labels.names)
    found = label_terms(folder, labels.names, options.label_key)
    sizes = np.bincount(labels.codes[labels.codes >= 0], minlength=len(labels.names)).tolist()
    rows = [_row(folder, one, n, column=options.label_key) for one, n in zip(found, sizes, strict=True)]
    print(
        json.dumps(
            {"column": options.label_key, "source": SOURCE, "labels": rows}, indent=1, ensure_ascii=False
        )
    )
    if options.output:
        request = exporting.Request(
            dataset=dataset, column=options.label_key, terms=found, standard=options.standard
        )
        export, result = carry_out("exporting", request, settings)
        shutil.copyfile(workspace.run_folder(export) / "result" / result.file_name, options.output)


def _choose(folder: Path, choice: str, labels: tuple[str, ...]) -> None:
    label, equals, term = choice.rpartition("=")
    if not equals or label not in labels:
        raise RequestError(
            f"{choice!r} names no label of this column.", hint=f"Its labels are: {', '.join(labels)}."
        )
    take_term(folder, label, term.strip())


def _row(folder: Path, one: LabelTerm, n_cells: int, *, column: str) -> dict[str, Any]:
    return {
        "label": one.label,
        "cells": n_cells,
        "term": one.term or None,
        "name": label_of(one.term) if one.term else None,
        "coarse": label_of(coarse(one.term)) if one.term else None,
        "how": one.how,
        "offered": [
            {"term": each.id, "name": each.label, "how": each.how} for each in offered(folder, one, column)
        ],
    }
