"""A workspace with an engine of its own, in which every case of `benchmarks/fault_cases.py` can be run and struck."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import fault_cases
from benchmarks.fault_reasons import is_true
from benchmarks.fault_watch import Watch
from scviz.jobs import connection, engine, signs
from scviz.jobs.queue import RunQueue
from scviz.settings import CODE, Settings
from scviz.tasks import front, opening
from scviz.workspace.database import Run
from scviz.workspace.records import from_json, to_json

connection.HUNG_SECONDS, engine.END_SECONDS = 30.0, 5.0
signs.IGNORED_SECONDS, signs.HELD_SECONDS = 6.0, 12.0  # as in use, but for the waiting
TRIES = 5
HEAVY = (
    *("map", "compare", "annotate, head", "annotate, all", "one edit", "sweep", "perturbation"),
    *("enhance", "self-test", "pre-train", "transfer"),
)
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


ASKING = {case: threading.Lock() for case in fault_cases.NAMES}
WRITING = threading.Lock()
PLACES = ("datasets", "checkpoints", "data")
"""Folders of a workspace that hold what requests name."""


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


class Store:
    """What all worlds have in common: cells, models and requests, and what each request finds without a fault.

    Parameters
    ----------
    folder
        Where it is kept. One that is there already is used again, unless it is of other code.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self._file = folder / _code(), folder / _code() / "known.json"
        if not self._file.exists():
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            self._make()
        said = json.loads(self._file.read_text())
        self.cases = {
            name: (task, from_json(front(task).Request, asked))
            for name, (task, asked) in said["cases"].items()
        }
        self.found: dict[str, tuple[str, float]] = {
            name: (digest, seconds) for name, (digest, seconds) in said["found"].items()
        }

    def copy_to(self, home: Path) -> None:
        """Put the cells and models into a new workspace."""
        for name in PLACES:
            shutil.copytree(self.folder / "home" / name, home / name)

    def keep(self, case: str, digest: str, seconds: float) -> None:
        """Write down what a request finds, and how long that takes."""
        with WRITING:
            self.found[case] = digest, seconds
            self._write(self.cases, self.found)

    def _make(self) -> None:
        files = fault_cases.make_cells(self.folder)
        home = self.folder / "home"
        queue = RunQueue(_settings(home, self.folder))
        try:
            screen = queue.submit("opening", opening.simulated_request("tiny")).run
            while not queue.get(screen).ended:
                time.sleep(0.1)
            self._write(fault_cases.requests(queue.workspace, files, queue.result(screen).dataset), {})
        finally:
            queue.close()
            engine.end(home)

    def _write(self, cases: Mapping[str, tuple[str, Any]], found: Mapping[str, tuple[str, float]]) -> None:
        asked = {name: (task, to_json(request)) for name, (task, request) in cases.items()}
        draft = self._file.with_suffix(".draft")
        draft.write_text(json.dumps({"cases": asked, "found": found}))
        draft.replace(self._file)


def _code() -> str:
    """Name the code whose results these are; who carries runs out is no part of it."""
    digest = hashlib.sha256()
    computing = (path for path in sorted(CODE.rglob("*.py")) if path.parent != CODE / "jobs")
    for path in (*computing, Path(fault_cases.__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _settings(home: Path, roots: Path, env: Mapping[str, str] | None = None) -> Settings:
    own = {"SCVIZ_HOME": str(home), "SCVIZ_DATA_ROOTS": str(roots)}
    return Settings.from_env({"SCVIZ_SPARE": "0", "SCVIZ_THREADS": "1", **own, **(env or {})})


class World:
    """A workspace with its cells, models and engine, in which every case can be run."""

    def __init__(self, store: Store, folder: Path, **env: str) -> None:
        self.store, self.folder, self.env = store, folder, env
        folder.mkdir(parents=True, exist_ok=True)
        store.copy_to(folder / "home")
        self.cases = store.cases
        self.queue = self.new_queue()

    @property
    def home(self) -> Path:
        """Folder of the workspace."""
        return self.queue.settings.home

    def new_queue(self) -> RunQueue:
        """Be another web server of the workspace."""
        return RunQueue(_settings(self.folder / "home", self.store.folder, self.env))

    def equal_to(self, case: str) -> tuple[str, float]:
        """Return the digest of a run without a fault, and how long it took; the first world to ask has it run.

        All worlds hold the same cells and models, so that all of them must find the same.
        """
        with ASKING[case]:
            if case not in self.store.found:
                run = self.finish(self.start(case))
                row = self.queue.get(run)
                self.store.keep(case, self.digest(run), row.ended - row.started)
        return self.store.found[case]

    def start(self, case: str) -> str:
        """Hand a case in."""
        task, request = self.cases[case]
        return self.queue.submit(task, request, again=True).run

    def wait(self, run: str, until: Callable[[Run], Any], what: str) -> Run:
        """Wait for something to become true of a run, for as long as anything moves in it."""
        watch = Watch(self.queue.workspace.run_folder(run))
        while not until(row := self.queue.get(run)):
            if why := watch.is_over(row):
                said = f"{row.state}, {row.stage}, {self.queue.trouble(row)}"
                raise TimeoutError(f"{what}: {why}; it is {said}; {self.queue.log(run)[-300:]}")
            time.sleep(0.2)
        return row

    def ended(self, run: str) -> Run:
        """Wait for the end of a run."""
        return self.wait(run, lambda row: row.ended, "it never ended")

    def finish(self, run: str) -> str:
        """Wait until a run is done; what broke off is resumed."""
        said: list[str] = []
        for _ in range(4):
            row = self.ended(run)
            if row.state == "done":
                return run
            said.append(row.message)
            self.queue.resume(run)
        raise RuntimeError(f"It does not get done: {said}")

    def digest(self, run: str) -> str:
        """Hash the result of a run."""
        return fault_cases.digest(self.queue.workspace.run_folder(run) / "result")

    def verdict(
        self, kind: str | None, case: str, run: str, *reasons: str, expected: str = ""
    ) -> list[Outcome]:
        """Finish a run that was struck, once or more, and say how each of these faults ended.

        Parameters
        ----------
        kind
            Of the faults; None where the reasons are not looked at.
        reasons
            What was said of the run after each; empty where it went on by itself.
        expected
            What must be found; empty = what a run without a fault finds.
        """
        expected = expected or self.equal_to(case)[0]
        same = self.digest(self.finish(run)) == expected
        found = []
        for reason in reasons:
            wrong = "" if same else "another result"
            if kind is not None and not is_true(kind, reason):
                wrong = "not the reason"
            ending = "broken" if wrong else "resumed, equal" if reason else "done"
            found.append(Outcome(kind or "", case, ending, f"{wrong}: {reason}" if wrong else reason))
        return found

    def close(self) -> None:
        """End the engine."""
        self.queue.close()
        engine.end(self.home)


def moment(world: World, case: str, run: str, rng: random.Random) -> Run:
    """Wait until a run is at work, and then for a random while within its usual time, or until it ends."""
    _, seconds = world.equal_to(case)
    world.wait(run, lambda row: row.state != "queued", "it never began")
    until = time.monotonic() + rng.uniform(0, max(0.5, seconds))
    while not (row := world.queue.get(run)).ended and time.monotonic() < until:
        time.sleep(0.1)
    return row


def begun(world: World, case: str, rng: random.Random) -> str:
    """Hand a case in, and return its run at a random moment within it."""
    world.equal_to(case)
    for _ in range(TRIES):
        run = world.start(case)
        if not moment(world, case, run, rng).ended:
            return run
    raise LeftOutError("each run was done before it was struck")
