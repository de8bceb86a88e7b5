"""What a demo server does before it answers: all that visitors left is gone, the examples are there."""

from __future__ import annotations

import os
import subprocess
import sys

from scviz.jobs.engine import importable
from scviz.jobs.visitors import keep_wiping, wipe
from scviz.settings import Settings
from scviz.workspace import Workspace
from scviz.workspace.database import Database


def begin_demo(settings: Settings) -> None:
    """Wipe what is left of a start before, open the demo data if need be, and wipe from now on."""
    workspace = Workspace.from_settings(settings)
    wipe(settings, Database.from_settings(settings), older_than=-1.0)
    if not workspace.datasets():  # a platform has started the web server itself, and not `serve`
        prepare = [sys.executable, "-m", "scviz", "serve", "--prepare"]
        subprocess.run(prepare, env=importable(dict(os.environ)), stdin=subprocess.DEVNULL, check=False)
    keep_wiping(settings)
