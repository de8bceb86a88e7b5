"""The same requests without a browser: `python -m scviz COMMAND`; the README names the commands."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from scviz.errors import ScvizError
from scviz.settings import Settings

COMMANDS = (
    "server",
    "data",
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


def parser() -> argparse.ArgumentParser:
    """Offer all commands."""
    called = "scviz" if Path(sys.argv[0]).stem == "scviz" else "python -m scviz"
    whole = argparse.ArgumentParser(prog=called, description="Single-cell foundation models, with baselines.")
    entries = whole.add_subparsers(required=True, metavar="COMMAND")
    for name in COMMANDS:
        import_module(f"scviz.cli.{name}").add_command(entries)
    return whole


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command; returns 0, or 1 with a sentence on standard error."""
    options = parser().parse_args(arguments)
    try:
        options.command(options, Settings.from_env())
    except ScvizError as error:
        print(f"{error} {error.hint}".strip(), file=sys.stderr)
        return 1
    except OSError as error:  # such as a folder for the results that is not there
        if error.filename is None:
            raise
        print(f"{error.filename} cannot be read or written: {error.strerror}.", file=sys.stderr)
        return 1
    return 0
