"""A PostgreSQL server of a test's own, on loopback, where one is installed."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

PROGRAMS = [*map(Path, os.environ["PATH"].split(os.pathsep)), *Path("/usr/lib/postgresql").glob("*/bin")]
USER = "postgres"
"""It refuses to run as root."""


def program(name: str) -> str:
    """Find a program of PostgreSQL; skip the test where it is not installed, or nobody may run it."""
    found = next((folder / name for folder in PROGRAMS if (folder / name).exists()), None)
    if found is None:
        pytest.skip("PostgreSQL is not installed")
    if os.getuid() == 0 and USER not in {entry.pw_name for entry in pwd.getpwall()}:
        pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
    return str(found)


class Server:
    """Starts, stops and starts again; its tables stay."""

    def __init__(self) -> None:
        initdb = program("initdb")
        self.folder = Path(tempfile.mkdtemp(prefix="scviz-postgres-"))
        self._as: dict[str, str] = {}
        if os.getuid() == 0:
            self._as = {"user": USER, "group": USER}
            shutil.chown(self.folder, USER, USER)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        options = ["-A", "trust", "-U", "scviz", "-N", "--locale=C", "-E", "UTF8"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(
            [initdb, "-D", str(self.folder / "data"), *options], check=True, cwd="/", **quiet, **self._as
        )
        self.start()

    @property
    def url(self) -> str:
        return f"postgresql://scviz@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                program("postgres"),
                *("-D", str(self.folder / "data"), "-p", str(self.port)),
                *("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off"),
            ],
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **self._as,
        )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("PostgreSQL did not start.")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)  # fast: connections are closed
        self.process.wait(30)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
