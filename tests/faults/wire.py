"""A network between a worker and its scheduler that can be cut."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from contextlib import suppress

from distributed import Client

from scviz.jobs.keys import security_of
from tests.jobs.cluster import Cluster


class Wire:
    """What a worker is connected to its scheduler by.

    Parameters
    ----------
    port
        At which the scheduler listens.
    """

    def __init__(self, port: int) -> None:
        self._target, self._ends = port, list[socket.socket]()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self) -> None:
        """Cut it; nobody gets through any more."""
        for end in (self._server, *self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._server.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                self._ends += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    @staticmethod
    def _carry(one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(1 << 16):
                other.sendall(data)
        with suppress(OSError):
            other.shutdown(socket.SHUT_WR)


def await_workers(cluster: Cluster, number: int, seconds: float = 120.0) -> None:
    """Wait until the scheduler has so many workers; before that a worker may still read where the scheduler is."""
    with Client(cluster.address, set_as_default=False, security=security_of(cluster.key)) as client:
        client.wait_for_workers(number, timeout=seconds)


def start_far_worker(cluster: Cluster) -> tuple[Wire, subprocess.Popen[bytes]]:
    """Start a worker that reaches the scheduler by a wire alone, and wait until it has done so."""
    file = cluster.folder / "scheduler.json"
    text = file.read_text()
    wire = Wire(int(cluster.address.rsplit(":", 1)[1]))
    with Client(cluster.address, set_as_default=False, security=security_of(cluster.key)) as client:
        before = len(client.scheduler_info(n_workers=-1)["workers"])
    try:
        file.write_text(json.dumps(json.loads(text) | {"address": f"tls://127.0.0.1:{wire.port}"}))
        worker = cluster.start_worker()
        await_workers(cluster, before + 1)
    finally:
        file.write_text(text)
    return wire, worker
