"""The faults themselves: what is done to a run at a random moment, and what must come of it."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks import fault_worlds as worlds
from benchmarks.fault_chains import pid_of, send
from benchmarks.fault_world import Outcome, Store, World, begun
from scviz.jobs import engine
from scviz.jobs.engine import began
from scviz.workspace.records import to_json

FILES = ("stale", "foreign port", "another process", "no JSON", "list", "200,000 brackets")
Fault = Callable[[World, random.Random], Iterable[Outcome]]
Act = Callable[[Store, Path, random.Random], Iterator[Outcome]]
WEB = (
    "import json, sys; from scviz.jobs.queue import RunQueue; from scviz.settings import Settings;"
    "from scviz.tasks import front; from scviz.workspace.records import from_json;"
    "asked = json.loads(sys.stdin.readline()); queue = RunQueue(Settings.from_env());"
    "request = from_json(front(asked['task']).Request, asked['request']);"
    "print('ready', flush=True); sys.stdin.readline();"
    "print(queue.submit(asked['task'], request, again=True).run, flush=True); sys.stdin.read()"
)


def holding_engine(case: str) -> Fault:
    """Suspend the engine at a random moment of a run; the next request finds that it hangs, and replaces it."""

    def fault(world: World, rng: random.Random) -> list[Outcome]:
        run = begun(world, case, rng)
        pid = pid_of(world, run, "engine")
        send(pid, signal.SIGSTOP)
        time.sleep(1)
        world.queue.close()
        world.queue = world.new_queue()
        world.finish(world.start("gene terms"))
        row = world.ended(run)
        if began(pid):
            send(pid, signal.SIGCONT)
        return world.verdict("SIGSTOP of the engine", case, run, "" if row.state == "done" else row.message)

    return fault


def striking_web(case: str, number: signal.Signals) -> Fault:
    """Kill the web process that hands a run in, or suspend it for a while, at a random moment of that."""
    kind = f"{'kill -9' if number == signal.SIGKILL else number.name} of the web server"

    def fault(world: World, rng: random.Random) -> list[Outcome]:
        world.equal_to(case)
        task, request = world.cases[case]
        before = {row.id for row in world.queue.runs()}
        web = subprocess.Popen(
            [sys.executable, "-c", WEB],
            env=engine.importable({**os.environ, **world.queue.settings.as_env()}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        web.stdin.write(json.dumps({"task": task, "request": to_json(request)}) + "\n")
        web.stdin.flush()
        web.stdout.readline()
        web.stdin.write("go\n")
        web.stdin.flush()
        time.sleep(rng.uniform(0.0, 2.0))
        send(web.pid, number)
        time.sleep(0.5 if number == signal.SIGKILL else 5.0)
        found = [row.id for row in world.queue.runs() if row.id not in before]
        send(web.pid, signal.SIGCONT)
        if number == signal.SIGSTOP:  # it goes on, and says which run it is
            found = [web.stdout.readline().strip()]
        web.kill()
        web.wait()
        if not found:
            return [Outcome(kind, case, "done", "nothing was handed in yet")]
        (run,) = found
        row = world.ended(run)
        return world.verdict(kind, case, run, "" if row.state == "done" else row.message)

    return fault


def locking(case: str, seconds: float) -> Fault:
    """Keep the database locked from a random moment on."""

    def fault(world: World, rng: random.Random) -> list[Outcome]:
        run = begun(world, case, rng)
        other = sqlite3.connect(world.home / "scviz.db", timeout=60)
        other.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)
        other.rollback()
        other.close()
        row = world.ended(run)
        return world.verdict(
            f"database locked, {seconds:g} s", case, run, "" if row.state == "done" else row.message
        )

    return fault


def engine_file(how: str) -> Fault:
    """Leave a wrong engine.json behind."""

    def fault(world: World, _: random.Random) -> list[Outcome]:
        world.equal_to("gene terms")
        world.finish(world.start("gene terms"))  # an engine is there
        true = engine.read_engine(world.home)
        engine.end(world.home)
        with socket.create_server(("127.0.0.1", 0)) as foreign:
            port = foreign.getsockname()[1]
            texts = {
                "stale": json.dumps(asdict(true)),
                "foreign port": json.dumps(asdict(replace(true, address=f"tls://127.0.0.1:{port}"))),
                "another process": json.dumps(asdict(replace(true, pid=os.getppid()))),
                "no JSON": "{",
                "list": "[]",
                "200,000 brackets": "[" * 200_000,
            }
            engine.address_file(world.home).write_text(texts[how])
            run = world.start("gene terms")
            row = world.ended(run)
        (one,) = world.verdict(
            "stale or foreign engine.json", "gene terms", run, "" if row.state == "done" else row.message
        )
        return [replace(one, case=how)]

    return fault


def two_servers(case: str) -> Fault:
    """Have two web servers hand runs in when no engine is there."""

    def fault(world: World, _: random.Random) -> list[Outcome]:
        world.equal_to(case)
        engine.end(world.home)
        other, runs = world.new_queue(), list[str]()
        task, request = world.cases[case]

        def hand_in(queue: object) -> None:
            runs.append(queue.submit(task, request, again=True).run)

        threads = [threading.Thread(target=hand_in, args=(queue,)) for queue in (world.queue, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = [world.verdict("two servers at once", case, run, "")[0] for run in runs if world.ended(run)]
        other.close()
        return found

    return fault


def own_worlds(folder: Path) -> list[tuple[str, Fault]]:
    """List the faults that need a workspace of their own."""
    made: list[tuple[str, Act]] = [
        ("disk full", worlds.disk_full),
        ("read-only folder", worlds.read_only),
        ("workspace moved", worlds.moved),
        ("clock one hour off", worlds.clock),
        ("database server restarted", worlds.restarted),
        ("upgrade with an engine at work", worlds.upgraded),
        ("network cut between workers", worlds.cut),
    ]

    def within(name: str, act: Act) -> Fault:
        own = folder / name
        return lambda world, rng: act(world.store, own, rng)

    return [(name, within(name, act)) for name, act in made]
