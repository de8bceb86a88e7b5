"""A process of its own that holds the local Dask cluster: `python -m scviz.jobs.engine`.

It outlives the web server and is shared by all browser sessions. `engine.json` in the workspace says where it
listens; it ends when that file is gone or names another process.
"""

# mypy: untyped-calls-exclude=distributed

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from filelock import FileLock

from scviz.errors import JobError, SettingsError
from scviz.settings import ROOT, Settings

QUIET = {
    "distributed.scheduler.allowed-failures": 0,  # a killed run is lost; it does not silently start again
    "distributed.worker.profile.enabled": False,
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.admin.tick.interval": "2s",
    "distributed.worker.memory.monitor-interval": "5s",
}
"""Dask's settings for a cluster that mostly waits."""

SPARE_THREADS = 1
"""For what is no run, such as having a process wait for one."""

START_SECONDS = 90.0
KNOCK_SECONDS = 10.0


def address_file(home: Path) -> Path:
    """Return the file that says where the engine of a workspace listens."""
    return home / "engine.json"


def read_address(home: Path) -> dict[str, Any]:
    """Read where the engine of a workspace listens, `address`, and its process id, `pid`."""
    content: dict[str, Any] = json.loads(address_file(home).read_text(encoding="utf-8"))
    return content


def find(home: Path) -> str:
    """Return the address of the engine of a workspace; empty when none answers."""
    try:
        address = str(read_address(home)["address"])
        host, port = address.removeprefix("tcp://").rsplit(":", 1)
        socket.create_connection((host, int(port)), timeout=KNOCK_SECONDS).close()  # a pid proves nothing
    except (OSError, ValueError):
        return ""
    return address


def find_or_start(settings: Settings, env: dict[str, str]) -> str:
    """Return the address of the engine of a workspace, after starting it if need be.

    Parameters
    ----------
    settings
        Name the workspace.
    env
        Environment variables that the engine gets besides those of this process.

    Raises
    ------
    JobError
        If no engine could be started.
    """
    if address := find(settings.home):
        return address
    with FileLock(settings.home / "engine.lock"):
        return find(settings.home) or _start(settings.home, env)


def _start(home: Path, env: dict[str, str]) -> str:
    address_file(home).unlink(missing_ok=True)
    with (home / "engine.log").open("ab") as log:
        engine = subprocess.Popen(
            [sys.executable, "-P", "-m", "scviz.jobs.engine"],
            env=importable({**os.environ, **env}),
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    threading.Thread(target=engine.wait, daemon=True).start()  # no zombie is left when it ends
    deadline = time.monotonic() + START_SECONDS
    while engine.poll() is None and time.monotonic() < deadline:
        if address := find(home):
            return address
        time.sleep(0.05)
    raise JobError(
        "The compute engine did not start.",
        hint=f"Its own words are in {home / 'engine.log'}; then try again.",
    )


def importable(env: dict[str, str]) -> dict[str, str]:
    """Return an environment in which a new interpreter finds this package."""
    path = os.pathsep.join(part for part in (str(ROOT), env.get("PYTHONPATH", "")) if part)
    return {**env, "PYTHONPATH": path}


def main(settings: Settings) -> None:
    """Hold a cluster for the workspace until its address file is taken away."""
    import dask
    from distributed import LocalCluster

    from scviz.jobs.lines import places

    dask.config.set(QUIET)
    at_a_time = places(settings.workers)
    file = address_file(settings.home)
    with LocalCluster(
        n_workers=1,
        threads_per_worker=sum(at_a_time.values()) + SPARE_THREADS,
        resources=at_a_time,
        dashboard_address=None,
        host="127.0.0.1",
        memory_limit=0,
    ) as cluster:
        draft = file.with_suffix(".draft")
        draft.write_text(
            json.dumps({"address": cluster.scheduler_address, "pid": os.getpid()}), encoding="utf-8"
        )
        draft.replace(file)
        while _is_named(settings.home):
            time.sleep(2)


def _is_named(home: Path) -> bool:
    try:
        return bool(read_address(home)["pid"] == os.getpid())
    except OSError:
        return False


if __name__ == "__main__":  # needed: the cluster starts its worker by importing this file again
    try:
        main(Settings.from_env())
    except SettingsError as error:
        sys.exit(f"{error} {error.hint}")
