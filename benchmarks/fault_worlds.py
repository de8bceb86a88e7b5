"""Faults of what a workspace rests on: its disk, its place, its clock, its database, its version, its cluster."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.fault_world import LeftOutError, Outcome, Store, World, moment
from scviz.jobs import engine
from scviz.jobs.queue import RunQueue
from scviz.settings import ROOT, Settings
from scviz.workspace.records import to_json

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
DISK_MB = 160
OLD = "ff8dd20c"
"""A commit of this repository whose tables have no steps."""
SUBMIT = """
import json, sys, time
from scviz.jobs.queue import RunQueue
from scviz.settings import Settings
from scviz.tasks import front
from scviz.workspace.records import from_json
if __name__ == "__main__":
    asked, queue = json.loads(sys.argv[1]), RunQueue(Settings.from_env())
    request = from_json(front(asked["task"]).Request, asked["request"])
    first = queue.submit(asked["task"], request, again=True).run
    while not queue.get(first).ended:
        time.sleep(0.2)
    print(first, queue.submit(asked["task"], request, again=True).run)
"""
"""Carry a request out once, and hand it in once more; print the ids of both runs."""


@contextmanager
def opened(store: Store, folder: Path, **env: str) -> Iterator[World]:
    """Have a world, and end its engine."""
    world = World(store, folder, **env)
    try:
        yield world
    finally:
        world.close()


def mounted(folder: Path) -> None:
    """Mount a small disk in memory."""
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True, check=False).returncode:
        raise LeftOutError("a small disk cannot be mounted here")


def disk_full(store: Store, folder: Path, rng: random.Random) -> Iterator[Outcome]:
    """Fill the disk at ten moments of runs that write much, a few seconds each."""
    mounted(folder)
    filler = folder / "filler"
    try:
        with opened(store, folder / "world") as world:
            for case in (
                *("quality", "pre-train", "filter", "trees", "sweep"),
                *("open a file", "map", "markers", "overview", "modules"),
            ):
                world.equal_to(case)
                run = world.start(case)
                moment(world, case, run, rng)
                with filler.open("ab", buffering=0) as file:
                    for size in (1 << 20, 4096, 1):
                        with suppress(OSError):
                            while file.write(b"x" * size) == size:
                                pass
                time.sleep(8)
                said = world.queue.trouble(world.queue.get(run))
                filler.unlink()
                row = world.ended(run)
                reason = "" if row.state == "done" else row.message
                (one,) = world.verdict("disk full", case, run, reason)
                yield Outcome(one.kind, one.case, one.ending, one.words or said)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def read_only(store: Store, folder: Path, rng: random.Random) -> Iterator[Outcome]:
    """Let nothing new be written into the folder of a run from a random moment on, three times."""
    with opened(store, folder) as world:
        for case in ("filter", "pre-train", "quality"):
            world.equal_to(case)
            run = world.start(case)
            moment(world, case, run, rng)
            place = str(world.queue.workspace.run_folder(run))
            if subprocess.run(["mount", "--bind", place, place], capture_output=True, check=False).returncode:
                raise LeftOutError("a folder cannot be mounted here")
            subprocess.run(["mount", "-o", "remount,bind,ro", place], check=True)
            row = world.ended(run)
            subprocess.run(["umount", "-l", place], check=True)
            reason = "" if row.state == "done" else row.message
            yield from world.verdict("read-only folder", case, run, reason)


def moved(store: Store, folder: Path, rng: random.Random) -> Iterator[Outcome]:
    """Move the workspace away from under a run, three times."""
    with opened(store, folder) as world:
        for number, case in enumerate(("map", "filter", "trees")):
            world.equal_to(case)
            run = world.start(case)
            moment(world, case, run, rng)
            world.queue.close()
            old, new = world.home, world.folder / f"home {number}"
            old.rename(new)
            own = world.queue.settings.as_env() | {"SCVIZ_HOME": str(new)}
            world.queue = RunQueue(Settings.from_env(own))
            row = world.ended(run)
            yield from world.verdict("workspace moved", case, run, "" if row.state == "done" else row.message)
            shutil.rmtree(old, ignore_errors=True)


def clock(store: Store, folder: Path, rng: random.Random) -> Iterator[Outcome]:
    """Set the clock of the engine and its processes by an hour, to and fro, six times within runs."""
    if not FAKETIME.exists():
        raise LeftOutError("libfaketime is not installed")
    folder.mkdir(parents=True)
    file = folder / "offset"
    file.write_text("+0\n")
    fake = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    with opened(store, folder / "world") as world:
        engine.end(world.home)
        before = engine.importable
        own = str(world.home)  # others start engines meanwhile

        def importable(env: dict[str, str]) -> dict[str, str]:
            return before({**env, **fake} if env.get("SCVIZ_HOME") == own else env)

        engine.importable = importable
        try:
            world.finish(world.start("gene terms"))
        finally:
            engine.importable = before
        for case, offset in zip(
            ("markers", "quality", "sweep", "pre-train", "overview", "trees"),
            ("+3600", "-3600") * 3,
            strict=True,
        ):
            world.equal_to(case)
            run = world.start(case)
            moment(world, case, run, rng)
            file.write_text(f"{offset}\n")
            row = world.ended(run)
            file.write_text("+0\n")
            reason = "" if row.state == "done" else row.message
            yield from world.verdict("clock one hour off", case, run, reason)


def restarted(store: Store, folder: Path, rng: random.Random) -> Iterator[Outcome]:
    """Restart the PostgreSQL server that keeps the runs, three times within runs."""
    import _pytest.outcomes

    from tests.workspace.postgres import Server

    try:
        server = Server()
    except _pytest.outcomes.Skipped as why:
        raise LeftOutError(str(why)) from why
    try:
        with opened(store, folder, SCVIZ_DATABASE=server.url) as world:
            for case, away in (("map", 20), ("quality", 8), ("pre-train", 30)):
                world.equal_to(case)
                run = world.start(case)
                moment(world, case, run, rng)
                server.stop()
                back = threading.Timer(away, server.start)
                back.start()
                back.join()
                row = world.ended(run)
                yield from world.verdict(
                    "database server restarted", case, run, "" if row.state == "done" else row.message
                )
    finally:
        server.remove()


def upgraded(store: Store, folder: Path, rng: random.Random) -> Iterator[Outcome]:
    """Open a workspace of an earlier version, with its old tables, while its engine is at work on a run of it."""
    old = folder / "old code"
    folder.mkdir(parents=True)
    added = ["git", "-C", str(ROOT), "worktree", "add", "--detach", str(old), OLD]
    if subprocess.run(added, capture_output=True, check=False).returncode:
        raise LeftOutError("the history of the repository is not here")
    try:
        for number, case in enumerate(("map", "quality", "overview")):
            with opened(store, folder / f"world {number}") as world:
                task, request = world.cases[case]
                asked = json.dumps({"task": task, "request": to_json(request)})
                engine.end(world.home)
                world.queue.close()
                for path in world.home.glob("scviz.db*"):
                    path.unlink()
                env = {name: text for name, text in world.queue.settings.as_env().items() if name in KNOWN}
                env = {**os.environ, **env, "PYTHONPATH": str(old)}
                first, run = subprocess.run(
                    [sys.executable, "-c", SUBMIT, asked],
                    env=env,
                    cwd=old,
                    text=True,
                    capture_output=True,
                    check=True,
                ).stdout.split()
                time.sleep(rng.uniform(0, 8))
                world.queue = world.new_queue()
                row = world.ended(run)
                reason = "" if row.state == "done" else row.message
                kind = "upgrade with an engine at work"
                yield from world.verdict(kind, case, run, reason, expected=world.digest(first))
                world.finish(world.start("gene terms"))  # by an engine of this version
    finally:
        subprocess.run(["git", "-C", str(ROOT), "worktree", "remove", "--force", str(old)], check=False)


KNOWN = ("SCVIZ_HOME", "SCVIZ_DATA_ROOTS", "SCVIZ_SPARE", "SCVIZ_WORKERS")
"""Settings that the earlier version knows."""


class Wire:
    """What a worker is connected to its scheduler by, and which can be cut."""

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


def cut(store: Store, folder: Path, rng: random.Random) -> Iterator[Outcome]:
    """Cut the network of one of two workers of a cluster at a random moment of a run on both, three times."""
    from distributed import Client

    from scviz.jobs.keys import security_of
    from tests.jobs.cluster import Cluster

    folder.mkdir(parents=True)
    cluster = Cluster(folder)
    try:
        cluster.start_worker()
        with opened(store, folder / "world", **cluster.env) as world:
            known = json.loads((folder / "scheduler.json").read_text())
            world.equal_to("map")
            for _ in range(3):
                wire = Wire(int(known["address"].rsplit(":", 1)[1]))
                far = json.dumps(known | {"address": f"tls://127.0.0.1:{wire.port}"})
                (folder / "scheduler.json").write_text(far)
                worker = cluster.start_worker()
                with Client(
                    cluster.address, set_as_default=False, security=security_of(cluster.key)
                ) as client:
                    client.wait_for_workers(2, timeout=60)
                run = world.start("map")
                moment(world, "map", run, rng)
                wire.cut()
                row = world.ended(run)
                yield from world.verdict(
                    "network cut between workers", "map", run, "" if row.state == "done" else row.message
                )
                worker.send_signal(signal.SIGKILL)
                worker.wait()
    finally:
        for process in cluster.processes:
            process.kill()
            process.wait()
