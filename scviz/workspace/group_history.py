"""The named groups of a dataset and the last hundred changes of them, on disk.

DATASET/groups/history.json     who is in which group, now and after each of the last changes
DATASET/groups/<version>.rows   the cells of a group, one bit each, named by their hash
DATASET/groups.npz              groups of earlier versions of scviz, read while there is no history
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from uuid import uuid4

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from scviz.errors import DataError
from scviz.workspace.packed_rows import pack_rows, unpack_rows
from scviz.workspace.records import read_json, write_json

FOLDER, HISTORY, OLD = "groups", "history.json", "groups.npz"
MOST_CHANGES = 100
KEPT_SECONDS = 3600
"""Cells that no step needs any more stay that long, for pages that have just read which there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A named group of cells."""

    name: str
    n_cells: int
    version: str
    """Hash of its cells."""
    by: str = ""
    """Who gave it its name or its cells last; empty where nobody logs in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The groups after a change; equal steps of a history are the same one."""

    what: str = ""
    """What was done, in words; empty for the groups that were there at first."""
    by: str = ""
    time: float = 0.0
    groups: tuple[int, ...] = field(default=(), compare=False)
    """Places in `History.known`, in the order in which they were named; they move when a group is forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The last changes of the groups of a dataset."""

    number: int = 0
    """Grows with each change, undo and redo: equal numbers of a dataset mean equal groups."""
    place: int = 0
    """The step that holds now; those after it were taken back."""
    steps: tuple[Step, ...] = (Step(),)
    known: tuple[Group, ...] = ()

    @property
    def groups(self) -> Mapping[str, Group]:
        """The groups that hold now, by their names."""
        return {self.known[one].name: self.known[one] for one in self.steps[self.place].groups}

    @property
    def last(self) -> Step | None:
        """The change that would be taken back."""
        return self.steps[self.place] if self.place else None

    @property
    def next(self) -> Step | None:
        """The change that would be done again."""
        return self.steps[self.place + 1] if self.place + 1 < len(self.steps) else None


class Cells(Mapping[str, NDArray[np.int64]]):
    """The cells of each group by its name, (n,) rows, ascending; read when they are asked for."""

    def __init__(self, folder: Path, groups: Mapping[str, Group]) -> None:
        self._folder, self._groups = folder, groups

    def __getitem__(self, name: str) -> NDArray[np.int64]:
        return read_rows(self._folder, self._groups[name].version)

    def __iter__(self) -> Iterator[str]:
        return iter(self._groups)

    def __len__(self) -> int:
        return len(self._groups)


def version_of(rows: NDArray[np.int64]) -> str:
    """Hash the cells of a group, (n,) rows."""
    return hashlib.blake2b(np.sort(rows).astype("<i8").tobytes(), digest_size=6).hexdigest()


def read_history(folder: Path) -> History:
    """Read the groups of a dataset and their last changes; none where no cells were ever named."""
    path = folder / FOLDER / HISTORY
    if path.exists():
        seen = path.stat()
        return _read(path, (seen.st_ino, seen.st_mtime_ns, seen.st_size))
    known = tuple(
        Group(name=name, n_cells=len(rows), version=version_of(rows)) for name, rows in _old(folder).items()
    )
    return History(known=known, steps=(Step(groups=tuple(range(len(known)))),))


def read_rows(folder: Path, version: str) -> NDArray[np.int64]:
    """Read the cells of a group, (n,) rows, ascending, by their hash.

    Raises
    ------
    DataError
        If nobody has needed them for an hour and they are gone.
    """
    path = folder / FOLDER / f"{version}.rows"
    if not path.exists():
        old = [rows for rows in _old(folder).values() if version_of(rows) == version]
        if not old:
            raise DataError("The cells of a group are no longer kept.", hint="Load the page again.")
        return old[0]
    return unpack_rows(path.read_bytes())


class Draft:
    """Groups that are being changed; what was changed is written as one step."""

    def __init__(self, folder: Path, history: History, by: str) -> None:
        self.history = history
        self.groups = dict(history.groups)
        self.cells = Cells(folder, history.groups)
        self._folder, self._by = folder, by
        self._rows: dict[str, NDArray[np.int64]] = {}

    def put(self, name: str, rows: NDArray[np.int64], *, instead: str = "") -> None:
        """Give cells, (n,) rows, a name, at the place of the group `instead` or of this name, or behind all others."""
        rows = np.unique(rows)
        group = Group(name=name, n_cells=len(rows), version=version_of(rows), by=self._by)
        self._rows[group.version] = rows
        place = instead or name
        entries = [(key, group if key == place else one) for key, one in self.groups.items()]
        self.groups = {one.name: one for _, one in entries} | {name: group}

    def rename(self, name: str, into: str) -> None:
        """Give a group another name; it keeps its place and its cells."""
        renamed = replace(self.groups[name], name=into, by=self._by)
        self.groups = {
            one.name: one for one in (renamed if key == name else old for key, old in self.groups.items())
        }

    def write(self, what: str) -> Step | None:
        """Write the groups as a step behind the present one; those that were taken back are forgotten.

        Returns
        -------
        The step, as it is found in the history; None where nothing has changed.
        """
        if list(self.groups.values()) == list(self.history.groups.values()):
            return None
        self._write_rows()
        before = self.history
        known = dict.fromkeys((*before.known, *self.groups.values()))
        places = {group: place for place, group in enumerate(known)}
        own = Step(
            what=what,
            by=self._by,
            time=time.time(),
            groups=tuple(places[one] for one in self.groups.values()),
        )
        steps = (*before.steps[: before.place + 1], own)[-MOST_CHANGES - 1 :]
        write_history(
            self._folder,
            _without_unused(
                History(number=before.number + 1, place=len(steps) - 1, steps=steps, known=tuple(known))
            ),
        )
        return own

    def _write_rows(self) -> None:
        """Write the cells that lie in no file yet, also those that came from an old one."""
        (self._folder / FOLDER).mkdir(exist_ok=True)
        for group in (*self.history.known, *self.groups.values()):
            path = self._folder / FOLDER / f"{group.version}.rows"
            if path.exists():
                path.touch()  # needed again: it must not seem to be left over
                continue
            rows = self._rows.get(group.version)
            rows = read_rows(self._folder, group.version) if rows is None else rows
            draft = path.with_suffix(f".{uuid4().hex}.draft")
            draft.write_bytes(pack_rows(rows))
            draft.replace(path)


@contextmanager
def locked(folder: Path) -> Iterator[History]:
    """Give the history to change; another writer waits until this one is done."""
    with FileLock(folder / f"{FOLDER}.lock"):
        yield read_history(folder)


def write_history(folder: Path, history: History) -> None:
    """Write a history; call it within `locked`."""
    (folder / FOLDER).mkdir(exist_ok=True)
    write_json(history, folder / FOLDER / HISTORY)
    needed = {f"{group.version}.rows" for group in history.known}
    for path in (folder / FOLDER).glob("*.rows"):
        if path.name not in needed and time.time() - path.stat().st_mtime > KEPT_SECONDS:
            path.unlink(missing_ok=True)


def _without_unused(history: History) -> History:
    """Drop the groups that no step names."""
    used = sorted({place for step in history.steps for place in step.groups})
    at = {old: new for new, old in enumerate(used)}
    steps = tuple(replace(step, groups=tuple(at[place] for place in step.groups)) for step in history.steps)
    return replace(history, steps=steps, known=tuple(history.known[place] for place in used))


@lru_cache(maxsize=16)
def _read(path: Path, seen: tuple[int, ...]) -> History:  # noqa: ARG001 - a file that was written again is read again
    return read_json(History, path)


def _old(folder: Path) -> dict[str, NDArray[np.int64]]:
    """Read groups as earlier versions wrote them."""
    path = folder / OLD
    return _read_old(path, path.stat().st_mtime_ns) if path.exists() else {}


@lru_cache(maxsize=2)
def _read_old(path: Path, seen: int) -> dict[str, NDArray[np.int64]]:  # noqa: ARG001 - as above
    with np.load(path, allow_pickle=False) as file:
        return {name: np.unique(file[f"rows_{i}"]) for i, name in enumerate(file["names"].tolist())}
