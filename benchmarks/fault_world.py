"""A workspace with an engine of its own, in which every case of `benchmarks/fault_cases.py` can be run and struck."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import fault_cases
from scviz.jobs import connection, engine, signs
from scviz.jobs.queue import RunQueue
from scviz.settings import Settings
from scviz.tasks import opening
from scviz.workspace.database import Run

connection.HUNG_SECONDS, engine.END_SECONDS = 5.0, 3.0
signs.IGNORED_SECONDS, signs.HELD_SECONDS = 6.0, 12.0  # as in use, but for the waiting
LIMIT_SECONDS = 400.0
HEAVY = ("map", "compare", "annotate, head", "annotate, all", "one edit", "sweep", "perturbation", "enhance")
QUICK = (
    "check a file",
    "filter",
    "gene terms",
    "quality",
    "markers",
    "group genes",
    "conditions",
    "enrichment",
)


MAKING = threading.Lock()
REFERENCE: dict[str, tuple[str, float]] = {}
ASKING = {case: threading.Lock() for case in fault_cases.NAMES}


class LeftOutError(Exception):
    """Here that fault cannot be had."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one fault ended."""

    kind: str
    case: str
    ending: str
    """`done`, `resumed, equal`, `failed with its reason`, `left out` or `broken`."""
    words: str


class World:
    """A workspace with its cells, models and engine, in which every case can be run."""

    def __init__(self, folder: Path, **env: str) -> None:
        self.folder, self.env = folder, env
        folder.mkdir(parents=True, exist_ok=True)
        self.files = fault_cases.make_cells(folder)
        self.queue = self.new_queue()
        screen = self.finish(self.queue.submit("opening", opening.simulated_request("tiny")).run)
        with MAKING:  # random weights come from one generator of this process
            self.cases = fault_cases.requests(
                self.queue.workspace, self.files, self.queue.result(screen).dataset
            )

    @property
    def home(self) -> Path:
        """Folder of the workspace."""
        return self.queue.settings.home

    def new_queue(self) -> RunQueue:
        """Be another web server of the workspace."""
        own = {"SCVIZ_HOME": str(self.folder / "home"), "SCVIZ_DATA_ROOTS": str(self.folder)}
        return RunQueue(Settings.from_env({"SCVIZ_SPARE": "0", "SCVIZ_THREADS": "1", **own, **self.env}))

    def equal_to(self, case: str) -> tuple[str, float]:
        """Return the digest of a run without a fault, and how long it took; the first world to ask has it run.

        All worlds hold the same cells and models, so that all of them must find the same.
        """
        with ASKING[case]:
            if case not in REFERENCE:
                run = self.finish(self.start(case))
                row = self.queue.get(run)
                REFERENCE[case] = self.digest(run), row.ended - row.started
        return REFERENCE[case]

    def start(self, case: str) -> str:
        """Hand a case in."""
        task, request = self.cases[case]
        return self.queue.submit(task, request, again=True).run

    def wait(self, run: str, until: Callable[[Run], Any], what: str, seconds: float = LIMIT_SECONDS) -> Run:
        """Wait for something to become true of a run."""
        deadline = time.monotonic() + seconds
        while not until(row := self.queue.get(run)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what}: it is {row.state}, {row.stage}, {row.trouble}")
            time.sleep(0.05)
        return row

    def ended(self, run: str) -> Run:
        """Wait for the end of a run."""
        return self.wait(run, lambda row: row.ended, "it never ended")

    def finish(self, run: str) -> str:
        """Wait until a run is done; what broke off is resumed."""
        for _ in range(3):
            row = self.ended(run)
            if row.state == "done":
                return run
            self.queue.resume(run)
        raise RuntimeError(f"It does not get done: {self.queue.get(run).message}")

    def digest(self, run: str) -> str:
        """Hash the result of a run."""
        return fault_cases.digest(self.queue.workspace.run_folder(run) / "result")

    def verdict(self, kind: str, case: str, run: str, *reasons: str) -> list[Outcome]:
        """Finish a run that was struck, once or more, and say how each of these faults ended.

        Parameters
        ----------
        reasons
            What was said of the run after each; empty where it went on by itself.
        """
        expected, _ = self.equal_to(case)
        same = self.digest(self.finish(run)) == expected
        names = ["done" if not reason else "resumed, equal" for reason in reasons]
        return [
            Outcome(kind, case, name if same else "broken", reason if same else f"another result; {reason}")
            for name, reason in zip(names, reasons, strict=True)
        ]

    def close(self) -> None:
        """End the engine."""
        self.queue.close()
        engine.end(self.home)


def moment(world: World, case: str, run: str, rng: random.Random) -> Run:
    """Wait until a run is at work, and then for a random while within its usual time."""
    _, seconds = world.equal_to(case)
    world.wait(run, lambda row: row.state != "queued", "it never began")
    time.sleep(rng.uniform(0, max(0.5, seconds)))
    return world.queue.get(run)
