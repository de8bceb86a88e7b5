"""What runs on a Dask worker: one child process per run, watched from here.

The child is `python -m scviz.jobs.worker RUN`. Events come from it as JSON lines; "stop" goes to it, and the
end of that pipe tells it that nobody watches any more. Since the child alone imports torch, a stop can be a
kill, a crash takes nothing else with it, and all memory is free afterwards. On an engine of this machine a
child waits that has imported all (`scviz.jobs.warm_pool`): quick runs, one after the other, share it, and the next
heavy one takes it.

On a cluster, a task whose front says `FANS_OUT = True` also gets a child on every other worker, which helps and
is told nothing and asked nothing: it ends when it finds nothing more to do, or is killed with the attempt.
"""

# mypy: untyped-calls-exclude=distributed

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from scviz.jobs.course import Course, each_event, shares_of_stages
from scviz.jobs.endings import RESUME, Circumstances, ended
from scviz.jobs.engine import importable
from scviz.jobs.process import GRACE_SECONDS, Child
from scviz.jobs.protocol import STOP
from scviz.jobs.warm_pool import Spare
from scviz.memory import room
from scviz.settings import PREFIX, Settings

if TYPE_CHECKING:  # Dask's scheduler imports this file too, and stays small
    from distributed import Future

    from scviz.workspace.database import Database, Run

BEAT_SECONDS = 0.5
"""How often the row is written and a stop is looked for."""
LENT_SECONDS = 15.0
"""How long a run waits for the process that is lent to a quick one, before another is started."""
SMOOTHING_SECONDS = 10.0
"""How fast the rate forgets."""

SPARE = Spare()
"""Each Dask worker has its own."""

WORKER_ENDED = "The worker process that had this run ended."


def supervise(run: str, attempt: int, env: Mapping[str, str]) -> None:
    """Carry out one attempt of a run in a child process, and keep its row up to date.

    Parameters
    ----------
    run
        Its id.
    attempt
        Which attempt this is. If the row has gone on to another one, this one ends.
    env
        The settings, as environment variables.
    """
    from scviz.workspace.database import Database

    settings = Settings.from_env(env)
    database = Database.from_settings(settings, as_it_is=True)
    now = time.time()
    try:
        if database.update(
            run, only_if=["queued"], only_attempt=attempt, state="running", started=now, heartbeat=now
        ):
            row = database.get(run)
            helpers = _call_helpers(row, env)
            ending = _watch(database, row, _child_environment(env))
            del helpers  # Dask forgets those that still wait for a place
            if _keeps_spare(settings) and not _is_quick(row):  # a quick one has given it back
                keep_spare(env)
        else:  # Dask starts a task again when its worker died; the row then still says "running"
            ending = ended("lost", WORKER_ENDED, RESUME)
        database.update(run, only_if=["running"], only_attempt=attempt, **ending)
    finally:
        database.close()


def keep_spare(env: Mapping[str, str]) -> None:
    """Have a process wait for the next run with these settings."""
    SPARE.prepare(_child_environment(env))


def _call_helpers(row: Run, env: Mapping[str, str]) -> list[Future[None]]:
    """Have every other worker of a cluster help with a run that is at work; it goes on without them if need be.

    They are called here and not by who hands the run in, since a helper that waits in front of its own run, or
    of another one that does the same, could block the cluster.
    """
    from distributed import get_client, get_worker

    from scviz.jobs.scheduler import workers_of
    from scviz.tasks import front

    if not Settings.from_env(env).scheduler or not getattr(front(row.task), "FANS_OUT", False):
        return []
    with suppress(OSError):
        client, here = get_client(), get_worker().address
        others = [address for address in workers_of(client) if address != here]
        return [
            client.submit(
                help_out,
                row.id,
                row.attempt,
                env,
                number=number,
                key=f"{row.id}-{row.attempt}-helper-{number}",
                workers=[address],
                priority=-1,  # a run that waits comes first
                pure=False,
            )
            for number, address in enumerate(others, start=1)
        ]
    return []


def help_out(run: str, attempt: int, env: Mapping[str, str], *, number: int) -> None:
    """Help with one attempt of a run in a child process, while it is at work; its row is only read.

    Parameters
    ----------
    run
        Its id.
    attempt
        Which attempt is helped.
    env
        The settings, as environment variables.
    number
        Tells the helpers of an attempt apart.
    """
    from scviz.workspace import Workspace
    from scviz.workspace.database import Database

    settings = Settings.from_env(env)
    log = Workspace.from_settings(settings).run_folder(run) / f"log-helper-{number}.txt"
    database, child = Database.from_settings(settings, as_it_is=True), None
    try:
        while _is_at_work(row := database.get(run), attempt) and (child is None or child.code is None):
            if child is None and row.stage:  # its own child has begun, and has cleared up
                child = Child(run, "--help-out", env=_child_environment(env), log=log)
            time.sleep(BEAT_SECONDS)
    finally:
        if child is not None:
            child.end()
        database.close()


def _is_at_work(row: Run, attempt: int) -> bool:
    return row.state == "running" and row.attempt == attempt and not row.stop_requested


