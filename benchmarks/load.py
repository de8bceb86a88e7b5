"""Thirty people at once while a model trains: `python -m benchmarks.load [--people 30] [--reruns 1000]`.

Starts the dashboard on the demo cells and a pre-training that lasts, then opens a web socket for each of the people,
spread over the pages. Each lets the page run again, waits until it has, and pauses as long as a person looks. Printed
are seconds of a rerun from the wish to its end, the processor time it took, and the memory, threads and sessions of
the server after every fifth of the reruns and when all have left. It ends by itself, after `--minutes` at the latest.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from scviz.datasets.demo import open_demo
from scviz.jobs.queue import RunQueue
from scviz.settings import ROOT, Settings
from scviz.tasks import pretraining
from scviz.workspace import Workspace
from tests.browser.conftest import PATIENCE, end_engine, start_server

PAGES = ("", "data", "explore", "annotate", "qc", "groups", "in_silico", "modules", "enrich", "runs")
LOOKS = 5.0
"""Seconds that a person looks at a page before the next click, on average."""
GOAL_SECONDS = 2.0
LONG_RUN = 1000
"""Epochs: more than the measurement lasts."""


@dataclass(slots=True)
class Seen:
    """What was measured."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Of each rerun, by page."""
    failed: int = 0

    @property
    def n(self) -> int:
        """How many reruns have ended."""
        return sum(map(len, self.seconds.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What the server needs at a moment."""

    reruns: int
    megabytes: float
    """Resident, of this process alone."""
    threads: int
    cpu: float
    """Seconds since it began."""


def moment(server: psutil.Process, seen: Seen) -> Moment:
    """Look at the server."""
    times = server.cpu_times()
    return Moment(
        reruns=seen.n,
        megabytes=server.memory_full_info().uss / 1e6,
        threads=server.num_threads(),
        cpu=times.user + times.system,
    )


def wish(page: str, query: str) -> bytes:
    """Ask for a run of a page, as the browser does."""
    asked = BackMsg()
    asked.rerun_script.query_string = query
    asked.rerun_script.page_name = page
    return asked.SerializeToString()


async def rerun(socket: websockets.ClientConnection, page: str, query: str) -> float:
    """Let a page run; returns the seconds until it has."""
    start = time.perf_counter()
    await socket.send(wish(page, query))
    while True:
        answer = ForwardMsg()
        answer.ParseFromString(await socket.recv())
        if answer.WhichOneof("type") == "script_finished":
            return time.perf_counter() - start


async def person(url: str, number: int, *, query: str, seen: Seen, stop: asyncio.Event) -> None:
    """Look at one page after another until it is enough."""
    chance = random.Random(number)
    page = PAGES[number % len(PAGES)]
    address = f"{url.replace('http', 'ws')}/_stcore/stream"
    async with websockets.connect(address, max_size=None, subprotocols=["streamlit"]) as socket:  # type: ignore[list-item]
        await rerun(socket, page, query)  # opening it is not counted
        while not stop.is_set():
            await asyncio.sleep(chance.expovariate(1 / LOOKS))
            if chance.random() < 0.1:  # goes on to another page
                page = chance.choice(PAGES)
            try:
                seen.seconds[page].append(await asyncio.wait_for(rerun(socket, page, query), PATIENCE))
            except (TimeoutError, websockets.ConnectionClosed):
                seen.failed += 1
                return


async def crowd(
    url: str, server: psutil.Process, options: argparse.Namespace, query: str
) -> tuple[Seen, list[Moment]]:
    """Let all of them look at pages; returns what was seen, and the server at every fifth of the way."""
    seen, stop, moments = Seen(), asyncio.Event(), []
    people = [
        asyncio.create_task(person(url, number, query=query, seen=seen, stop=stop))
        for number in range(options.people)
    ]
    end = time.monotonic() + 60 * options.minutes
    for part in range(6):
        while (
            seen.n < part * options.reruns / 5
            and time.monotonic() < end
            and not all(one.done() for one in people)
        ):
            await asyncio.sleep(0.2)
        moments.append(moment(server, seen))
    stop.set()
    await asyncio.gather(*people)
    return seen, moments


def report(seen: Seen, moments: Sequence[Moment], left: Moment, *, trained: tuple[float, float]) -> None:
    """Print two tables and what follows from them."""
    print("| page | reruns | median s | p95 s |\n| --- | ---: | ---: | ---: |")
    everything = np.concatenate([np.array(values) for values in seen.seconds.values()])
    for page, values in [*sorted(seen.seconds.items()), ("all", everything)]:
        print(
            f"| {page or 'home'} | {len(values)} | {np.median(values):.2f} | {np.percentile(values, 95):.2f} |"
        )
    print("\n| reruns | MB | threads | CPU s a rerun since |\n| ---: | ---: | ---: | ---: |")
    for before, one in zip([moments[0], *moments], [*moments, left], strict=False):
        each = (one.cpu - before.cpu) / max(1, one.reruns - before.reruns)
        print(f"| {one.reruns} | {one.megabytes:.0f} | {one.threads} | {each:.2f} |")
    print(f"\nlast row: all have left. Failed: {seen.failed}. Goal: p95 at most {GOAL_SECONDS:g} s.")
    print(f"Meanwhile the training took {trained[0]:.0f} CPU s in {trained[1]:.0f} s.")
    first, last = moments[3], moments[-1]  # by then every page was opened and its caches are filled
    grown = 1000 * (last.megabytes - first.megabytes) / max(1, last.reruns - first.reruns)
    print(f"Memory from three fifths of the reruns on: {grown:+.1f} MB in 1,000 reruns.")
    print(f"Load of the machine: {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores.")


def training(settings: Settings, dataset: str) -> tuple[RunQueue, str]:
    """Begin to train, and wait until it does."""
    queue = RunQueue(settings)
    asked = pretraining.Request(
        dataset=dataset, model="geneformer", epochs=LONG_RUN, name="load", few_genes=True
    )
    run = queue.submit("pretraining", asked).run
    end = time.monotonic() + PATIENCE
    while not queue.events(run) or not any(event.get("values") for event in queue.events(run)):
        if time.monotonic() > end or queue.get(run).ended:
            sys.exit(f"The training did not begin: {queue.get(run).message}")
        time.sleep(0.5)
    return queue, run


def cpu_of_engine(home: Path) -> float:
    """Return the processor time of all that computes."""
    from scviz.jobs.engine import read_engine

    engine = psutil.Process(read_engine(home).pid)  # type: ignore[union-attr]
    return sum(sum(one.cpu_times()[:2]) for one in [engine, *engine.children(recursive=True)])


def measure(options: argparse.Namespace, home: Path) -> None:
    """Start everything, measure, and end it."""
    settings = Settings(home=home, data_roots=(home / "data",))
    dataset = open_demo(Workspace.from_settings(settings)).id
    process, url = start_server(ROOT / "app.py", {"SCVIZ_HOME": str(home)}, home.parent / "server.txt")
    server = psutil.Process(process.pid)
    try:
        queue, run = training(settings, dataset)
        busy, start = cpu_of_engine(home), time.perf_counter()
        seen, moments = asyncio.run(crowd(url, server, options, f"dataset={dataset}"))
        trained = cpu_of_engine(home) - busy, time.perf_counter() - start
        time.sleep(options.rest)
        report(seen, moments, moment(server, seen), trained=trained)
        queue.stop(run)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        end_engine(home)


def main() -> None:
    """Measure once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--reruns", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=8.0, help="the most that the clicking may last")
    parser.add_argument("--rest", type=float, default=20.0, help="seconds after all have left")
    with tempfile.TemporaryDirectory() as folder:
        measure(parser.parse_args(), Path(folder) / "home")


if __name__ == "__main__":
    main()
