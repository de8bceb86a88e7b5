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

import math
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scviz.errors import ScvizError
from scviz.jobs import disk
from scviz.jobs.course import ESTIMATING, each_event, shares_of_stages
from scviz.jobs.endings import RESUME, Circumstances, ended
from scviz.jobs.engine import importable
from scviz.jobs.process import Child
from scviz.jobs.processes import write_processes
from scviz.jobs.threads import VARIABLES, threads_of
from scviz.jobs.tracker import Tracker
from scviz.jobs.warm_pool import Spare
from scviz.jobs.watching import BEAT_SECONDS, Watched
from scviz.memory import Room
from scviz.settings import PREFIX, Settings
from scviz.workspace.plain_json import parse_plain

if TYPE_CHECKING:  # Dask's scheduler imports this file too, and stays small
    from distributed import Future

    from scviz.workspace.database import Database, Run

LENT_SECONDS = 15.0
"""How long a run waits for the process that is lent to a quick one, before another is started."""
PATIENCE_SECONDS = 3600.0
"""How long the beginning and the end of a run wait for a database that is locked, full or away."""

SPARE = Spare()
"""Each Dask worker has its own."""

WORKER_ENDED = "The worker process that had this run ended."
CUT_OFF = "The worker of the cluster that had this run ended, or was cut off from the scheduler."


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
    database = Database.from_settings(settings, as_it_is=True, patience=PATIENCE_SECONDS)
    try:
        if _begin(database, run, attempt):
            row = database.get(run)
            helpers = _call_helpers(row, env)
            ending = _carry_out(database, row, env)
            del helpers  # Dask forgets those that still wait for a place
            if _keeps_spare(settings) and not _is_quick(row):  # a quick one has given it back
                with suppress(OSError):
                    keep_spare(env)
        else:  # Dask starts a task again when its worker died; the row then still says "running"
            ending = ended("lost", CUT_OFF if settings.scheduler else WORKER_ENDED, RESUME)
        database.update(run, only_if=["running"], only_attempt=attempt, **ending, trouble="")
    finally:
        database.close()


def _begin(database: Database, run: str, attempt: int) -> bool:
    """Take the run; False if somebody else has, or it was stopped."""
    now = time.time()
    if database.update(
        run,
        only_if=["queued"],
        only_attempt=attempt,
        state="running",
        started=now,
        heartbeat=now,
        trouble="",
    ):
        return True
    row = database.get(run)  # a try may have got through whose answer has not
    return (row.state, row.attempt, row.started) == ("running", attempt, now)


def _carry_out(database: Database, row: Run, env: Mapping[str, str]) -> dict[str, Any]:
    """Have the run carried out, over every pause that a full disk makes; return the changes that end it."""
    tracker = Tracker(_shares(database, row, env))
    watched = Watched(database, row, tracker)
    folder = _folder(row, env)
    room = disk.Room(folder)
    while (ending := _attend(watched, env))["state"] == disk.PAUSED:
        room.begin()
        while not room.may_try():
            words = disk.full_in_words(folder)
            if room.is_over:
                return {**tracker.fields, **ended("failed", words, disk.MAKE_ROOM)}
            time.sleep(BEAT_SECONDS / 2)
            if not watched.goes_on(None, f"{words} {disk.WAITS}") or watched.deadline < math.inf:
                return {**tracker.fields, **ended("stopped")}
        tracker.ending = {}
    return {**tracker.fields, **ending}


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
    database, child = Database.from_settings(settings, as_it_is=True, patience=PATIENCE_SECONDS), None
    try:
        while _is_at_work(row := database.get(run), attempt) and (child is None or child.code is None):
            if child is None and row.stage not in (
                "",
                ESTIMATING,
            ):  # its own child has begun, and has cleared up
                child = Child(run, "--help-out", env=_child_environment(env), log=log)
            time.sleep(BEAT_SECONDS)
    finally:
        if child is not None:
            child.end()
        database.close()


def _is_at_work(row: Run, attempt: int) -> bool:
    return row.state == "running" and row.attempt == attempt and not row.stop_requested


def _attend(watched: Watched, env: Mapping[str, str]) -> dict[str, Any]:
    """Start the child and stay with it until it says how the run ended; return the changes that end the run."""
    tracker, folder = watched.tracker, _folder(watched.row, env)
    try:
        around = Circumstances(_allowed(watched.row, env), folder / "log.txt")
        child, lent = _find_child(watched, _child_environment(env))
    except OSError as error:
        return disk.ending_of(error, folder)
    write_processes(folder, child.pid)
    try:
        _listen(child, watched)
    finally:
        if not (lent and tracker.ending):
            child.end()
        if lent:
            SPARE.give_back(child)
    if tracker.ending:
        return tracker.ending
    stopped = watched.deadline < math.inf
    if not stopped and (child.own_code or 0) > 0 and disk.is_filled(folder):
        return ended(disk.PAUSED)
    return around.ending(child.own_code, stopped=stopped)


def _listen(child: Child, watched: Watched) -> None:
    """Take in what the child says, until it has said how the run ended, or says no more, or the run is given up."""
    tracker = watched.tracker
    while not tracker.ending and (line := child.next_line(BEAT_SECONDS / 2)) != b"":
        if line is not None:
            with suppress(ValueError):  # half a line, when the child was killed; or "ready"
                tracker.take(parse_plain(line, name="what the child says"))
        if not watched.goes_on(child):
            return


def _allowed(row: Run, env: Mapping[str, str]) -> Room:
    """Return the memory that a run may use; one whose request cannot be read will say so itself."""
    from scviz.tasks import front
    from scviz.tasks.bounds import bounds_of, tightened
    from scviz.workspace.limits import room_of
    from scviz.workspace.records import from_json

    bounds = None
    with suppress(ValueError, TypeError, ScvizError):
        bounds = bounds_of(row.task, from_json(front(row.task).Request, row.request))
    return tightened(room_of(Settings.from_env(env)), bounds)


def _folder(row: Run, env: Mapping[str, str]) -> Path:
    from scviz.workspace import Workspace

    return Workspace(Settings.from_env(env).home).run_folder(row.id)


def _shares(database: Database, row: Run, env: Mapping[str, str]) -> dict[str, float]:
    """Tell how the last finished run of the same task spent its time; empty for the first one."""
    before = (one for one in database.runs(["done"]) if one.task == row.task and one.attempt == 1)
    last = next(before, None)
    with suppress(OSError):
        return {} if last is None else shares_of_stages(each_event(_folder(last, env)))
    return {}


def _find_child(watched: Watched, env: Mapping[str, str]) -> tuple[Child, bool]:
    """Take the process that waits, or start another; tell whether it must be given back."""
    from scviz.tasks import front

    row, settings = watched.row, Settings.from_env(env)
    log, quick = _folder(row, env) / "log.txt", _is_quick(row)
    deadline = time.monotonic() + LENT_SECONDS
    while _keeps_spare(settings) and (quick or front(row.task).HEAVY) and time.monotonic() < deadline:
        waiting = SPARE.hand_over(row.id, log, env, quick=quick, patience=BEAT_SECONDS)
        if waiting is not None:
            return waiting, quick
        watched.goes_on(None)
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
    at_a_time = int(state.total_resources.get(HEAVY) or state.nthreads)
    threads = str(threads_of(Settings.from_env(env), at_a_time))
    waits = {"OMP_WAIT_POLICY": "PASSIVE"}  # threads that spin while they wait slow each other down fourfold
    here = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return importable({**waits, **here, **env, **dict.fromkeys(VARIABLES, threads)})
