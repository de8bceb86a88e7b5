"""Which commands there are, and what each takes."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from scviz.cli import attention, commands, enrich, in_silico, modules, perturb, regulons
from scviz.cli.fields import add_fields
from scviz.cli.words import DATASET, FILE
from scviz.datasets.enrichr import LIBRARIES
from scviz.datasets.known_links import COLLECTIONS, DISTANCES
from scviz.tasks import annotation, compare, embedding, enhancement, pretraining


def parser() -> argparse.ArgumentParser:
    """Offer all commands."""
    whole = argparse.ArgumentParser(
        prog="python -m scviz", description="Single-cell foundation models, with baselines."
    )
    entries = whole.add_subparsers(required=True, metavar="COMMAND")

    serve = entries.add_parser("serve", help="start the dashboard")
    serve.add_argument("--port", type=int, default=8501)
    serve.set_defaults(command=commands.serve)

    for add in (_add_data, _add_links, _add_embed, _add_annotate):
        add(entries)

    in_silico.add_command(entries, commands.in_silico)
    perturb.add_command(entries, commands.perturb)
    attention.add_command(entries, commands.attention)
    regulons.add_command(entries, commands.find_regulons)
    modules.add_command(entries, commands.find_modules)
    enrich.add_command(entries, commands.enrich)

    for add in (_add_compare, _add_enhance, _add_pretrain, _add_weights):
        add(entries)

    runs = entries.add_parser("runs", help="list runs, or show, stop, resume, delete one")
    runs.add_argument(
        "action", nargs="?", choices=["list", "show", "stop", "resume", "delete"], default="list"
    )
    runs.add_argument("run", nargs="?", help="id of a run")
    runs.set_defaults(command=commands.runs)
    return whole


def _add_data(entries: Any) -> None:
    """Offer what comes in: cells, and terms of genes."""
    open_ = entries.add_parser("open", help="open a dataset: an .h5ad file, the demo, or a simulated screen")
    open_.add_argument("file", help=FILE)
    open_.add_argument("--name", default="")
    open_.add_argument(
        "--counts", default=None, help="where raw counts are: X, raw/X, layers/NAME; found by default"
    )
    open_.set_defaults(command=commands.open_file)

    terms = entries.add_parser("terms", help="take terms of genes, such as Gene Ontology, into the workspace")
    terms.add_argument("file", nargs="?", default="", help=".gmt, .tsv, .csv, .json or .pkl, also .gz")
    terms.add_argument("--name", default="")
    terms.add_argument("--download", action="store_true", help="download those published with GEARS, 9.5 MB")
    terms.add_argument(
        "--library", choices=list(LIBRARIES), default="", help="download gene sets from Enrichr"
    )
    terms.set_defaults(command=commands.add_terms)


def _add_links(entries: Any) -> None:
    """Offer the download of known links."""
    links = entries.add_parser("links", help="download known links from regulators to targets")
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
    links.set_defaults(command=commands.download_links)


def _add_embed(entries: Any) -> None:
    """Offer the map of cells."""
    embed = entries.add_parser("embed", help="embed cells and draw the map, beside principal components")
    _add_subject(embed)
    embed.add_argument(
        "--read-depth",
        default="",
        help="read cells as if they had t4 = 10^4 reads, f5 = five times theirs, a1 = ten times; scFoundation only",
    )
    _add_fields(embed, embedding.Request, "n_neighbors", "min_dist", "batch_size", "seed")
    _add_output(embed)
    embed.set_defaults(command=commands.embed)


def _add_annotate(entries: Any) -> None:
    """Offer the naming of cell types."""
    annotate = entries.add_parser(
        "annotate", help="learn cell types and name the cells held out, beside baselines"
    )
    _add_subject(annotate)
    add_fields(annotate, annotation.Request)
    _add_output(annotate)
    annotate.set_defaults(command=commands.annotate)


def _add_compare(entries: Any) -> None:
    """Offer the comparison of several models."""
    compare_ = entries.add_parser("compare", help="embed with several models, beside principal components")
    compare_.add_argument("dataset", help=DATASET)
    compare_.add_argument(
        "--checkpoints", nargs="+", default=[], help="ids of weights; default: the newest four"
    )
    compare_.add_argument("--label-key", default=None, help="column with known cell types")
    compare_.add_argument("--batch-key", default=None, help="column of batches, which should mix")
    _add_fields(compare_, compare.Request, "n_neighbors", "min_dist", "seed")
    compare_.add_argument("--csv", type=Path, help="write how much methods disagree on each cell here")
    compare_.set_defaults(command=commands.compare_models)


def _add_enhance(entries: Any) -> None:
    """Offer denoising."""
    enhance = entries.add_parser("enhance", help="denoise cells as if they had more reads, with a check")
    _add_subject(enhance)
    _add_fields(enhance, enhancement.Request, "read_depth")
    add_fields(enhance, enhancement.Request)
    enhance.add_argument("--output", type=Path, help="write a copy of the file with the new layer here")
    enhance.add_argument(
        "--csv", type=Path, help="write the correlation of each checked cell, by method, here"
    )
    enhance.set_defaults(command=commands.enhance)


def _add_pretrain(entries: Any) -> None:
    """Offer training without labels."""
    pretrain = entries.add_parser(
        "pretrain", help="train a model, new or from weights, on the cells of a dataset, without labels"
    )
    pretrain.add_argument("dataset", help=DATASET)
    pretrain.add_argument(
        "--checkpoint", default=None, help="id of weights to start from; default: random ones of --model"
    )
    names = ("model", "configuration", "name", "epochs", "batch_size", "learning_rate", "seed")
    _add_fields(pretrain, pretraining.Request, *names)
    pretrain.add_argument(
        "--demo", action="store_true", help="mark the checkpoint as one that only shows how things work"
    )
    pretrain.add_argument("--output", type=Path, help="folder to move the checkpoint to")
    pretrain.set_defaults(command=commands.pretrain)


def _add_weights(entries: Any) -> None:
    """Offer the two ways in which weights come into the workspace."""
    import_ = entries.add_parser("import", help="take a folder of weights into the workspace")
    import_.add_argument("model")
    import_.add_argument("folder", type=Path)
    import_.add_argument("--name", default="")
    import_.set_defaults(command=commands.import_weights)

    download = entries.add_parser("download", help="fetch published weights and take them in")
    download.add_argument("model")
    download.add_argument("released", metavar="NAME", help="as the Models page lists it")
    download.add_argument(
        "--accept-licence",
        dest="accepted_licence",
        action="store_true",
        help="say that you have read the licence of the weights and keep to it",
    )
    download.add_argument("--beside", default="", help="folder with files that the repository lacks")
    download.set_defaults(command=commands.download)


def _add_subject(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", help=DATASET)
    parser.add_argument("--checkpoint", default="", help="id of the weights; default: the newest")


def _add_fields(parser: argparse.ArgumentParser, request: type, *names: str) -> None:
    """Offer fields of a request as options, with the request's own defaults."""
    fields = {field.name: field for field in dataclasses.fields(request)}
    for name in names:
        default = fields[name].default
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=type(default), default=default, help=f"default {default}"
        )


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", type=Path, help="write a copy of the file with the results (.h5ad) here")
    parser.add_argument("--csv", type=Path, help="write one row per cell here")
