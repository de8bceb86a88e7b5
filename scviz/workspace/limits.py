"""What each person and the whole server may use, what they do use, and the sentence that refuses more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from scviz.amounts import amounts
from scviz.errors import LimitError
from scviz.memory import GIGABYTE, Room, room
from scviz.settings import Settings
from scviz.workspace.database import OPEN, Database, Run
from scviz.workspace.people import owner_of
from scviz.workspace.sizes import in_words, size_of
from scviz.workspace.store import Workspace
from scviz.workspace.trash import Trash

DAY = 86_400.0
SHELVES = ("datasets/*", "checkpoints/*/*", "terms/*", "uploads/*", "references/*", "runs/*")
"""Where things lie that have an owner."""
MOST_RUNS = 1_000_000
IsHeavy = Callable[[str], bool]
NAMES = {"person": "SCVIZ_PERSON_LIMITS", "server": "SCVIZ_SERVER_LIMITS"}
SPACE = "Delete what is no longer needed (Data, Models, Runs) and empty the trash"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most of each; 0 means no limit."""

    disk: float = 0.0
    """GB of all that is kept, the trash included."""
    uploads: float = 0.0
    """GB of files that came through the browser or from an address."""
    runs: float = 0.0
    """Heavy runs that wait or are at work."""
    hours: float = 0.0
    """Hours of heavy runs within a day."""
    memory: float = 0.0
    """GB of one run."""


def limits_of(texts: Iterable[str]) -> Limits:
    """Read limits as the settings have them.

    Examples
    --------
    >>> limits_of(("disk=20", "runs=2")).disk
    20.0
    """
    return Limits(**amounts(texts))


def allowance(settings: Settings) -> Room | None:
    """Find the most memory that the settings allow a run; None where they say nothing."""
    person, server = limits_of(settings.person_limits), limits_of(settings.server_limits)
    asked = {
        "SCVIZ_MEMORY_GB": settings.memory_gb,
        NAMES["person"]: person.memory,
        NAMES["server"]: server.memory / settings.workers,
    }
    said = [Room(gigabytes=gb, why=f"that is what {name} allows") for name, gb in asked.items() if gb > 0]
    return min(said, key=lambda one: one.gigabytes, default=None)


def room_of(settings: Settings) -> Room:
    """Find the memory that a run may use: the least of machine, container and what the settings allow."""
    allowed = allowance(settings)
    found = room(allowed.gigabytes if allowed else 0.0)
    return allowed if allowed and found.gigabytes == allowed.gigabytes else found


def attempts(run: Run) -> list[list[float]]:
    """List when each attempt of a run began and ceased to compute; one at work goes on until now."""
    last = [[run.started, run.ended or time.time()]] if run.started else []
    return [*run.earlier, *last]


def seconds_of(run: Run, since: float = 0.0) -> float:
    """Add up how long a run has computed since a time, over all its attempts."""
    return sum(max(0.0, end - max(begin, since)) for begin, end in attempts(run))


class Meter:
    """Measures what is used, for a person or for all.

    Parameters
    ----------
    trash
        What was deleted counts until it is gone.
    """

    def __init__(self, home: Path, database: Database, trash: Trash) -> None:
        self._home, self._database, self._trash = home, database, trash

    def disk(self, owner: str | None) -> float:
        """Return the bytes of all that is kept, of one person or in the whole workspace."""
        if owner is None:
            return size_of(self._home)
        own = sum(size_of(one) for one in self._own(SHELVES, owner))
        return own + sum(entry.size for entry in self._trash.entries(owner))

    def uploads(self, owner: str | None) -> float:
        """Return the bytes of files that came in."""
        return sum(size_of(one) for one in self._own(("uploads/*",), owner))

    def runs(self, owner: str | None, is_heavy: IsHeavy) -> int:
        """Count the runs of heavy tasks that have not ended."""
        return sum(is_heavy(run.task) for run in self._database.runs(OPEN, owner, limit=MOST_RUNS))

    def hours(self, owner: str | None, is_heavy: IsHeavy) -> float:
        """Add up the hours of heavy runs within the last day, those in the trash and earlier attempts included."""
        since = time.time() - DAY
        rows = [*self._database.runs(None, owner, limit=MOST_RUNS), *self._deleted(owner)]
        return sum(seconds_of(run, since) for run in rows if is_heavy(run.task)) / 3600

    def _own(self, shelves: Iterable[str], owner: str | None) -> list[Path]:
        found = [one for shelf in shelves for one in self._home.glob(shelf)]
        return [one for one in found if owner is None or owner_of(one) == owner]

    def _deleted(self, owner: str | None) -> list[Run]:
        rows = [row for entry in self._trash.entries() for row in entry.runs]
        found = [
            Run(
                earlier=row.get("earlier", []),  # which trash of earlier versions lacks
                **{name: row[name] for name in ("id", "task", "owner", "started", "ended")},
            )
            for row in rows
        ]
        return [run for run in found if owner in (None, run.owner)]


