"""The queue as one person finds it: her own runs and those shared with her; what is not hers is not there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from scviz.errors import JobError, NotAllowedError, RequestError
from scviz.jobs.curves import Curve
from scviz.jobs.lines import Wait
from scviz.jobs.own_trash import OwnTrash
from scviz.jobs.queue import RunQueue, Submitted
from scviz.workspace import Workspace
from scviz.workspace.audit import note
from scviz.workspace.database import Run, State
from scviz.workspace.dependents import Kind, folder_of
from scviz.workspace.people import MACHINE, Access, Person, may_see, share, shared_runs
from scviz.workspace.records import to_json

SHELVES = ("datasets", "checkpoints", "terms", "runs", "references")
"""Where things lie that a request may name by their ids."""
DEPTH = {"checkpoints": 2}
"""Names that make an id, where it is not one."""
FOR_ALL = ("data", "links")
"""Folders of the workspace whose files everybody may name."""
LONGEST_ID = 200


class OwnRuns:
    """The runs of one person; the owner of the machine finds all.

    Parameters
    ----------
    queue
        The queue of the server.
    person
        Who asks.
    """

    def __init__(self, queue: RunQueue, person: Person) -> None:
        self.person = person
        self.workspace: Workspace = queue.workspace.of(person)
        self.trash = OwnTrash(queue.trash, person)
        self._queue = queue

    def submit(self, task: str, request: Any, owner: str = "", *, again: bool = False) -> Submitted:
        """Hand a request in; see `RunQueue.submit`.

        Parameters
        ----------
        owner
            Who asks, if it is said: nobody asks for somebody else.

        Raises
        ------
        NotAllowedError
            If she may look only, or asks for somebody else.
        ScvizError
            If the request names what is not hers, in the words for what is not there.
        """
        if owner not in ("", self.person.id):
            raise NotAllowedError("Nobody can ask for somebody else.", hint="Log in again.")
        self._may_work()
        refuse_foreign(request, self.workspace)
        submitted = self._queue.submit(task, request, self.person.id, again=again)
        if not submitted.cached:
            self._note("submit", submitted.run, task=task)
        return submitted

    def before_upload(self, size: int) -> None:
        """Refuse a file of some bytes by which she or the server would have more than may be."""
        self._queue.guard.before_upload(self.person.id, size)

    def get(self, run: str) -> Run:
        """Return how far a run is.

        Raises
        ------
        JobError
            If there is no such run for this person.
        """
        row = self._queue.get(run)
        if not self._sees(row):
            raise JobError(
                f"There is no run {run!r} here.", hint="It may have been deleted; see the Runs page."
            )
        return row

    def runs(
        self,
        states: Sequence[State] | None = None,
        owner: str | None = None,
        *,
        task: str | None = None,
        limit: int = 200,
    ) -> list[Run]:
        """List her runs and those shared with her, of one task or all, newest first."""
        if self.person == MACHINE:
            return self._queue.runs(states, owner, task=task, limit=limit)
        own = self._queue.runs(states, self.person.id, task=task, limit=limit)
        shared = [
            row
            for row in self._shared()
            if row.owner != self.person.id  # her own, shared with everybody, are in both
            and task in (None, row.task)
            and (states is None or row.state in states)
        ]
        return sorted((*own, *shared), key=lambda row: (-row.created, row.id))[:limit]

    def of_everybody(self, limit: int = 200) -> list[Run]:
        """List the runs of all, newest first; none but for the owner of the server."""
        return self._queue.runs(limit=limit) if self.person.role == "owner" else []

    def waits(self) -> Mapping[str, Wait]:
        """Tell of each run that waits its place and when it starts, by its id."""
        return self._queue.waits()

    def trouble(self, run: Run) -> str:
        """Say in sentences what holds up a run that is at work; empty while nothing does."""
        return self._queue.trouble(self.get(run.id))

    def stop(self, run: str) -> None:
        """Stop a run; what it has finished is kept for resuming."""
        self._note("stop", run, task=self._hers(run).task)
        self._queue.stop(run)

    def bring_forward(self, run: str) -> None:
        """Let a run that waits come before the others of its owner that wait."""
        self._note("bring forward", run, task=self._hers(run).task)
        self._queue.bring_forward(run)

    def resume(self, run: str) -> None:
        """Go on with a run that failed, was stopped or was lost."""
        row = self._hers(run)
        if self._queue.resume(run):  # which may refuse it
            self._note("resume", run, task=row.task)

    def delete(self, run: str) -> None:
        """Put a run that has ended into the trash, with its folder and the runs that rest on it."""
        self._note("delete", run, task=self._hers(run).task)
        self.trash.delete("run", run)

    def share(self, kind: Kind, identifier: str, with_whom: Iterable[str]) -> Access:
        """Share a thing with these and nobody else; see `people.share`.

        Raises
        ------
        NotAllowedError
            If it is not hers.
        ScvizError
            If there is no such thing for her.
        """
        if kind == "run":
            self.get(identifier)
        access = share(self.person, folder_of(self.workspace, kind, identifier), with_whom)
        if self.person != MACHINE:
            names = ", ".join(access.shared)
            note(self.workspace.home, self.person, "share", kind=kind, thing=identifier, shared=names)
        return access

    def request(self, run: str) -> Any:
        """Return the request of a run."""
        return self._queue.request(self.get(run).id)

    def result(self, run: str) -> Any:
        """Read the result of a run."""
        return self._queue.result(self.get(run).id)

    def events(self, run: str) -> list[dict[str, Any]]:
        """Read what a run has reported, oldest first."""
        return self._queue.events(self.get(run).id)

    def curve(self, run: str) -> Curve:
        """Return the curves of the values that a run reports."""
        return self._queue.curve(self.get(run).id)

    def log(self, run: str) -> str:
        """Read the end of what a run has printed."""
        return self._queue.log(self.get(run).id)

    def hers(self, run: Run) -> bool:
        """Tell whether she may stop, resume, share and delete a run."""
        return self.person.role == "owner" or (self.person.role == "user" and run.owner == self.person.id)

    def _sees(self, row: Run) -> bool:
        if self.person.role == "owner" or row.owner == self.person.id:
            return True
        return may_see(self.person, self._queue.workspace.run_folder(row.id))

    def _shared(self) -> Iterator[Run]:
        for run in shared_runs(self.workspace.home, self.person):
            try:
                yield self.get(run)
            except JobError:  # deleted, or shared no more
                continue

    def _may_work(self) -> None:
        if self.person.role == "viewer":
            raise NotAllowedError(
                "You may look at what is shared with you, but not compute.",
                hint="Ask the owner of the server.",
            )

    def _hers(self, run: str) -> Run:
        """Return a run; refuse to change that of somebody else."""
        self._may_work()
        row = self.get(run)
        if not self.hers(row):
            raise NotAllowedError(f"The run {row.title!r} is somebody else's.", hint="Ask its owner.")
        return row

    def _note(self, did: str, run: str, *, task: str) -> None:
        if self.person != MACHINE:
            note(self.workspace.home, self.person, did, run=run, task=task)


def refuse_foreign(request: Any, workspace: Workspace) -> None:
    """Refuse a request that names, by id or by path, what its person may not see.

    Raises
    ------
    ScvizError
        In the words for what is not there.
    """
    if workspace.person == MACHINE:
        return
    for text in _texts(to_json(request)):
        if not text.isprintable():
            continue  # several lines are no name
        if any(_is_foreign(shelf, text, workspace) for shelf in SHELVES):
            hint = "It was deleted, or belongs to somebody else: choose another."
            raise RequestError(f"{text!r} is not here.", hint=hint)
        if "/" in text and _leads_to_foreign(text, workspace):
            raise RequestError(f"{text!r} is not here.", hint="Choose a file of your own.")


def _is_foreign(shelf: str, text: str, workspace: Workspace) -> bool:
    """Tell whether a text is the id of a thing that the person may not see."""
    parts = text.split("/")
    if (
        len(text) > LONGEST_ID
        or len(parts) != DEPTH.get(shelf, 1)
        or not all(one.strip(".") for one in parts)
    ):
        return False
    return workspace.home.joinpath(shelf, text).is_dir() and not workspace.sees(shelf, text)


def _leads_to_foreign(text: str, workspace: Workspace) -> bool:
    """Tell whether a path leads into the workspace, and there to what its person may not see."""
    try:
        home, path = workspace.home.resolve(), Path(text).expanduser().resolve()
    except (OSError, RuntimeError):  # too long; a home of nobody
        return False
    if not path.is_relative_to(home):
        return False  # the task knows which other folders may be read
    shelf, *rest = (*path.relative_to(home).parts, "")
    depth = DEPTH.get(shelf, 1)
    own = (
        shelf in (*SHELVES, "uploads") and len(rest) > depth and workspace.sees(shelf, "/".join(rest[:depth]))
    )
    return not own and shelf not in FOR_ALL


def _texts(value: Any) -> Iterator[str]:
    """Give every text of a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield name
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
