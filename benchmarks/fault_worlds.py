"""Faults of what a workspace rests on: its disk, its place, its clock, its database, its version, its cluster."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.fault_world import LeftOutError, Outcome, Store, World, begun
from scviz.jobs import engine
from scviz.jobs.queue import RunQueue
from scviz.settings import ROOT, Settings
from scviz.workspace.records import to_json

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
                run = begun(world, case, rng)
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
            run = begun(world, case, rng)
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
            run = begun(world, case, rng)
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
    from tests.faults.clock import NoClockError, WrongClock

    folder.mkdir(parents=True)
    try:
        wrong = WrongClock(folder)
    except NoClockError as why:
        raise LeftOutError(str(why)) from why
    with opened(store, folder / "world") as world:
        engine.end(world.home)
        before, own = engine.importable, str(world.home)  # others start engines meanwhile

        def importable(env: dict[str, str]) -> dict[str, str]:
            return before({**env, **wrong.env} if env.get("SCVIZ_HOME") == own else env)

        engine.importable = importable
        try:
            world.finish(world.start("gene terms"))
            for number, case in enumerate(("markers", "quality", "sweep", "pre-train", "overview", "trees")):
                run = begun(world, case, rng)
                wrong.set(-3600 if number % 2 else 3600)
                row = world.ended(run)
                wrong.set(0)
                reason = "" if row.state == "done" else row.message
                yield from world.verdict("clock one hour off", case, run, reason)
        finally:
            engine.importable = before


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
                run = begun(world, case, rng)
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


def cut(store: Store, folder: Path, rng: random.Random) -> Iterator[Outcome]:
    """Cut the network of one of two workers of a cluster at a random moment of a run on both, three times."""
    from tests.faults.wire import await_workers, start_far_worker
    from tests.jobs.cluster import Cluster

    folder.mkdir(parents=True)
    cluster = Cluster(folder)
    try:
        cluster.start_worker()
        await_workers(cluster, 1)  # it must not read the address of the wire
        with opened(store, folder / "world", **cluster.env) as world:
            world.equal_to("map")
            for _ in range(3):
                wire, worker = start_far_worker(cluster)
                run = begun(world, "map", rng)
                wire.cut()
                row = world.ended(run)
                reason = "" if row.state == "done" else row.message
                yield from world.verdict("network cut between workers", "map", run, reason)
                worker.send_signal(signal.SIGKILL)
                worker.wait()
    finally:
        for process in cluster.processes:
            process.kill()
            process.wait()
