"""The two ways in which checkpoints come into the workspace: `import` and `download`."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

from scviz.cli.running import (
    carry_out,
    given,
)
from scviz.settings import Settings
from scviz.tasks import downloading, importing


def add_command(entries: Any) -> None:
    """Offer both."""
    import_ = entries.add_parser("import", help="take a folder of weights into the workspace")
    import_.add_argument("model")
    import_.add_argument("folder", type=Path)
    import_.add_argument("--name", default="")
    import_.set_defaults(command=import_weights)

    download = entries.add_parser("download", help="fetch published weights and import them")
    download.add_argument("model")
    download.add_argument("released", metavar="NAME", help="as the Models page lists it")
    download.add_argument(
        "--accept-license",
        dest="accepted_licence",
        action="store_true",
        help="say that you have read the license of the weights and keep to it",
    )
    download.add_argument("--beside", default="", help="folder with files that the repository lacks")
    download.set_defaults(command=download_weights)


def import_weights(options: argparse.Namespace, settings: Settings) -> None:
    """Take a folder of weights in."""
    folder = options.folder.resolve()
    request = importing.Request(model=options.model, folder=str(folder), name=options.name or folder.name)
    _take_in("importing", request, settings)


def download_weights(options: argparse.Namespace, settings: Settings) -> None:
    """Fetch published weights."""
    asked = given(options, downloading.Request)
    if options.beside:
        asked["beside"] = str(Path(options.beside).expanduser().resolve())
    _take_in("downloading", downloading.Request(**asked), settings)


def _take_in(task: str, request: Any, settings: Settings) -> None:
    """Add weights and say what was found in their folder."""
    _, result = carry_out(task, request, settings)
    print(json.dumps(dataclasses.asdict(result) | {"loaded": len(result.loaded)}, indent=1))
