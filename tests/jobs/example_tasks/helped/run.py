from __future__ import annotations

import os
import time

from scviz.progress import Progress
from scviz.tasks.context import Context

from . import Request, Result


def run(request: Request, context: Context) -> Result:
    (context.folder / "processes.txt").write_text(f"{os.getpid()} {os.getppid()}")
    deadline, file = time.monotonic() + request.seconds, context.state / "helpers.txt"
    while time.monotonic() < deadline and (request.goes_on or not file.exists()):
        time.sleep(0.05)
        context.report(Progress(stage="Waiting"))
    return Result(helpers=[int(pid) for pid in file.read_text().split()] if file.exists() else [])


def help_out(request: Request, context: Context) -> None:
    draft = context.state / "helpers.draft"
    draft.write_text(f"{os.getpid()} {os.getppid()}")
    draft.replace(context.state / "helpers.txt")
    if request.fails:
        raise ValueError("This helper fails.")
    time.sleep(600)
