"""The command `share`: with whom a thing is shared, from the machine."""

from __future__ import annotations

import argparse
from typing import Any

from scviz.jobs.own_runs import OwnRuns
from scviz.jobs.queue import RunQueue
from scviz.settings import Settings
from scviz.workspace.dependents import KINDS
from scviz.workspace.people import MACHINE, in_words, names_in


def add_command(entries: Any) -> None:
    """Offer it."""
    shared = entries.add_parser(
        "share", help="share a dataset, checkpoint, terms, upload or run on a server with a login"
    )
    shared.add_argument("kind", choices=KINDS)
    shared.add_argument("thing", help="its id")
    shared.add_argument(
        "--with",
        dest="names",
        default="",
        help="verified addresses, code:CODE or everyone, separated by commas; nobody makes it private again",
    )
    shared.set_defaults(command=run)


def run(options: argparse.Namespace, settings: Settings) -> None:
    """Share a thing with these and nobody else, and say with whom."""
    queue = OwnRuns(RunQueue(settings), MACHINE)
    access = queue.share(options.kind, options.thing, names_in(options.names))
    print(in_words(access.shared))
