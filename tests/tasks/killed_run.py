"""Carry a request out and die at a step of its training, as when a machine loses power: `HOME RUN TASK STEP`."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from scviz.progress import Progress
from scviz.tasks import back, front
from scviz.tasks.context import Context
from scviz.workspace import Workspace
from scviz.workspace.records import from_json


def main() -> None:
    """Read the request from the standard input."""
    home, name, task, step = sys.argv[1:]
    workspace, left = Workspace(Path(home)), int(step)

    def die(progress: Progress) -> None:
        nonlocal left
        if progress.stage == "Training":
            left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    request = from_json(front(task).Request, json.loads(sys.stdin.read()))
    back(task).run(request, Context(workspace=workspace, report=die, folder=workspace.run_folder(name)))


if __name__ == "__main__":
    main()
