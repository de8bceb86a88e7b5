"""The dashboard, its engine and its runs: `serve`, `stop` and `runs`."""

from __future__ import annotations

import argparse
import dataclasses
import ipaddress
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
from scviz.workspace.people import SERVER, Person

EVERYWHERE = ("0.0.0.0", "::")
STOP_SECONDS = 15.0
"""How long runs may take to stop; then they end with the engine, and can be resumed all the same."""


def add_command(entries: Any) -> None:
    """Offer all three."""
    server = entries.add_parser("serve", help="start the dashboard")
    server.add_argument("--port", type=int, default=8501)
    server.add_argument(
        "--host", default="127.0.0.1", help="address to listen at; default: this machine alone"
    )
    server.add_argument(
        "--open", action="store_true", help="let whoever reaches the server use it, where there is no login"
    )
    server.add_argument(
        "--base-path", default="", help="path below which a proxy offers the server, such as /scviz"
    )
    server.add_argument(
        "--prepare",
        action="store_true",
        help="open the demo data and end, where a platform starts the web server itself",
    )
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
    """Open the demo data, with the finished runs that come with them, if nothing is open yet; become the web server.

    Raises
    ------
    RequestError
        If others than the users of this machine could reach it, and neither is there a login nor was that wanted.
    """
    if not options.prepare:
        refuse_open(options, settings)
        settings.refuse_shown_home()
    workspace = Workspace.from_settings(settings)
    open_first(workspace, settings)
    if options.prepare:
        return
    prefetch(settings, workspace)
    if settings.login and not settings.allow:
        print("Nobody can come in: SCVIZ_LOGIN is on and SCVIZ_ALLOW names nobody.", file=sys.stderr)
    path = options.base_path.strip("/")
    print(f"scviz is at http://{_shown(options.host)}:{options.port}/{path}", flush=True)
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "dashboard.py")]
    command += ["--server.port", str(options.port), "--server.address", options.host]
    command += ["--server.baseUrlPath", path] if path else []
    os.chdir(ROOT)  # Streamlit reads its configuration from here
    os.execv(sys.executable, command)


def open_first(workspace: Workspace, settings: Settings) -> None:
    """Open the demo data, with the finished runs that come with them, if nothing is open yet."""
    from scviz.datasets.demo import open_demo
    from scviz.progress import silent

    if settings.demo:
        workspace = workspace.of(Person(subject=SERVER))
    if workspace.datasets():
        return
    print("Opening the demo data: 700 blood cells, with finished results …", flush=True)
    open_demo(workspace, silent)
    if not (settings.login or settings.demo):  # else each user gets them on the first page
        take_in(Shelf(workspace=workspace, database=Database.from_settings(settings)))


def refuse_open(options: argparse.Namespace, settings: Settings) -> None:
    """Refuse to let in whoever comes, unless that was said.

    Raises
    ------
    RequestError
        If the server would listen beyond this machine without a login.
    """
    if is_local(options.host) or settings.login or settings.demo or options.open:
        return
    raise RequestError(
        f"Whoever reaches {options.host}:{options.port} could see and delete everything: there is no login.",
        hint="Turn a login on (SCVIZ_LOGIN), or say --open where everybody who reaches it may use it.",
    )


def is_local(host: str) -> bool:
    """Tell whether an address is one that only this machine reaches.

    Examples
    --------
    >>> is_local("127.0.0.1"), is_local("localhost"), is_local("::1"), is_local("0.0.0.0"), is_local("")
    (True, True, True, False, False)
    """
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _shown(host: str) -> str:
    """Write an address as browsers take it."""
    if is_local(host) or host in EVERYWHERE:
        return "localhost"
    return f"[{host}]" if ":" in host else host


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
