"""What the command `models` takes and prints: list, fetch, import and test checkpoints."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

from scviz.cli.running import carry_out, dataset_of
from scviz.errors import RequestError
from scviz.foundation.card import ReleasedCheckpoint
from scviz.models import cards, released_as
from scviz.settings import Settings
from scviz.tasks import downloading, importing, self_test
from scviz.tasks.published_offers import published_offers
from scviz.workspace import Workspace


def add_command(entries: Any) -> None:
    """Offer what can be done with checkpoints."""
    models = entries.add_parser("models", help="list, fetch, import and test the weights of models")
    models.set_defaults(command=list_models, dataset="")
    actions = models.add_subparsers(metavar="ACTION")

    listed = actions.add_parser("list", help="those that are here, and those that are published")
    listed.add_argument("--dataset", help="say how many of its genes each published one reads")
    listed.set_defaults(command=list_models)

    fetch = actions.add_parser("fetch", help="fetch published weights and import them")
    fetch.add_argument("released", metavar="NAME", help="as `models list` prints it")
    fetch.add_argument(
        "--accept-license",
        dest="accepted_licence",
        action="store_true",
        help="say that you have read the license of the weights and keep to it",
    )
    fetch.add_argument("--beside", default="", help="folder with files that the repository lacks")
    fetch.set_defaults(command=fetch_weights)

    check = actions.add_parser("check", help="test by ten cells whether weights and genes belong together")
    check.add_argument("checkpoint", help="id of a checkpoint")
    check.set_defaults(command=check_weights)

    import_ = actions.add_parser("import", help="take a folder of weights into the workspace")
    import_.add_argument("model")
    import_.add_argument("folder", type=Path)
    import_.add_argument("--name", default="")
    import_.set_defaults(command=import_weights)


def list_models(options: argparse.Namespace, settings: Settings) -> None:
    """Print a line for each checkpoint that is here, then one for each that is published and is not."""
    workspace = Workspace.from_settings(settings)
    checkpoints = workspace.checkpoints()
    for info in checkpoints:
        demo = ", demo" if info.demo else ""
        print(f"{info.id}  here{demo}, {info.n_genes:,} genes, {info.size_mb:,.1f} MB, {info.licence}")
    here = workspace.names_of_weights()
    offers = published_offers(dataset_of(options.dataset, settings), workspace) if options.dataset else ()
    read = {one.released.name: f", reads {one.n_found:,} of {one.n_genes:,} genes" for one in offers}
    absent = [(card, one) for card in cards().values() for one in card.released if one.name not in here]
    for card, released in absent:
        print(
            f"{released.name}  published, {_way(released)}, {released.size_mb:,.0f} MB, {card.licence}"
            f"{read.get(released.name, '')}"
        )


def _way(released: ReleasedCheckpoint) -> str:
    """Say how published weights come here."""
    if not released.hub:
        return "by hand"
    return "fetch with a file beside" if released.beside else "fetch"


def fetch_weights(options: argparse.Namespace, settings: Settings) -> None:
    """Fetch published weights."""
    card, released = released_as(options.released)
    beside = str(Path(options.beside).expanduser().resolve()) if options.beside else ""
    request = downloading.Request(
        model=card.name,
        released=released.name,
        accepted_licence=options.accepted_licence,
        beside=beside,
    )
    _take_in("downloading", request, settings)


def import_weights(options: argparse.Namespace, settings: Settings) -> None:
    """Take a folder of weights in."""
    folder = options.folder.resolve()
    request = importing.Request(model=options.model, folder=str(folder), name=options.name or folder.name)
    _take_in("importing", request, settings)


def check_weights(options: argparse.Namespace, settings: Settings) -> None:
    """Print what the self-test says.

    Raises
    ------
    RequestError
        If it is not passed.
    """
    _, result = carry_out("self_test", self_test.Request(checkpoint=options.checkpoint), settings)
    print(result.sentence)
    if result.outcome == "not passed":
        raise RequestError(
            "These weights should not be used.", hint="Import them anew with their own list of genes."
        )


def _take_in(task: str, request: Any, settings: Settings) -> None:
    """Add weights and say what was found in their folder."""
    _, result = carry_out(task, request, settings)
    print(json.dumps(dataclasses.asdict(result) | {"loaded": len(result.loaded)}, indent=1))
