"""A cluster that is there already, whose scheduler and workers talk with each other by TLS."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from scviz.jobs.engine import importable
from scviz.jobs.keys import CERTIFICATE, KEY, make_key
from tests.jobs.waiting import wait_for


class Cluster:
    """A Dask scheduler and its workers, started by hand as on somebody's cluster."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.processes, self.key = folder, [], folder / "cluster-key"
        make_key(self.key)
        self.start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        file = folder / "scheduler.json"
        wait_for(lambda: file.exists() and file.read_text().strip().endswith("}"), "the scheduler is up")
        self.address = json.loads(file.read_text())["address"]

    @property
    def env(self) -> dict[str, str]:
        """The settings of whoever computes on it."""
        return {"SCVIZ_SCHEDULER": self.address, "SCVIZ_SCHEDULER_KEY": str(self.key)}

    def start(self, kind: str, *options: str) -> subprocess.Popen[bytes]:
        file = str(self.folder / "scheduler.json")
        certificate = str(self.key / CERTIFICATE)
        shown = ("--tls-ca-file", certificate, "--tls-cert", certificate, "--tls-key", str(self.key / KEY))
        call = f"from distributed.cli.dask_{kind} import main; main()"
        process = subprocess.Popen(
            [sys.executable, "-c", call, "--scheduler-file", file, "--protocol", "tls", *shown, *options],
            env=importable(dict(os.environ)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.processes.append(process)
        return process

    def start_worker(self) -> subprocess.Popen[bytes]:
        return self.start("worker", "--no-nanny", "--nthreads", "2", "--no-dashboard")
