"""The key of a cluster of one's own: `cluster-key`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from scviz.errors import RequestError
from scviz.jobs.keys import CERTIFICATE, KEY, make_key
from scviz.settings import Settings


def add_command(entries: Any) -> None:
    """Offer it."""
    entry = entries.add_parser(
        "cluster-key", help="make a key that the web server, a Dask scheduler and its workers share (TLS)"
    )
    entry.add_argument("folder", type=Path, help="new folder, which the user alone may read")
    entry.set_defaults(command=cluster_key)


def cluster_key(options: argparse.Namespace, _: Settings) -> None:
    """Make a key, and say what to do with it.

    Raises
    ------
    RequestError
        If one is there already: whoever uses it would be locked out.
    """
    folder = options.folder.absolute()
    if (folder / KEY).exists():
        raise RequestError(
            f"There is a key in {folder}.", hint="Name another folder, or take that key away first."
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    make_key(folder)
    certificate = folder / CERTIFICATE
    shown = f"--protocol tls --tls-ca-file {certificate} --tls-cert {certificate} --tls-key {folder / KEY}"
    print(f"Start the scheduler and each worker with: {shown}")
    print(f"Start scviz with: SCVIZ_SCHEDULER=tls://HOST:8786 SCVIZ_SCHEDULER_KEY={folder}")
