"""The web side: hand a run in, watch it, stop it, go on with it. The database is the state of record."""

# mypy: untyped-calls-exclude=distributed

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from scviz.errors import JobError
from scviz.jobs import engine
from scviz.jobs.connection import CONNECT_SECONDS, Connection
from scviz.jobs.course import read_events
from scviz.jobs.curves import Curve, Curves
from scviz.jobs.endings import RESUME
from scviz.jobs.estimates import estimate_of
from scviz.jobs.lines import Wait, brought_forward, line_of, next_place, waits
from scviz.jobs.processes import read_processes
from scviz.jobs.refusing import refuse
from scviz.jobs.run_folder import read_log, write_request
from scviz.jobs.scheduler import Known, known_to, loss_of, make_independent, resources_of
from scviz.jobs.signs import HELD, IGNORED, NO_WORKER, Signs, is_given_up, must_be_stopped, trouble_of
from scviz.jobs.supervisor import keep_spare, supervise
from scviz.settings import Settings
from scviz.tasks import front, pricing, question_id
from scviz.workspace import Workspace
from scviz.workspace.database import OPEN, Database, Run, State
from scviz.workspace.limits import Guard, Meter, attempts
from scviz.workspace.records import RECORD, from_json, read_record, to_json
from scviz.workspace.trash import Trash

if TYPE_CHECKING:
    from distributed import Client

