"""Groups of cells that a user has circled and named: every change is one step that can be taken back.

Each change returns its step; None where all is as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scviz.errors import RequestError
from scviz.workspace.group_history import (
    Cells,
    Draft,
    Group,
    History,
    Step,
    locked,
    read_history,
    version_of,
    write_history,
)

LONGEST_NAME = 200

How = Literal["add", "take", "keep"]
"""Add cells to a group, take them from it, or keep only those of it."""


def read_groups(folder: Path) -> Mapping[str, NDArray[np.int64]]:
    """Return the named groups of a dataset: name -> (n,) rows of its cells, in the order they were named."""
    return Cells(folder, read_history(folder).groups)


def group_version(rows: NDArray[np.int64]) -> str:
    """Hash the cells of a group, (n,) rows: a name may be given to other cells later."""
    return version_of(rows)


def name_group(
    folder: Path,
    name: str,
    rows: NDArray[np.int64],
    *,
    replace: bool = True,
    by: str = "",
    seen: History | None = None,
) -> Step | None:
    """Give cells, (n,) rows, a name.

    Parameters
    ----------
    replace
        Whether a group of this name gets these cells; otherwise it is an error that there is one.
    by
        Who asks.
    seen
        The groups as the user saw them, here and below: a change of what has changed since is refused.

    Raises
    ------
    RequestError
        If there is no cell, or the name is empty, too long, or taken.
    """
    with locked(folder) as now:
        draft, clean = Draft(folder, now, by), " ".join(name.split())
        name = _free(name, _others(now, [clean]) if replace else now.groups)
        _unchanged(now, seen, [name])
        draft.put(name, _some(rows, f"No cell was selected for “{name}”."))
        return draft.write(f"Named {_told(draft.groups[name])}")


def name_groups(
    folder: Path, named: Mapping[str, NDArray[np.int64]], *, replace: bool = True, by: str = ""
) -> Step | None:
    """Give cells names, (n,) rows each, in one change.

    Parameters
    ----------
    replace
        Whether a group that has such a name gets these cells; otherwise it is an error that there is one.

    Raises
    ------
    RequestError
        If a name has no cell, or is empty, too long, or taken, also where only the case of letters differs.
    """
    with locked(folder) as now:
        draft = Draft(folder, now, by)
        for name, rows in named.items():
            clean = " ".join(name.split())
            others = {one: group for one, group in draft.groups.items() if one != clean or not replace}
            draft.put(_free(name, others), _some(rows, f"No cell was chosen for “{name}”."))
        told = _told(draft.groups[clean]) if len(named) == 1 else f"{len(named)} groups"
        return draft.write(f"Named {told}")


def rename_group(
    folder: Path, name: str, into: str, *, by: str = "", seen: History | None = None
) -> Step | None:
    """Give a group another name.

    Raises
    ------
    RequestError
        If there is no such group, or the name is empty, too long, or taken.
    """
    with locked(folder) as now:
        _there(now, seen, [name])
        draft, into = Draft(folder, now, by), _free(into, _others(now, [name]))
        draft.rename(name, into)
        return draft.write(f"Renamed “{name}” to “{into}”")


def merge_groups(
    folder: Path, names: Sequence[str], into: str, *, by: str = "", seen: History | None = None
) -> Step | None:
    """Make one group of several; a cell in any of them is in it, and it takes the place of the first.

    Raises
    ------
    RequestError
        If there are fewer than two, one is not there, or the name is empty, too long, or taken by another group.
    """
    with locked(folder) as now:
        names = _several(now, seen, names)
        draft, into = Draft(folder, now, by), _free(into, _others(now, names))
        rows = reduce(np.union1d, [draft.cells[name] for name in names])
        for name in names[1:]:
            draft.groups.pop(name)
        draft.put(into, rows, instead=names[0])
        return draft.write(f"Merged {_listed(names)} into {_told(draft.groups[into])}")


def intersect_groups(
    folder: Path, names: Sequence[str], into: str, *, by: str = "", seen: History | None = None
) -> Step | None:
    """Name the cells that are in all of several groups; those stay as they are.

    Raises
    ------
    RequestError
        If there are fewer than two, one is not there, no cell is in all, or the name is empty, too long, or taken.
    """
    with locked(folder) as now:
        names = _several(now, seen, names)
        draft, into = Draft(folder, now, by), _free(into, now.groups)
        rows = reduce(np.intersect1d, [draft.cells[name] for name in names])
        draft.put(into, _some(rows, f"No cell is in all of {_listed(names)}."))
        return draft.write(f"Named the cells shared by {_listed(names)} {_told(draft.groups[into])}")


def change_group(
    folder: Path,
    name: str,
    rows: NDArray[np.int64],
    *,
    how: How,
    by: str = "",
    seen: History | None = None,
) -> Step | None:
    """Change the cells of a group by other cells, (n,) rows.

    Raises
    ------
    RequestError
        If there is no such group, no cell would be left in it, or nothing would change.
    """
    with locked(folder) as now:
        _there(now, seen, [name])
        draft = Draft(folder, now, by)
        before, changed = draft.cells[name], _HOW[how](draft.cells[name], rows)
        if len(changed) == len(before):  # as they only grow, or only shrink
            raise RequestError(f"“{name}” stays as it is: {_SAME[how]}.", hint="Select other cells.")
        draft.put(name, _some(changed, f"No cell would be left in “{name}”."))
        n_changed = abs(len(changed) - len(before))
        return draft.write(f"{_DONE[how].format(cells=_cells(n_changed), name=name)}")


def delete_groups(
    folder: Path, names: Sequence[str], *, by: str = "", seen: History | None = None
) -> Step | None:
    """Drop groups; their cells stay.

    Raises
    ------
    RequestError
        If one of them is not there.
    """
    with locked(folder) as now:
        _there(now, seen, names)
        draft, names = Draft(folder, now, by), list(dict.fromkeys(names))
        told = _listed(names) if len(names) > 1 else _told(draft.groups[names[0]])
        for name in names:
            draft.groups.pop(name)
        return draft.write(f"Deleted {told}")


def copy_groups(folder: Path, groups: Mapping[str, NDArray[np.int64]], *, by: str = "") -> None:
    """Give a dataset groups of another one under their names: (n,) rows each; those that it has stay as they are."""
    with locked(folder) as now:
        draft = Draft(folder, now, by)
        for name, rows in groups.items():
            if name not in now.groups and len(rows):
                draft.put(name, rows)
        draft.write("Took the groups over")


def undo(folder: Path, *, step: Step | None = None) -> str:
    """Take the last change back; returns what it was, empty if there is none.

    Parameters
    ----------
    step
        What is to be taken back: nothing is, if it is not done any more.

    Raises
    ------
    RequestError
        If something else was done since.
    """
    return _go(folder, -1, step)


def redo(folder: Path, *, step: Step | None = None) -> str:
    """Do again what was taken back last; returns what it was, empty if there is none.

    Parameters
    ----------
    step
        What is to be done again: nothing is, if it can be no more.

    Raises
    ------
    RequestError
        If something else is to be done again before.
    """
    return _go(folder, 1, step)


def _go(folder: Path, way: Literal[-1, 1], step: Step | None) -> str:
    with locked(folder) as now:
        here = now.last if way < 0 else now.next
        if here is None or (step is not None and step not in _within_reach(now, way)):
            return ""
        if step is not None and step != here:
            raise _out_of_turn(here, way)
        moved = History(number=now.number + 1, place=now.place + way, steps=now.steps, known=now.known)
        write_history(folder, moved)
        return here.what


def _within_reach(now: History, way: Literal[-1, 1]) -> Sequence[Step]:
    """Return all that can be taken back, or done again, one after the other."""
    return now.steps[1 : now.place + 1] if way < 0 else now.steps[now.place + 1 :]


def _out_of_turn(here: Step, way: Literal[-1, 1]) -> RequestError:
    told = _by_whom(here)
    if way < 0:
        return RequestError(
            f"The groups were changed since, so nothing was taken back. The last change is: {told}.",
            hint="That one is to be taken back first, where it was made; or change the groups by hand.",
        )
    return RequestError(
        f"More was taken back since, so nothing was done again. First comes: {told}.",
        hint="Do that again first, where it was taken back; or change the groups by hand.",
    )


def _by_whom(step: Step) -> str:
    return f"{step.what} ({step.by})" if step.by else step.what


def _unchanged(now: History, seen: History | None, names: Sequence[str]) -> None:
    """Refuse a change of groups that are gone, or not as they were seen."""
    before = now if seen is None else seen
    for name in names:
        if before.groups.get(name) != now.groups.get(name):
            raise _changed(now)


def _changed(now: History) -> RequestError:
    what = f" The last change is: {_by_whom(now.last)}." if now.last else ""
    return RequestError(
        f"The groups were changed elsewhere since this page was drawn, so nothing was done.{what}",
        hint="Look at them as they are now; then press again.",
    )


def _there(now: History, seen: History | None, names: Sequence[str]) -> None:
    """Refuse names of no group, and a change of groups that are not as they were seen."""
    _unchanged(now, seen, names)
    lost = [name for name in names if name not in now.groups]
    if lost:
        raise RequestError(f"There is no group “{lost[0]}”.", hint="Circle and name cells on the map.")


def _several(now: History, seen: History | None, names: Sequence[str]) -> list[str]:
    _there(now, seen, names)
    different = list(dict.fromkeys(names))
    if len(different) < 2:
        raise RequestError("Fewer than two groups were chosen.", hint="Choose two or more.")
    return different


def _free(name: str, groups: Mapping[str, Group]) -> str:
    """Clean a new name; refuse one that is empty, too long, or taken, also where only the case of letters differs."""
    clean = " ".join(name.split())
    if not 1 <= len(clean) <= LONGEST_NAME:
        raise RequestError(
            f"A name of a group must be 1 to {LONGEST_NAME} characters (got {len(clean)}).",
            hint="Type another name.",
        )
    taken = next((one for one in groups if one.casefold() == clean.casefold()), None)
    if taken is not None:
        apart = "" if taken == clean else ", which differs by the case of letters alone"
        raise RequestError(
            f"There is a group “{taken}” already{apart}.",
            hint="Choose another name, or add the cells to that group.",
        )
    return clean


def _others(now: History, names: Sequence[str]) -> Mapping[str, Group]:
    return {name: group for name, group in now.groups.items() if name not in names}


def _some(rows: NDArray[np.int64], otherwise: str) -> NDArray[np.int64]:
    if not len(rows):
        raise RequestError(otherwise, hint="Select other cells.")
    return rows


def _cells(n_cells: int) -> str:
    return f"{n_cells:,} cell{'s' * (n_cells != 1)}"


def _told(group: Group) -> str:
    return f"“{group.name}” ({_cells(group.n_cells)})"


def _listed(names: Sequence[str]) -> str:
    quoted = [f"“{name}”" for name in names]
    return " and ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))


_HOW: Mapping[How, Callable[..., NDArray[np.int64]]] = {
    "add": np.union1d,
    "take": np.setdiff1d,
    "keep": np.intersect1d,
}
_SAME = {
    "add": "it has all of these cells already",
    "take": "it has none of these cells",
    "keep": "all its cells are among these",
}
_DONE = {
    "add": "Added {cells} to “{name}”",
    "take": "Took {cells} from “{name}”",
    "keep": "Took {cells} from “{name}” that were not selected",
}
