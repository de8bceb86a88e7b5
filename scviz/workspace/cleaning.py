"""Clean a workspace by age and size: runs that have ended and uploads, never what is shared, kept or in use."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from scviz.amounts import amounts
from scviz.errors import ScvizError
from scviz.memory import GIGABYTE
from scviz.workspace.database import OPEN, Database, Run
from scviz.workspace.dependents import KEPT, Kind, dependent_runs
from scviz.workspace.people import access_of
from scviz.workspace.sizes import size_of
from scviz.workspace.store import Workspace
from scviz.workspace.trash import MOST_RUNS, Trash

DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """When what is removed; 0 means never."""

    runs: float = 0.0
    """Days after which a run that has ended goes."""
    uploads: float = 0.0
    """Days after which a file that came in goes."""
    disk: float = 0.0
    """GB of the workspace beyond which the oldest of both go."""


def rules_of(texts: tuple[str, ...]) -> Rules:
    """Read rules as the settings have them.

    Examples
    --------
    >>> rules_of(("runs=30", "disk=100"))
    Rules(runs=30.0, uploads=0.0, disk=100.0)
    """
    return Rules(**amounts(texts))


def keep(folder: Path, *, wanted: bool) -> None:
    """Keep a thing from being cleaned away, or let it go."""
    if wanted:
        (folder / KEPT).touch()
    else:
        (folder / KEPT).unlink(missing_ok=True)


def is_kept(folder: Path) -> bool:
    """Tell whether a thing is kept from being cleaned away."""
    return (folder / KEPT).exists()


@dataclass(frozen=True, slots=True, kw_only=True)
class Old:
    """A thing that may go."""

    kind: Kind
    id: str
    owner: str
    time: float
    """When it was last of use, in seconds since 1970."""


class Cleaner:
    """Removes what is old or too much, through the trash, from which its owner may take it back for a day."""

    def __init__(self, workspace: Workspace, database: Database, trash: Trash) -> None:
        self._workspace, self._database, self._trash = workspace, database, trash

    def clean(self, rules: Rules) -> list[Old]:
        """Remove what the rules say; returns what went, the oldest first."""
        self._trash.tidy()
        now, gone = time.time(), []
        for old in self._may_go():
            days = rules.runs if old.kind == "run" else rules.uploads
            if days and old.time < now - days * DAY and self._remove(old):
                gone.append(old)
        if rules.disk:
            gone += self._make_room(rules.disk * GIGABYTE)
        return gone

    def _make_room(self, limit: float) -> list[Old]:
        """Empty the trash, then remove the oldest things, until the workspace is small enough."""
        gone: list[Old] = []
        if size_of(self._workspace.home) <= limit:
            return gone
        self._trash.empty()
        for old in self._may_go():
            if size_of(self._workspace.home) <= limit:
                break
            if self._remove(old, for_good=True):
                gone.append(old)
        return gone

    def _remove(self, old: Old, *, for_good: bool = False) -> bool:
        with suppress(ScvizError, OSError):  # in use meanwhile, or gone
            entry = self._trash.delete(old.kind, old.id, whose=old.owner)
            if for_good:
                self._trash.forget(entry)
            return True
        return False

    def _may_go(self) -> list[Old]:
        """List what is neither in use, nor shared, nor kept, nor needed by what is; the oldest first."""
        runs = self._database.runs(limit=MOST_RUNS)
        found = [*self._runs(runs), *self._uploads(runs)]
        return sorted(found, key=lambda one: one.time)

    def _runs(self, runs: list[Run]) -> Iterator[Old]:
        for run in runs:
            needed = [run, *dependent_runs("run", run.id, runs, folder=self._workspace.run_folder(run.id))]
            if not any(self._stays(one) for one in needed):
                last = max(one.ended or one.created for one in needed)
                yield Old(kind="run", id=run.id, owner=run.owner, time=last)

    def _uploads(self, runs: list[Run]) -> Iterator[Old]:
        for folder in (self._workspace.home / "uploads").glob("*"):
            needed = dependent_runs("upload", folder.name, runs, folder=folder)
            access = access_of(folder)
            if folder.is_dir() and not (
                access.shared or is_kept(folder) or any(self._stays(one) for one in needed)
            ):
                yield Old(kind="upload", id=folder.name, owner=access.owner, time=folder.stat().st_mtime)

    def _stays(self, run: Run) -> bool:
        folder = self._workspace.run_folder(run.id)
        return run.state in OPEN or bool(access_of(folder).shared) or is_kept(folder)
