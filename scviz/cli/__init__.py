"""The same requests without a browser: `python -m scviz COMMAND`; the README names the commands."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from scviz.cli.options import parser
from scviz.errors import ScvizError
from scviz.settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command; returns 0, or 1 with a sentence on standard error."""
    options = parser().parse_args(arguments)
    try:
        options.command(options, Settings.from_env())
    except ScvizError as error:
        print(f"{error} {error.hint}".strip(), file=sys.stderr)
        return 1
    return 0