class Tracker:
    """Turns events of the child into fields of the row."""

    def __init__(self, shares: Mapping[str, float] | None = None) -> None:
        self._course = Course(shares or {})
        self.fields: dict[str, Any] = {}
        self.ending: dict[str, Any] = {}
        self._time = 0.0

    def take(self, event: Mapping[str, Any]) -> None:
        """Take one event in."""
        if "state" in event:
            self.ending = ended(event["state"], event["message"], event["hint"])
            if event["state"] == "done":
                self.ending["fraction"] = 1.0
            return
        old = self.fields
        new = {"stage": event["stage"], "done": event["done"], "total": event["total"]}
        new["rate"] = self._rate(old, new, now=event["time"])
        new["fraction"] = self._course.take(event["stage"], event["done"], event["total"])
        finite = {name: value for name, value in event["values"].items() if math.isfinite(value)}
        new["values"] = {**old.get("values", {}), **finite}  # JSON has no NaN
        notes = old.get("note", "").splitlines()
        if event["note"] and event["note"] not in notes:
            notes.append(event["note"])
        new["note"] = "\n".join(notes)
        self.fields = new

    def _rate(self, old: Mapping[str, Any], new: Mapping[str, Any], *, now: float) -> float:
        """Units per second, newer ones weighing more; a new stage starts afresh."""
        if old.get("stage") != new["stage"] or new["done"] < old["done"]:
            self._time = now
            return 0.0
        seconds, rate = now - self._time, float(old["rate"])
        if new["done"] == old["done"] or seconds <= 0:
            return rate
        self._time = now
        latest = float((new["done"] - old["done"]) / seconds)
        weight = 1 - math.exp(-seconds / SMOOTHING_SECONDS)
        return rate + weight * (latest - rate) if rate else latest


def _watch(database: Database, row: Run, env: Mapping[str, str]) -> dict[str, Any]:
    """Start the child and stay with it until it says how the run ended; return the changes that end the run."""
    around = _circumstances(row, env)
    child, lent = _find_child(database, row, env)
    tracker, watched = Tracker(_shares(database, row, env)), _Watched(database, row, child)
    try:
        while not tracker.ending and (line := child.next_line(BEAT_SECONDS / 2)) != b"":
            if line is not None:
                with suppress(ValueError):  # half a line, when the child was killed; or "ready"
                    tracker.take(json.loads(line))
            if not watched.goes_on(tracker.fields):
                break
    finally:
        if not (lent and tracker.ending):
            child.end()
        if lent:
            SPARE.give_back(child)
    ending = tracker.ending or around.ending(child.own_code, stopped=watched.deadline < math.inf)
    return {**tracker.fields, **ending}


def _circumstances(row: Run, env: Mapping[str, str]) -> Circumstances:
    from scviz.workspace import Workspace

    settings = Settings.from_env(env)
    log = Workspace.from_settings(settings).run_folder(row.id) / "log.txt"
    return Circumstances(room(settings.memory_gb), log)


class _Watched:
    """A child at work: its row is written and a stop is looked for at every beat."""

    def __init__(self, database: Database, row: Run, child: Child) -> None:
        self.deadline = math.inf
        """When a child that was told to stop is ended."""
        self._database, self._row, self._child, self._due = database, row, child, 0.0

    def goes_on(self, fields: Mapping[str, Any]) -> bool:
        """Write the fields; False when the run was given up, goes on elsewhere, or does not heed a stop."""
        if time.monotonic() < self._due:
            return True
        self._due = time.monotonic() + BEAT_SECONDS
        run, attempt = self._row.id, self._row.attempt
        if not self._database.update(
            run, only_if=["running"], only_attempt=attempt, heartbeat=time.time(), **fields
        ):
            return False
        if self.deadline == math.inf and self._database.get(run).stop_requested:
            self.deadline = time.monotonic() + GRACE_SECONDS
            self._child.tell(STOP)
        return time.monotonic() <= self.deadline


def _shares(database: Database, row: Run, env: Mapping[str, str]) -> dict[str, float]:
    """Tell how the last finished run of the same task spent its time; empty for the first one."""
    from scviz.workspace import Workspace

    workspace = Workspace.from_settings(Settings.from_env(env))
    before = (one for one in database.runs(["done"]) if one.task == row.task and one.attempt == 1)
    last = next(before, None)
    return {} if last is None else shares_of_stages(each_event(workspace.run_folder(last.id)))


def _find_child(database: Database, row: Run, env: Mapping[str, str]) -> tuple[Child, bool]:
    """Take the process that waits, or start another; tell whether it must be given back."""
    from scviz.tasks import front
    from scviz.workspace import Workspace

    settings, quick = Settings.from_env(env), _is_quick(row)
    log = Workspace.from_settings(settings).run_folder(row.id) / "log.txt"
    deadline = time.monotonic() + LENT_SECONDS
    while _keeps_spare(settings) and (quick or front(row.task).HEAVY) and time.monotonic() < deadline:
        waiting = SPARE.hand_over(row.id, log, env, quick=quick, patience=BEAT_SECONDS)
        if waiting is not None:
            return waiting, quick
        database.update(row.id, only_if=["running"], only_attempt=row.attempt, heartbeat=time.time())
    return Child(row.id, env=env, log=log), False


def _keeps_spare(settings: Settings) -> bool:
    return settings.spare and not settings.scheduler


def _is_quick(row: Run) -> bool:
    from scviz.tasks import front

    return getattr(front(row.task), "QUICK", False)


def _child_environment(env: Mapping[str, str]) -> dict[str, str]:
    """Environment of the child: the settings, and its share of the processor cores."""
    from distributed import get_worker

    from scviz.jobs.lines import HEAVY

    state = get_worker().state
    at_a_time = state.total_resources.get(HEAVY) or state.nthreads
    threads = str(max(1, int(n_cores() // at_a_time)))
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")  # Dask sets these to 1
    waits = {"OMP_WAIT_POLICY": "PASSIVE"}  # threads that spin while they wait slow each other down fourfold
    here = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return importable({**waits, **here, **env, **dict.fromkeys(names, threads)})


def n_cores() -> int:
    """Return how many processor cores this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
