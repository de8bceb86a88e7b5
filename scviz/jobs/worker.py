"""The child process that carries out one run, `python -m scviz.jobs.worker RUN`, or helps with it, `… RUN --help-out`.

With `--wait` in place of a run it waits until it is given some (`scviz.jobs.warm_pool`).
Here, and only here, torch is imported. What it has to say goes to its supervisor as JSON lines on standard
output; all that libraries print goes to the log of the run.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from scviz.errors import JobCancelledError, ScvizError, SettingsError
from scviz.jobs import disk
from scviz.jobs.begun import refuse_at_start
from scviz.jobs.endings import error_in_words, limit_time, refuse_too_little
from scviz.jobs.priority import step_back
from scviz.jobs.protocol import Orders
from scviz.jobs.run_log import RunLog, say_what_runs
from scviz.jobs.warm_pool import WAIT
from scviz.memory import Room, limit_memory, room
from scviz.progress import Progress, Report, silent
from scviz.settings import Settings
from scviz.tasks import back, front
from scviz.tasks.bounds import bounds_of, tightened
from scviz.tasks.context import Context
from scviz.tasks.needs import refuse_empty, refuse_idle
from scviz.workspace import Workspace
from scviz.workspace.limits import room_of
from scviz.workspace.plain_json import read_plain
from scviz.workspace.records import RECORD, from_json, write_record

EVENT_SECONDS = 0.2
"""Shortest time between two events that carry nothing but a count."""


class Reporter:
    """Writes what a task reports to `events.jsonl` and to the supervisor.

    Counts are thinned out to a few a second. The last one of a stage, values and notes are always kept.
    """

    def __init__(self, file: Path, pipe: IO[str], stop: threading.Event) -> None:
        self._pipe, self._stop = pipe, stop
        self._file = file.open("a", encoding="utf-8")
        if self._file.tell():
            self._file.write("\n")  # an earlier attempt may have been killed within a line
        self._kept_back: Progress | None = None
        self._stage, self._time = "", 0.0
        self._log = RunLog()

    def __call__(self, progress: Progress) -> None:
        """Take one report.

        Raises
        ------
        JobCancelledError
            If the run must stop.
        """
        self._log.take(progress)
        if progress.stage != self._stage:
            self.flush()
        now = time.monotonic()
        worth = progress.values or progress.note or progress.stage != self._stage
        if worth or progress.done >= progress.total > 0 or now - self._time >= EVENT_SECONDS:
            self._kept_back = None
            self._write(progress)
            self._stage, self._time = progress.stage, now
        else:
            self._kept_back = progress
        if self._stop.is_set():
            raise JobCancelledError("The run was stopped.")

    def flush(self) -> None:
        """Write the count that was held back."""
        if self._kept_back is not None:
            self._write(self._kept_back)
            self._kept_back = None

    def end(self, ending: Mapping[str, Any]) -> None:
        """Say how the run ended, to the supervisor in any case; the disk may be full."""
        with suppress(OSError):
            self._log.end(ending["state"], ending.get("message", ""))
            self.flush()
            sys.stdout.flush()
        last = json.dumps({"time": time.time(), **ending}) + "\n"
        with suppress(OSError):
            self._file.write(last)
            self._file.close()
        say(self._pipe, last)

    def _write(self, progress: Progress) -> None:
        self._put(
            {
                "time": time.time(),
                "stage": progress.stage,
                "done": progress.done,
                "total": progress.total,
                "values": {name: float(value) for name, value in progress.values.items()},
                "note": progress.note,
            }
        )

    def _put(self, event: Mapping[str, Any]) -> None:
        line = json.dumps(event) + "\n"
        for target in (self._file, self._pipe):
            say(target, line)


def say(pipe: IO[str], line: str) -> None:
    """Tell the supervisor something at once."""
    pipe.write(line)
    pipe.flush()


def _ended(state: str, message: str = "", hint: str = "") -> dict[str, Any]:
    return {"state": state, "message": message, "hint": hint}


def execute(
    run: str,
    workspace: Workspace,
    report: Report,
    *,
    allowed: Room | None = None,
    settings: Settings | None = None,
) -> dict[str, Any]:
    """Carry a run out in this process, write its result, and say how it ended: state, message, hint.

    Parameters
    ----------
    run
        Its id; `request.json` in its folder says what to do.
    workspace
        Where things are kept.
    report
        Called after each batch.
    allowed
        Memory that it may use; what there is if it is left out.
    settings
        With what they limit the run is refused by its estimate; by default by nothing.
    """
    allowed = allowed or room()
    folder = workspace.run_folder(run)
    if (folder / "result" / RECORD).exists():  # written last: an earlier attempt had finished
        return _ended("done")
    try:
        task, request = _asked(folder)
        refuse_too_little(allowed, heavy=front(task).HEAVY or getattr(front(task), "QUICK", False))
        bounds = bounds_of(task, request)
        allowed = tightened(allowed, bounds)
        limit_memory(allowed.gigabytes)
        limit_time(bounds.seconds if bounds else 0)
        say_what_runs(task, request, workspace)
        context = Context(workspace=workspace, report=report, folder=folder)
        refuse_idle(task, request, workspace)
        refuse_at_start(task, request, context, settings=settings, allowed=allowed)
        result = back(task).run(request, context)
        refuse_empty(task, request, result)
        write_record(result, folder / "result")
    except JobCancelledError:
        return _ended("stopped")
    except Exception as error:  # noqa: BLE001 - the one place where errors of a task become words
        with suppress(OSError):  # the log may lie on a full disk
            traceback.print_exc()
        if disk.is_full(error):
            return _ended(disk.PAUSED, disk.full_in_words(folder))
        if closed := disk.closed_in_words(error, folder):
            return _ended("failed", closed, "When it can be used again, press Resume.")
        return _ended("failed", *error_in_words(error, allowed))
    finally:
        limit_time(0)
    return _ended("done")


def help_out(run: str, workspace: Workspace) -> None:
    """Do a part of a run that another process carries out; nothing is reported, and what is wrong is raised."""
    folder = workspace.run_folder(run)
    task, request = _asked(folder)
    back(task).help_out(request, Context(workspace=workspace, report=silent, folder=folder))


def _asked(folder: Path) -> tuple[str, Any]:
    """Read the task of a run and its request."""
    asked = read_plain(folder / "request.json")
    return asked["task"], from_json(front(asked["task"]).Request, asked["request"])


def _step_back_for(folder: Path) -> None:
    """Leave more to the pages where a run is heavy; one whose request cannot be read will say so itself."""
    with suppress(OSError, ValueError, TypeError, KeyError, ScvizError):
        step_back(heavy=front(_asked(folder)[0]).HEAVY)


def main(run: str, *, helps: bool) -> None:
    """Be the child process of one run, or one that helps it, or one that waits for runs."""
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print goes to the log, not between the events
    settings = Settings.from_env()
    step_back(heavy=helps)
    orders = Orders()
    if run == WAIT:
        from scviz.jobs.warm_process import runs_to_carry_out

        for given in runs_to_carry_out(orders, pipe):
            _carry_out(given, settings, pipe=pipe, stop=orders.stop)
    elif helps:
        limit_memory(room_of(settings).gigabytes)
        help_out(run, Workspace.from_settings(settings).for_run(run))
    else:
        _carry_out(run, settings, pipe=pipe, stop=orders.stop)


def _carry_out(run: str, settings: Settings, *, pipe: IO[str], stop: threading.Event) -> None:
    workspace = Workspace.from_settings(settings)
    try:
        workspace = workspace.for_run(run)
        _step_back_for(workspace.run_folder(run))
        reporter = Reporter(workspace.run_folder(run) / "events.jsonl", pipe, stop)
    except OSError as error:
        return say(pipe, json.dumps(disk.ending_of(error, workspace.run_folder(run))) + "\n")
    ending = execute(run, workspace, reporter, allowed=room_of(settings), settings=settings)
    reporter.end(ending)  # after all is in the log: who hears of the end may end this process


if __name__ == "__main__":
    try:
        main(sys.argv[1], helps="--help-out" in sys.argv)
    except SettingsError as error:
        sys.exit(f"{error} {error.hint}")
