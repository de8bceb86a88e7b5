"""Commands that bring data in: `open`, `terms` and `links`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from scviz.cli.fields import add_fields
from scviz.cli.running import (
    carry_out,
    dataset_of,
)
from scviz.cli.words import DATASET, FILE
from scviz.datasets.enrichr import LIBRARIES
from scviz.datasets.known_links import COLLECTIONS, DISTANCES
from scviz.settings import Settings
from scviz.tasks import gene_terms, known_links, mending, opening
from scviz.tasks.cell_groups import CellGroup
from scviz.workspace import Workspace
from scviz.workspace.group_history import read_history


def add_command(entries: Any) -> None:
    """Offer what comes in: cells, and gene annotations (GO)."""
    open_ = entries.add_parser(
        "open", help="open a dataset: a file or folder of cells, the demo, or a simulated screen"
    )
    open_.add_argument("file", help=FILE)
    open_.add_argument("--name", default="")
    open_.add_argument(
        "--counts",
        dest="counts_location",
        default=None,
        help="where raw counts are: X, raw/X, layers/NAME; found by default",
    )
    open_.add_argument("--part", default="", help="genome, modality or assay that is taken of several")
    add_fields(open_, opening.Request, "turned", "relative", "keep_names")
    open_.set_defaults(command=open_file)

    mend = entries.add_parser(
        "mend",
        help="make a dataset with human counterparts of mouse genes, with alike labels joined, or with named groups as "
        "labels",
    )
    mend.add_argument("dataset", help=DATASET)
    mend.add_argument(
        "--column", default="", help="column of cells whose labels are joined, or that named groups become"
    )
    add_fields(mend, mending.Request)
    mend.set_defaults(command=mend_dataset)

    terms = entries.add_parser(
        "terms", help="take gene annotations (GO), such as Gene Ontology, into the workspace"
    )
    terms.add_argument("file", nargs="?", default="", help=".gmt, .tsv, .csv, .json or .pkl, also .gz")
    terms.add_argument("--name", default="")
    terms.add_argument("--download", action="store_true", help="download those published with GEARS, 9.5 MB")
    terms.add_argument(
        "--library", choices=list(LIBRARIES), default="", help="download gene sets from Enrichr"
    )
    terms.set_defaults(command=add_terms)
    _add_links(entries)


def _add_links(entries: Any) -> None:
    """Offer the download of known links."""
    links = entries.add_parser("links", help="download a prior network (TF - target)")
    links.add_argument(
        "what", help=f"{', '.join(COLLECTIONS)}, or a human regulator for ChIP-Atlas, such as STAT1"
    )
    links.add_argument(
        "--distance",
        type=int,
        choices=DISTANCES,
        default=10,
        help="kilobases around the start of a gene; default 10",
    )
    links.set_defaults(command=download_links)


def open_file(options: argparse.Namespace, settings: Settings) -> None:
    """Open a dataset and print its id, and on standard error what was done to it."""
    chosen = ("counts_location", "part", "turned", "relative", "keep_names")
    choices = {name: getattr(options, name) for name in chosen}
    dataset = dataset_of(options.file, settings, name=options.name, **choices)
    print(*Workspace.from_settings(settings).dataset(dataset).history, sep="\n", file=sys.stderr)
    print(dataset)


def mend_dataset(options: argparse.Namespace, settings: Settings) -> None:
    """Mend a dataset and print what came of it."""
    dataset = dataset_of(options.dataset, settings)
    groups = read_history(Workspace.from_settings(settings).dataset_folder(dataset)).groups
    named = [CellGroup(named=name, version=group.version) for name, group in groups.items()]
    request = mending.Request(
        dataset=dataset,
        what=options.what,
        column=options.column,
        groups=tuple(named) if options.what == "groups" else (),
    )
    _, result = carry_out("mending", request, settings)
    print(json.dumps(dataclasses.asdict(result)))


def add_terms(options: argparse.Namespace, settings: Settings) -> None:
    """Take gene terms in and print what was found."""
    path = str(Path(options.file).expanduser().resolve()) if options.file else ""
    request = gene_terms.Request(
        path=path, name=options.name, download=options.download, library=options.library
    )
    _, result = carry_out("gene_terms", request, settings)
    print(json.dumps(dataclasses.asdict(result)))


def download_links(options: argparse.Namespace, settings: Settings) -> None:
    """Download a prior network and print where they are."""
    known = options.what if options.what in COLLECTIONS else ""
    request = known_links.Request(
        collection=known, regulator="" if known else options.what, distance=options.distance
    )
    _, result = carry_out("known_links", request, settings)
    print(json.dumps(dataclasses.asdict(result)))
