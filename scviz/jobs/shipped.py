"""Finished runs that come with the project: a workspace that has the demo cells gets them, once for each user.

`assets/demo/<name>/` holds the folder of a run as its task left it, and `made.json`. Each user gets copies, so that
nobody loses what somebody else deletes; what a user has deleted does not come back.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from filelock import FileLock

import scviz
from scviz.settings import ROOT
from scviz.tasks import front, question_id
from scviz.workspace import Workspace
from scviz.workspace.database import Database, Run
from scviz.workspace.names import without_owner
from scviz.workspace.people import LOCAL, claim, person_of
from scviz.workspace.plain_json import parse_plain, read_plain
from scviz.workspace.records import fingerprint, from_json, read_json, to_json

SHIPPED = ROOT / "assets" / "demo"
"""A folder for each run."""
ENGINE = "shipped"
"""What a row names as the engine that carried the run out."""
MADE = "made.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """How a run that comes with the project was made; kept in `made.json` beside its files."""

    task: str
    dataset: str
    """Id of the dataset that it is of; it says nothing of others."""
    version: str
    """Version of scviz that made it."""
    stamp: str
    """Hash of its files."""
    created: float
    """Seconds since 1970, like `started` and `ended`."""
    started: float
    ended: float
    note: str = ""
    """What the run has told its user, a line each."""
    equal: dict[str, str] = field(default_factory=dict)
    """Files that are left out since `assets` has them: path in the run -> path in `assets`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a user got of a run that comes with the project."""

    run: str
    """Id of the copy."""
    stamp: str
    version: str
    """Version of scviz for which its question was written down last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Who gets copies, and where they go."""

    workspace: Workspace
    database: Database
    owner: str = LOCAL
    source: Path = SHIPPED

    @property
    def record(self) -> Path:
        """File that says what this user got, whether it is still there or not."""
        return self.workspace.home / "shipped" / f"{fingerprint(self.owner)}.json"

    def name_of(self, name: str, made: Made) -> str:
        """Return the id of this user's copy."""
        whose = "" if self.owner == LOCAL else f"-{fingerprint(self.owner)[:8]}"
        return f"demo-{name}-{made.stamp[:8]}{whose}"


def how_made(run: Run) -> str:
    """Say that a run came with the project, and how it was made; empty for the others."""
    return run.note.splitlines()[0] if run.engine == ENGINE else ""


def shipped_runs(source: Path = SHIPPED) -> dict[str, Made]:
    """Read which runs come with the project, by name, the one made first first."""
    found = {path.parent.name: read_json(Made, path) for path in source.glob(f"*/{MADE}")}
    return dict(sorted(found.items(), key=lambda item: item[1].created))


def take_in(shelf: Shelf) -> None:
    """Give a user the runs that come with the project, as far as their dataset is open here.

    What the user has had already, and kept or deleted, is left alone, but for two things: of another version of scviz
    the question of a copy is written down anew, so that it still answers, and a copy gives way to what was made anew.
    """
    here = {without_owner(info.id): info.id for info in shelf.workspace.datasets() if info.demo}
    offered = {name: made for name, made in shipped_runs(shelf.source).items() if made.dataset in here}
    if not offered:
        return
    shelf.record.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(shelf.record.with_suffix(".lock")):  # two servers, or two tabs
        had = _read(shelf.record)
        ids = here | {placeholder(name): shelf.name_of(name, made) for name, made in offered.items()}
        for name, made in offered.items():
            if _is_new(had.get(name), made):
                _settle(name, made, shelf, had=had.get(name), ids=ids)
                had[name] = Taken(run=ids[placeholder(name)], stamp=made.stamp, version=scviz.__version__)
                _write(had, shelf.record)


def _is_new(had: Taken | None, made: Made) -> bool:
    return had is None or (had.stamp, had.version) != (made.stamp, scviz.__version__)


def _settle(name: str, made: Made, shelf: Shelf, *, had: Taken | None, ids: Mapping[str, str]) -> None:
    """Add a copy, or bring the one that is there up to date."""
    run = _row(name, made, shelf, ids=ids)
    if had is not None and had.stamp == made.stamp:
        shelf.database.update(had.run, fingerprint=run.fingerprint)
        return
    if had is not None:
        if not shelf.database.delete(had.run):
            return  # its user has deleted it
        shutil.rmtree(shelf.workspace.run_folder(had.run), ignore_errors=True)
    if shelf.database.runs(["done"], shelf.owner, fingerprint=run.fingerprint):
        return  # answered here already
    _copy(name, made, shelf, ids=ids)
    shelf.database.add(run)


def _row(name: str, made: Made, shelf: Shelf, *, ids: Mapping[str, str]) -> Run:
    """Write the row of a copy."""
    task = front(made.task)
    text = _own_ids((shelf.source / name / "request.json").read_text("utf-8"), ids)
    asked = parse_plain(text, name=f"{name}/request.json")
    request = to_json(from_json(task.Request, asked["request"]))
    day = datetime.fromtimestamp(made.ended).strftime("%d %b %Y")
    return Run(
        id=ids[placeholder(name)],
        task=made.task,
        title=task.TITLE,
        request=request,
        fingerprint=question_id(made.task, request),
        owner=shelf.owner,
        state="done",
        fraction=1.0,
        note="\n".join(
            [f"Came with scviz: made with scviz {made.version} on {day}.", *made.note.splitlines()]
        ),
        created=made.created,
        started=made.started,
        ended=made.ended,
        engine=ENGINE,
    )


def _copy(name: str, made: Made, shelf: Shelf, *, ids: Mapping[str, str]) -> None:
    """Copy the files; readers see all of them or none."""
    folder = shelf.workspace.run_folder(ids[placeholder(name)])
    draft = folder.with_name(f".{folder.name}.{uuid4().hex}")
    shutil.copytree(shelf.source / name, draft, ignore=shutil.ignore_patterns(MADE))
    claim(person_of(shelf.workspace.home, shelf.owner), draft)
    for path, asset in made.equal.items():
        shutil.copyfile(ROOT / "assets" / asset, draft / path)
    for text in draft.rglob("*.json"):
        text.write_text(_own_ids(text.read_text("utf-8"), ids), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)  # of a try that was broken off
    draft.replace(folder)


def _own_ids(text: str, ids: Mapping[str, str]) -> str:
    """Put the ids of a user's copies where the runs of the project name each other and their dataset."""
    for name, own in ids.items():
        text = text.replace(name, own)
    return text


def placeholder(name: str) -> str:
    """Return what stands for the id of a run that comes with the project in the files of another one.

    Examples
    --------
    >>> placeholder("map")
    '{run map}'
    """
    return f"{{run {name}}}"


def _read(record: Path) -> dict[str, Taken]:
    if not record.exists():
        return {}
    return {name: from_json(Taken, one) for name, one in read_plain(record).items()}


def _write(taken: Mapping[str, Taken], record: Path) -> None:
    draft = record.with_suffix(".draft")
    draft.write_text(json.dumps({name: to_json(one) for name, one in taken.items()}, indent=1), "utf-8")
    draft.replace(record)
