"""The same requests without a browser: `python -m scviz COMMAND`; the README names the commands."""

from __future__ import annotations

import argparse
import os
import select
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TextIO

from scviz.errors import ScvizError
from scviz.settings import Settings

COMMANDS = (
    "server",
    "cluster_key",
    "data",
    "deleting",
    "sharing",
    "fetch",
    "qc",
    "map",
    "embed",
    "annotate",
    "ontology",
    "audit",
    "evidence",
    "in_silico",
    "perturb",
    "attention",
    "regulons",
    "modules",
    "groups",
    "conditions",
    "markers",
    "enrich",
    "compare",
    "enhance",
    "pretrain",
    "models",
)
"""A file each, whose `add_command` offers one command or a few that belong together."""


OUTPUT_CLOSED = 141
"""What shells say of a program whose reader has gone away, as `head` does after its lines."""


def parser() -> argparse.ArgumentParser:
    """Offer all commands."""
    called = "scviz" if Path(sys.argv[0]).stem == "scviz" else "python -m scviz"
    whole = argparse.ArgumentParser(prog=called, description="Single-cell foundation models, with baselines.")
    entries = whole.add_subparsers(required=True, metavar="COMMAND")
    for name in COMMANDS:
        import_module(f"scviz.cli.{name}").add_command(entries)
    return whole


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command; returns 0, or 1 with a sentence on standard error.

    Where nobody reads the output any more it ends without a word.
    """
    try:
        try:
            return _carry_out(arguments)
        finally:  # what is still to be written is written here, and not when the interpreter ends
            sys.stdout.flush()
    except BrokenPipeError:
        closed = [stream for stream in (sys.stdout, sys.stderr) if _is_closed(stream)]
        if not closed:  # it was another pipe
            raise
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in closed:
            os.dup2(nowhere, stream.fileno())
        return OUTPUT_CLOSED


def _carry_out(arguments: Sequence[str] | None) -> int:
    options = parser().parse_args(arguments)
    try:
        options.command(options, Settings.from_env())
    except ScvizError as error:
        print(f"{error} {error.hint}".strip(), file=sys.stderr)
        return 1
    except BrokenPipeError:
        raise
    except OSError as error:  # such as a folder for the results that is not there
        if error.filename is None:
            raise
        print(f"{error.filename} cannot be read or written: {error.strerror}.", file=sys.stderr)
        return 1
    return 0


def _is_closed(stream: TextIO) -> bool:
    """Tell whether nobody reads a stream any more."""
    asked = select.poll()
    asked.register(stream.fileno(), 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in asked.poll(0))