CHECK_SECONDS = 2.0
"""Shortest time between two looks for lost runs."""
STALE_SECONDS = 8.0
"""Age of a sign of life from which a run is looked for."""
UNREACHABLE_SECONDS = 30.0
"""How long a scheduler that did not answer is left alone."""
RESUMABLE: tuple[State, ...] = ("failed", "stopped", "lost")
ANEW: Mapping[str, Any] = {
    **dict.fromkeys(("stage", "note", "message", "hint"), ""),
    **dict.fromkeys(("done", "total", "fraction", "rate"), 0),
    **{"state": "queued", "engine": "", "started": 0.0, "ended": 0.0, "stop_requested": False},
}
"""What an attempt begins with."""
TAKEN_ALONG = ("HF_ENDPOINT",)
"""Variables of this process that its runs see too, besides the settings; its engine may have others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """What handing in gave."""

    run: str
    """Id of the run that answers the request."""
    cached: bool
    """Whether that run was there already, finished or on its way."""


class RunQueue:
    """The runs of one workspace. One object per web process serves any number of browser sessions.

    Nothing is started or connected before the first run is handed in.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.workspace = Workspace.from_settings(settings)
        self.database = Database.from_settings(settings)
        self.curves = Curves()
        self.trash = Trash(self.workspace, self.database)
        self.guard = Guard(settings, Meter(self.workspace.home, self.database, self.trash))
        self.connection = Connection(settings, is_idle=lambda: not any(run.engine for run in self._open()))
        self._adding, self._checking = threading.Lock(), threading.Lock()
        self._next_check = 0.0
        self._signs = Signs()

    def warm_up(self) -> None:
        """Start the engine of this machine, and the process that waits for a run, while the caller goes on."""
        if self.settings.spare and not self.settings.scheduler:
            threading.Thread(target=self._warm_up, daemon=True).start()

    def submit(self, task: str, request: Any, owner: str = "local", *, again: bool = False) -> Submitted:
        """Hand a request in.

        Parameters
        ----------
        task
            Name of the task.
        request
            Its `Request`.
        owner
            Who asks. Equal requests of one owner are carried out once.
        again
            Carry it out even if an equal one is finished or on its way.

        Raises
        ------
        JobError
            If nothing is there to carry it out; the run is kept and can be resumed.
        NotAllowedError
            If a visitor of a demo server asks for more than she may.
        LimitError, OutOfMemoryError
            If it goes beyond what a person or the server may use, or was estimated to.
        """
        self.check()
        asked = to_json(request)
        with self._adding:  # a double click is one run
            run = self._new_run(task, asked, owner)
            equal = None if again else self._equal(run)
            if equal is None:
                known = estimate_of(run, self.database, workspace=self.workspace)
                self._refuse(run, known)
                run = self._in_line(run, known)
                write_request(self.workspace, run)
                self.database.add(run)
        if equal is not None:
            return Submitted(run=equal, cached=True)
        self._hand_in(run)
        return Submitted(run=run.id, cached=False)

    def get(self, run: str) -> Run:
        """Return how far a run is.

        Raises
        ------
        JobError
            If there is no such run.
        """
        self.check()
        return self.database.get(run)

    def runs(
        self,
        states: Sequence[State] | None = None,
        owner: str | None = None,
        *,
        task: str | None = None,
        limit: int = 200,
    ) -> list[Run]:
        """List runs, of one task or all, newest first."""
        self.check()
        return self.database.runs(states, owner, task=task, limit=limit)

    def stop(self, run: str) -> None:
        """Stop a run; what it has finished is kept for resuming."""
        if not self.database.update(run, only_if=["queued"], state="stopped", ended=time.time()):
            self.database.update(run, only_if=["running"], stop_requested=True)

    def waits(self) -> Mapping[str, Wait]:
        """Tell of each run that waits on the engine of this machine its place and when it starts, by its id."""
        return waits(self._open(), self.settings.workers)

    def bring_forward(self, run: str) -> None:
        """Let a run that waits come before the others of its owner that wait; those of other owners stay in place."""
        for one, place in brought_forward(self._open(), self.database.get(run)).items():
            old = self.database.get(one)
            fresh = {"attempt": old.attempt + 1, "place": place, "engine": "", "heartbeat": time.time()}
            if self.database.update(one, only_if=["queued"], only_attempt=old.attempt, **fresh):
                self._hand_in(self.database.get(one))  # who begins the attempt before finds that it is none

    def resume(self, run: str) -> bool:
        """Go on with a run that failed, was stopped or was lost; others are left as they are, which is told.

        Raises
        ------
        JobError
            If there is no such run, or nothing is there to carry it out.
        NotAllowedError, LimitError, OutOfMemoryError
            As for a run that is handed in; it is left as it is.
        """
        old = self.database.get(run)
        if old.state not in RESUMABLE:
            return False
        with self._adding:  # two at a time are counted one after the other
            self._refuse(old, estimate_of(old, self.database, workspace=self.workspace))
            fresh = {"attempt": old.attempt + 1, "heartbeat": time.time(), "earlier": attempts(old)}
            fresh["place"] = self._next_place(old)
            resumed = self.database.update(run, only_if=RESUMABLE, only_attempt=old.attempt, **ANEW, **fresh)
        if resumed:
            self._hand_in(self.database.get(run))
        return resumed

    def trouble(self, run: Run) -> str:
        """Say in sentences what holds up a run that waits or is at work; empty while nothing does."""
        return trouble_of(run, self._signs, settings=self.settings, database=self.database)

    def request(self, run: str) -> Any:
        """Return the request of a run."""
        row = self.database.get(run)
        return from_json(front(row.task).Request, row.request)

    def result(self, run: str) -> Any:
        """Read the result of a run.

        Raises
        ------
        JobError
            If it has none, or one that another version wrote and this one cannot read.
        """
        row = self.database.get(run)
        folder = self.workspace.run_folder(run) / "result"
        if row.state != "done" or not (folder / RECORD).exists():
            raise JobError(f"The run {row.title!r} has no result; it is {row.state}.", hint=row.hint)
        try:
            return read_record(front(row.task).Result, folder)
        except (TypeError, ValueError) as error:  # fields that are missing, or say other things
            raise JobError(
                f"The result of {row.title!r} was written by another version of scviz, which this one cannot read.",
                hint="Ask the same question again.",
            ) from error

    def events(self, run: str) -> list[dict[str, Any]]:
        """Read what a run has reported, oldest first: time, stage, done, total, values, note."""
        return [event for event in read_events(self.workspace.run_folder(run)) if "stage" in event]

    def curve(self, run: str) -> Curve:
        """Return the curves of the values that a run reports; look at them before they are drawn."""
        return self.curves.of(self.workspace.run_folder(run))

    def log(self, run: str) -> str:
        """Read the end of what a run has printed."""
        return read_log(self.workspace.run_folder(run))

    def delete(self, run: str) -> None:
        """Put a run that has ended into the trash, with its folder and the runs that rest on it.

        Raises
        ------
        JobError
            If it has not ended.
        """
        self.database.get(run)  # says so if there is none
        self.trash.delete("run", run)

    def check(self) -> None:
        """Mark runs as lost that nobody works on any more. Looks at most every two seconds."""
        if time.monotonic() < self._next_check or not self._checking.acquire(blocking=False):
            return
        try:
            self._next_check = time.monotonic() + CHECK_SECONDS
            rows = self._open()
            self._signs.forget_others(rows)
            self._end_what_hangs(rows)
            stale = [row for row in rows if self._signs.silent_for(row) > STALE_SECONDS]
            self._signs.held_up = self._look_for(stale) if stale else ""
        finally:
            self._checking.release()

    def close(self) -> None:
        """Disconnect; runs go on."""
        self.connection.close()
        self.database.close()

    # handing in

    def _new_run(self, task: str, asked: dict[str, Any], owner: str) -> Run:
        now = time.time()
        return Run(
            id=uuid.uuid4().hex,
            task=task,
            title=front(task).TITLE,
            request=asked,
            fingerprint=question_id(task, asked),
            owner=owner,
            created=now,
            heartbeat=now,
        )

    def _refuse(self, run: Run, known: pricing.Result | None) -> None:
        refuse(run, known, guard=self.guard, settings=self.settings, database=self.database)

    def _in_line(self, run: Run, known: pricing.Result | None) -> Run:
        """Put a run behind the others of its line; a cluster has one line alone."""
        line = "" if self.settings.scheduler else line_of(run.task, known)
        run = replace(run, line=line, expected=known.price.seconds if known else 0.0)
        return replace(run, place=self._next_place(run))

    def _next_place(self, run: Run) -> float:
        return next_place((one for one in self._open() if one.line == run.line), run.owner)

    def _open(self) -> list[Run]:
        return self.database.runs(OPEN, limit=10_000)

    def _equal(self, run: Run) -> str | None:
        """Return the id of a run that answers the same question: one that is done, else one that is open."""
        equal = self.database.runs(["done", *OPEN], run.owner, fingerprint=run.fingerprint)
        for row in sorted(equal, key=lambda row: row.state != "done"):
            if row.state != "done" or (self.workspace.run_folder(row.id) / "result" / RECORD).exists():
                return row.id
        return None

    def _hand_in(self, run: Run) -> None:
        """Give a queued run to the scheduler, or mark it as lost and say why."""
        try:
            try:
                self._send(self.connection.client(), run)
            except OSError:  # the engine ended just then, or answered late
                self._send(self.connection.client(), run)
        except JobError as error:
            self._end(run, "lost", message=str(error), hint="Press Resume to try again.")
            raise
        except OSError as error:
            message, hint = "The compute engine went away.", "Press Resume to try again."
            self._end(run, "lost", message=message, hint=hint)
            raise JobError(message, hint=hint) from error

    def _send(self, client: Client, run: Run) -> None:
        if not self.database.update(
            run.id,
            only_if=["queued"],
            only_attempt=run.attempt,
            engine=client.scheduler_info()["id"],
            heartbeat=time.time(),
        ):
            return  # begun, stopped or deleted meanwhile
        future = client.submit(
            supervise,
            run.id,
            run.attempt,
            self._env(),
            key=_key(run),
            pure=False,
            retries=0,
            priority=-run.place,
            resources=resources_of(client, run.line) if run.line else None,
        )
        make_independent(
            client,
            _key(run),
            is_open=lambda: self.database.get(run.id).state in OPEN,
            seconds=CONNECT_SECONDS,
        )
        future.release()

    def _env(self) -> dict[str, str]:
        """Write what a run must know of this process."""
        own = {name: os.environ[name] for name in TAKEN_ALONG if os.environ.get(name)}
        return own | self.settings.as_env()

    def _warm_up(self) -> None:
        from distributed import fire_and_forget

        with suppress(JobError, OSError):  # a run that is handed in will say what is wrong
            fire_and_forget(self.connection.client().submit(keep_spare, self._env(), pure=False))

    # lost runs

    def _end_what_hangs(self, rows: Sequence[Run]) -> None:
        """Carry out the stops that nobody heeds, and give up runs whose Dask worker is suspended for long."""
        for row in rows:
            known = read_processes(self.workspace.run_folder(row.id)) if row.state == "running" else None
            if must_be_stopped(row, self._signs):
                self._end(row, "stopped", message=IGNORED, hint=RESUME)
            elif is_given_up(row, self._signs, known):
                self._end(row, "lost", message=HELD, hint=RESUME)
            else:
                continue
            if known is not None:
                known.end()

    def _look_for(self, stale: Sequence[Run]) -> str:
        """Ask the scheduler for runs that gave no sign of life, and mark those it does not know.

        Returns what keeps runs from beginning, a sentence; empty while nothing does.
        """
        try:
            client = self.connection.to_running()
            here = known_to(client) if client else Known()
        except (JobError, OSError) as error:  # a cluster that cannot be asked may still be at work
            self._next_check = time.monotonic() + UNREACHABLE_SECONDS
            return str(error) if isinstance(error, JobError) else "The scheduler does not answer."
        for row in stale:
            if not row.engine and self._signs.silent_for(row) < engine.START_SECONDS + CONNECT_SECONDS:
                continue  # another web process is starting the engine for it
            if words := loss_of(row, _key(row), here, on_cluster=bool(self.settings.scheduler)):
                self._end(row, "lost", message=words, hint=RESUME)
        return "" if here.workers else NO_WORKER

    def _end(self, run: Run, state: State, *, message: str, hint: str) -> None:
        now = time.time()
        self.database.update(
            run.id, only_if=OPEN, only_attempt=run.attempt, state=state, message=message, hint=hint, ended=now
        )


def _key(run: Run) -> str:
    """Name of an attempt in Dask."""
    return f"{run.id}-{run.attempt}"
