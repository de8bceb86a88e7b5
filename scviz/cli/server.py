"""The dashboard, its engine and its runs: `serve`, `stop` and `runs`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
import time
from typing import Any

from scviz.cli.prefetch import prefetch
from scviz.cli.running import how_far, wait
from scviz.errors import RequestError
from scviz.jobs import engine
from scviz.jobs.queue import RunQueue
from scviz.jobs.shipped import Shelf, take_in
from scviz.metrics.evidence import counted
from scviz.settings import ROOT, Settings
from scviz.workspace import Workspace
from scviz.workspace.database import OPEN, Database

STOP_SECONDS = 15.0
"""How long runs may take to stop; then they end with the engine, and can be resumed all the same."""


def add_command(entries: Any) -> None:
    """Offer all three."""
    server = entries.add_parser("serve", help="start the dashboard")
    server.add_argument("--port", type=int, default=8501)
    server.set_defaults(command=serve)

    stopped = entries.add_parser("stop", help="stop runs, which can be resumed, and end the compute engine")
    stopped.set_defaults(command=stop)

    listed = entries.add_parser("runs", help="list runs, or show, stop, resume, delete one")
    listed.add_argument(
        "action", nargs="?", choices=["list", "show", "stop", "resume", "delete"], default="list"
    )
    listed.add_argument("run", nargs="?", help="id of a run")
    listed.set_defaults(command=runs)


def serve(options: argparse.Namespace, settings: Settings) -> None:
    """Open the demo data, with the finished runs that come with them, if nothing is open yet; become the web server."""
    from scviz.datasets.demo import open_demo
    from scviz.progress import silent

    workspace = Workspace.from_settings(settings)
    if not workspace.datasets():
        print("Opening the demo data: 700 blood cells, with finished results …", flush=True)
        open_demo(workspace, silent)
        if not settings.login:  # else each user gets them on the first page
            take_in(Shelf(workspace=workspace, database=Database.from_settings(settings)))
    prefetch(settings, workspace)
    print(f"scviz is at http://localhost:{options.port}", flush=True)
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "dashboard.py")]
    command += ["--server.port", str(options.port)]
    os.chdir(ROOT)  # Streamlit reads its configuration from here
    os.execv(sys.executable, command)


def stop(_: argparse.Namespace, settings: Settings) -> None:
    """Stop the runs that are at work, and end the engine of the workspace."""
    if engine.find(settings.home) is None:
        engine.end(settings.home)  # what is left of one
        print("No engine is at work.")
        return
    queue = RunQueue(settings)
    at_work = [run.id for run in queue.runs() if run.state in OPEN]
    for run in at_work:
        queue.stop(run)
    deadline = time.monotonic() + STOP_SECONDS
    while any(queue.get(run).state in OPEN for run in at_work) and time.monotonic() < deadline:
        time.sleep(0.2)
    queue.close()
    engine.end(settings.home)
    stopped = (
        f"{counted(len(at_work), 'run')} {'was' if len(at_work) == 1 else 'were'} stopped. "
        if at_work
        else ""
    )
    print(f"{stopped}The engine has ended.")


def runs(options: argparse.Namespace, settings: Settings) -> None:
    """List runs, or show, stop, resume or delete one.

    Raises
    ------
    RequestError
        If no run is named, and the action needs one.
    """
    queue = RunQueue(settings)
    if options.action == "list":
        for run in queue.runs():
            words = how_far(run) if run.state in OPEN else run.message
            print(f"{run.id}  {run.task:<11} {run.state:<8} {words}".rstrip())
        return
    if options.run is None:
        raise RequestError(
            "No run was selected.", hint="Give the id of a run; `python -m scviz runs` lists them."
        )
    if options.action == "show":
        print(json.dumps(dataclasses.asdict(queue.get(options.run)), indent=1))
    elif options.action == "resume":
        queue.resume(options.run)
        wait(queue, options.run)
    else:
        {"stop": queue.stop, "delete": queue.delete}[options.action](options.run)
