"""What the command `fetch` takes and prints."""

from __future__ import annotations

import argparse
import dataclasses
import json
from typing import Any

from scviz.cli.fields import add_fields
from scviz.cli.running import carry_out
from scviz.settings import Settings
from scviz.tasks import fetching


def add_command(entries: Any) -> None:
    """Offer the download of a public file."""
    fetch = entries.add_parser(
        "fetch", help="fetch a file from a public address (CELLxGENE Discover, GEO, Zenodo, figshare)"
    )
    fetch.add_argument("url", help="https address of the file")
    add_fields(fetch, fetching.Request)
    fetch.set_defaults(command=run)


def run(options: argparse.Namespace, settings: Settings) -> None:
    """Fetch a file and print where it is; `open` takes it from there."""
    _, result = carry_out("fetching", fetching.Request(url=options.url, look=options.look), settings)
    print(json.dumps(dataclasses.asdict(result)))