def guard_of(settings: Settings, workspace: Workspace) -> Guard:
    """Make the guard of a workspace, for a process that has no queue; the database is asked for runs alone."""
    database = Database.from_settings(settings, as_it_is=True)
    return Guard(settings, Meter(workspace.home, database, Trash(workspace, database)))


class Guard:
    """Refuses what would go beyond a limit of the settings; does nothing where there is none.

    Parameters
    ----------
    meter
        Measures what is used.
    """

    def __init__(self, settings: Settings, meter: Meter) -> None:
        self._meter = meter
        self._limits = {
            "person": limits_of(settings.person_limits),
            "server": limits_of(settings.server_limits),
        }

    def before_run(self, owner: str, task: str, is_heavy: IsHeavy, *, seconds: float = 0.0) -> None:
        """Refuse a run of a person.

        Parameters
        ----------
        is_heavy
            Tells which tasks count; others fill the disk alone.
        seconds
            What it was estimated to take; 0 where nobody knows.

        Raises
        ------
        LimitError
            If disk, runs or hours are used up, or fewer hours are left than it takes.
        """
        for whose, limits in self._limits.items():
            one = owner if whose == "person" else None
            if limits.disk:
                self._refuse_disk(whose, one, limit=limits.disk)
            if not is_heavy(task):
                continue
            if limits.runs and (n := self._meter.runs(one, is_heavy)) >= limits.runs:
                count = f"{n} {'run' if n == 1 else 'runs'}"
                used = f"{_subject(whose)} {count} waiting or at work, and {limits.runs:g} may be"
                _refuse(used, "Wait until one has ended, or stop one on the Runs page", whose)
        if is_heavy(task):
            self.before_hours(owner, is_heavy, seconds=seconds)

    def before_hours(self, owner: str, is_heavy: IsHeavy, *, seconds: float = 0.0) -> None:
        """Refuse a heavy run of a person for whom, or for all, no hours are left, or fewer than it takes.

        Raises
        ------
        LimitError
            With the hours.
        """
        for whose, limits in self._limits.items():
            if not limits.hours:
                continue
            spent = self._meter.hours(owner if whose == "person" else None, is_heavy)
            used = f"{_subject(whose)} used {spent:.1f} hours of computing within a day, of {limits.hours:g}"
            if spent >= limits.hours:
                _refuse(used, "Wait, or ask a smaller question tomorrow", whose)
            if spent + seconds / 3600 > limits.hours:
                _refuse(f"{used}; this run takes about {seconds / 3600:.1f}", "Ask a smaller question", whose)

    def before_upload(self, owner: str, size: int, *, here: int = 0) -> None:
        """Refuse a file that a person brings in.

        Parameters
        ----------
        size
            Its bytes.
        here
            Those of them that lie in the workspace already, though not among the uploads.

        Raises
        ------
        LimitError
            If uploads or disk would go beyond their limit.
        """
        for whose, limits in self._limits.items():
            one = owner if whose == "person" else None
            if limits.uploads and (kept := self._meter.uploads(one)) + size > limits.uploads * GIGABYTE:
                used = (
                    f"{_subject(whose)} {in_words(kept)} of uploads, of {limits.uploads:g} GB; this file has"
                )
                _refuse(
                    f"{used} {in_words(size)}", "Delete uploads on the Data page (Space on the server)", whose
                )
            if limits.disk:
                self._refuse_disk(whose, one, limit=limits.disk, more=size, here=here)

    def _refuse_disk(
        self, whose: str, owner: str | None, *, limit: float, more: int = 0, here: int = 0
    ) -> None:
        kept = self._meter.disk(owner) - here
        if kept + more >= limit * GIGABYTE:
            asked = f"; this file has {in_words(more)}" if more else ""
            _refuse(f"{_subject(whose)} {in_words(kept)} on the disk, of {limit:g} GB{asked}", SPACE, whose)


def _subject(whose: str) -> str:
    return "You have" if whose == "person" else "This server has"


def _refuse(used: str, way_out: str, whose: str) -> None:
    raise LimitError(f"{used}.", hint=f"{way_out}, or ask the owner of the server for more ({NAMES[whose]}).")
