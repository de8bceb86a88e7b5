"""Delete things with what depends on them: they lie in the trash for a day, can be taken back, and are then gone.

HOME/trash/<id>/entry.json      what it was, whose, its runs as they stood in the database
HOME/trash/<id>/<number>        its folders, as they were

The entry is written first and marked as complete last, so that a deletion that was cut off is finished later.
"""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from scviz.errors import DataError, JobError, NotAllowedError
from scviz.workspace.audit import note
from scviz.workspace.database import OPEN, Database, Run
from scviz.workspace.dependents import Kind, dependent_runs, folder_of, goes_too, name_of, stays
from scviz.workspace.people import MACHINE, Person, may_change
from scviz.workspace.records import read_json, write_json
from scviz.workspace.sizes import in_words, size_of
from scviz.workspace.store import Workspace

KEPT_SECONDS = 86_400.0
"""How long things lie in the trash."""
CUT_OFF_SECONDS = 60.0
"""A deletion that is not complete after so long was cut off."""
ENTRY = "entry.json"
MOST_RUNS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A run that goes too."""

    id: str
    title: str
    owner: str
    state: str
    size: int
    """Bytes of its folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """What deleting a thing would take away."""

    kind: Kind
    id: str
    name: str
    size: int
    """Bytes of the thing itself."""
    runs: tuple[Part, ...]
    """Those that depend on it, with their results."""
    also: tuple[str, ...]
    """What lies with it."""
    stays: tuple[str, ...]
    """What was made from it and stays, a sentence each."""

    @property
    def total(self) -> int:
        """Bytes of all that goes."""
        return self.size + sum(run.size for run in self.runs)

    @property
    def sentences(self) -> tuple[str, ...]:
        """Say beforehand what goes, how much, and what stays."""
        own = f", {in_words(self.size)} of it its own" if self.runs else ""
        said = [f"Deleting {self.name} frees {in_words(self.total)}{own}."]
        if self.runs:
            sizes = in_words(sum(run.size for run in self.runs))
            count = f"{len(self.runs):,} {'run' if len(self.runs) == 1 else 'runs'}"
            titles = ", ".join(sorted({run.title for run in self.runs}))
            said.append(
                f"With it {'goes' if len(self.runs) == 1 else 'go'} {count} and the results ({sizes}): {titles}."
            )
        said += [f"With it {'go' if one[:2] != '1 ' else 'goes'} {one}." for one in self.also]
        return (*said, *self.stays, "It lies in the trash for a day and can be taken back until then.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A folder in the trash."""

    home: str
    """Where it was, below the workspace."""
    name: str
    """What it is called in the trash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A thing in the trash."""

    id: str
    kind: Kind
    thing: str
    """Its id while it was not in the trash."""
    name: str
    by: str
    """Who deleted it."""
    time: float
    size: int
    n_runs: int
    moved: tuple[Moved, ...]
    runs: tuple[dict[str, Any], ...]
    """Rows of the database."""
    complete: bool = False

    @property
    def expires(self) -> float:
        """When it is gone for good, in seconds since 1970."""
        return self.time + KEPT_SECONDS


class Trash:
    """Deletes things of a workspace, takes them back, and forgets them.

    Parameters
    ----------
    workspace
        Where things lie.
    database
        Where their runs stand.
    """

    def __init__(self, workspace: Workspace, database: Database) -> None:
        self._workspace, self._database = workspace, database
        self._home = workspace.home / "trash"

    def would_delete(self, kind: Kind, identifier: str, person: Person = MACHINE) -> Deletion:
        """Say to a person what deleting a thing would take away.

        Raises
        ------
        DataError, JobError
            If there is no such thing for her, or it comes with scviz.
        """
        folder = folder_of(self._workspace.of(person), kind, identifier)
        return Deletion(
            kind=kind,
            id=identifier,
            name=_title(self._database.get(identifier))
            if kind == "run"
            else name_of(self._workspace, kind, identifier),
            size=size_of(folder),
            runs=tuple(self._part(run) for run in self._dependents(kind, identifier, folder)),
            also=goes_too(kind, folder),
            stays=stays(self._workspace.of(person), kind, identifier),
        )

    def delete(self, kind: Kind, identifier: str, person: Person = MACHINE, *, whose: str = "") -> Entry:
        """Put a thing and the runs that depend on it into the trash.

        Parameters
        ----------
        person
            Who asks: for a thing of her own, on which no run of others depends; the owner of the server for any.
        whose
            In whose trash it lies then, by the id of a person; empty for that of who asks.

        Raises
        ------
        DataError, JobError
            If there is no such thing, it comes with scviz, a run that depends on it has not ended, or others need it.
        NotAllowedError
            If it is not hers.
        """
        folder = folder_of(self._workspace.of(person), kind, identifier)
        if not may_change(person, folder):
            raise NotAllowedError(
                "Only its owner can delete this.", hint="Ask whoever has shared it with you."
            )
        runs = self._dependents(kind, identifier, folder)
        if kind == "run":
            runs = [self._database.get(identifier), *runs]
        name = _title(runs[0]) if kind == "run" else name_of(self._workspace, kind, identifier)
        _refuse(name, runs, person)
        folders = [] if kind == "run" else [folder]
        folders += [self._workspace.run_folder(run.id) for run in runs]
        entry = Entry(
            id=uuid4().hex,
            kind=kind,
            thing=identifier,
            name=name,
            by=whose or person.id,
            time=time.time(),
            size=sum(size_of(one) for one in folders),
            n_runs=len(runs),
            moved=tuple(
                Moved(home=str(one.relative_to(self._workspace.home)), name=str(i))
                for i, one in enumerate(folders)
            ),
            runs=tuple(dataclasses.asdict(run) for run in runs),
        )
        (self._home / entry.id).mkdir(mode=0o700, parents=True)
        self._write(entry)
        note(self._workspace.home, person, "delete", kind=kind, thing=identifier, runs=str(len(runs)))
        return self._carry_out(entry)

    def entries(self, by: str | None = None) -> list[Entry]:
        """List what lies in the trash, newest first; of one person or all."""
        found = []
        for path in self._home.glob(f"*/{ENTRY}"):
            with suppress(OSError, ValueError):  # taken back or forgotten meanwhile
                found.append(read_json(Entry, path))
        return sorted((one for one in found if by in (None, one.by)), key=lambda one: -one.time)

    def take_back(self, entry: str, *, by: str | None = None) -> Entry:
        """Put a thing and its runs back where they were.

        Raises
        ------
        DataError
            If it is not in the trash of this person, or something lies in its place.
        """
        found = self._entry(entry, by)
        for moved in found.moved:
            if (self._home / found.id / moved.name).exists() and (self._workspace.home / moved.home).exists():
                raise DataError(
                    f"Something else lies in the place of {found.name} by now: {moved.home}.",
                    hint="It was opened again. Delete that one first, or leave this one in the trash.",
                )
        for moved in found.moved:
            place = self._workspace.home / moved.home
            place.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):  # was never moved, or is back already
                (self._home / found.id / moved.name).rename(place)
        names = {field.name for field in dataclasses.fields(Run)}
        for row in found.runs:
            with suppress(JobError):
                self._database.get(row["id"])
                continue
            self._database.add(Run(**{name: value for name, value in row.items() if name in names}))
        shutil.rmtree(self._home / found.id, ignore_errors=True)
        return found

    def empty(self, *, by: str | None = None, before: float | None = None) -> int:
        """Forget what lies in the trash, of one person or all, and of what was deleted before a time; returns bytes."""
        gone = [one for one in self.entries(by) if before is None or one.time < before]
        for entry in gone:
            if not entry.complete:
                entry = self._carry_out(entry)
            shutil.rmtree(self._home / entry.id, ignore_errors=True)
        return sum(one.size for one in gone)

    def forget(self, entry: Entry) -> None:
        """Remove one thing for good."""
        shutil.rmtree(self._home / entry.id, ignore_errors=True)

    def tidy(self) -> None:
        """Forget what was deleted more than a day ago, and finish deletions that were cut off."""
        now = time.time()
        self.empty(before=now - KEPT_SECONDS)
        for entry in self.entries():
            if not entry.complete and entry.time < now - CUT_OFF_SECONDS:
                self._carry_out(entry)

    def _dependents(self, kind: Kind, identifier: str, folder: Path) -> list[Run]:
        return dependent_runs(kind, identifier, self._database.runs(limit=MOST_RUNS), folder=folder)

    def _part(self, run: Run) -> Part:
        return Part(
            id=run.id,
            title=_title(run),
            owner=run.owner,
            state=run.state,
            size=size_of(self._workspace.run_folder(run.id)),
        )

    def _entry(self, entry: str, by: str | None) -> Entry:
        for one in self.entries(by):
            if one.id == entry:
                return one
        raise DataError("This is not in the trash any more.", hint="Things lie there for a day.")

    def _write(self, entry: Entry) -> None:
        write_json(entry, self._home / entry.id / ENTRY)

    def _carry_out(self, entry: Entry) -> Entry:
        """Move what is still in its place; each step can be done twice."""
        for row in entry.runs:
            self._database.delete(row["id"], only_if=["done", "failed", "stopped", "lost"])
        for moved in entry.moved:
            with suppress(FileNotFoundError):
                (self._workspace.home / moved.home).rename(self._home / entry.id / moved.name)
        entry = replace(entry, complete=True)
        self._write(entry)
        return entry


def _refuse(name: str, runs: Sequence[Run], person: Person) -> None:
    """Refuse to delete what is at work, or what others need."""
    at_work = [_title(run) for run in runs if run.state in OPEN]
    if at_work:
        raise JobError(
            f"{name} cannot be deleted: {', '.join(sorted(set(at_work)))} is still {_state(runs)}.",
            hint="Stop it first.",
        )
    count = sum(run.owner != person.id for run in runs)
    if count and person.role != "owner":
        raise DataError(
            f"{name} cannot be deleted: {count:,} {'run' if count == 1 else 'runs'} of other people depend on it.",
            hint="Ask them to delete these first, or the owner of the server to delete all.",
        )


def _state(runs: Sequence[Run]) -> str:
    return "running" if any(run.state == "running" for run in runs) else "queued"


def _title(run: Run) -> str:
    return run.title or run.task
