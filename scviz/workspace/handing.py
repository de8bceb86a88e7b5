"""Hand what one person has over to another: what was made before a login was switched on, or by somebody who leaves.

Nothing is copied and no id changes: what lies beside a thing names another owner, and so does the row of a run. Each
thing is a step of its own, and whoever is cut off does the same again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from scviz.errors import JobError, NotAllowedError, RequestError, ScvizError
from scviz.workspace.audit import note
from scviz.workspace.database import OPEN, Database, Run
from scviz.workspace.dependents import Kind, dependent_runs, folder_of, name_of
from scviz.workspace.people import MACHINE, PEOPLE, VISITORS, Person, hand_to, owner_of, person_of
from scviz.workspace.records import readable
from scviz.workspace.store import Workspace

SHELVES: dict[Kind, str] = {
    "dataset": "datasets/*",
    "checkpoint": "checkpoints/*/*",
    "terms": "terms/*",
    "reference": "references/*",
    "upload": "uploads/*",
}
"""Where things lie that have an owner, besides runs."""
MOST_RUNS = 1_000_000
MOST_NAMED = 10
THE_MACHINE = "machine"
"""Who is meant by this name: whoever started the server before anybody had to log in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A thing that somebody has."""

    kind: Kind
    id: str
    name: str


def find_person(home: Path, text: str) -> Person:
    """Find who is meant by a text.

    Parameters
    ----------
    text
        `machine`; a verified address or `code:…` of somebody who has logged in; or an issuer and a subject with a blank
        between, whether she has logged in yet or not.

    Raises
    ------
    RequestError
        If nobody is meant, or several people are.
    """
    word = text.strip()
    if word == THE_MACHINE:
        return MACHINE
    issuer, _, subject = word.partition(" ")
    if "://" in issuer and subject.strip():
        person = Person(issuer=issuer, subject=subject.strip())
        known = person_of(home, person.id)
        return known if known.issuer else person
    people = _known(home)
    found = [one for one in people if word and word.casefold() in (one.email, f"code:{one.id}")]
    if len(found) != 1:
        raise _not_one(word, found, people)
    return found[0]


def _known(home: Path) -> list[Person]:
    """List who has logged in."""
    people = readable(Person, (home / PEOPLE).glob("*.json"))
    return [one for one in people if one.issuer != VISITORS]


def _not_one(word: str, found: Sequence[Person], people: Sequence[Person]) -> RequestError:
    """Say that a word means nobody, or several people."""
    if found:
        ways = ", ".join(f"code:{one.id} ({one.issuer})" for one in found)
        return RequestError(f"Several people log in as {word}: {ways}.", hint="Name one by the code.")
    names = sorted(one.email or f"code:{one.id}" for one in people)
    listed = f"Have logged in: {', '.join(names[:MOST_NAMED])}." if names else "Nobody has logged in yet."
    return RequestError(
        f"Nobody known here is called {word!r}.",
        hint=f"Give `{THE_MACHINE}`, an address, code:CODE, or 'ISSUER SUBJECT'. {listed}",
    )


def things_of(workspace: Workspace, database: Database, owner: str) -> list[Held]:
    """List all that a person has, by her id; the cells of the demo and finished examples of it are left out."""
    demo = {info.id for info in workspace.datasets() if info.demo}
    found = []
    for kind, pattern in SHELVES.items():
        shelf, _, within = pattern.partition("/")
        for folder in sorted((workspace.home / shelf).glob(within)):
            identifier = str(folder.relative_to(workspace.home / shelf))
            if _is_kept(folder) and owner_of(folder) == owner and identifier not in demo:
                found.append(Held(kind=kind, id=identifier, name=_name(workspace, kind, identifier)))
    runs = database.runs(owner=owner, limit=MOST_RUNS)
    return [*found, *(_of_run(run) for run in reversed(runs) if run.request.get("dataset") not in demo)]


def thing_of(workspace: Workspace, database: Database, *, kind: Kind, identifier: str) -> list[Held]:
    """Return one thing, and the runs of its owner that cannot be shown without it.

    Raises
    ------
    DataError, CheckpointError, JobError
        If there is no such thing, or it comes with scviz.
    """
    folder = folder_of(workspace, kind, identifier)
    runs = database.runs(limit=MOST_RUNS)
    if kind == "run":
        first, owner = _of_run(database.get(identifier)), database.get(identifier).owner
    else:
        first, owner = (
            Held(kind=kind, id=identifier, name=_name(workspace, kind, identifier)),
            owner_of(folder),
        )
    needing = dependent_runs(kind, identifier, runs, folder=folder)
    return [first, *(_of_run(run) for run in needing if run.owner == owner)]


def hand_over(
    workspace: Workspace, database: Database, things: Sequence[Held], *, to: Person, by: Person = MACHINE
) -> None:
    """Make things another person's; each is noted in the audit log. With whom they are shared stays as it is.

    Parameters
    ----------
    by
        Who does it: the owner of the server.

    Raises
    ------
    NotAllowedError
        If somebody else asks, or they are to be a visitor's.
    JobError
        If one is a run that has not ended.
    """
    if by.role != "owner":
        raise NotAllowedError(
            "Only the owner of the server hands over what people have.", hint="Ask her, or share it."
        )
    if to.issuer == VISITORS:
        raise NotAllowedError(
            "A visitor of a demo server keeps nothing.", hint="Choose somebody who logs in."
        )
    _refuse_open(database, things)
    for one in things:
        before = _hand(workspace, database, one, to=to)
        note(workspace.home, by, "transfer", kind=one.kind, thing=one.id, owner=before, to=to.id)


def _hand(workspace: Workspace, database: Database, thing: Held, *, to: Person) -> str:
    """Make a thing somebody's; returns whose it was."""
    folder = folder_of(workspace, thing.kind, thing.id)
    before = database.get(thing.id).owner if thing.kind == "run" else owner_of(folder)
    if folder.is_dir():  # that of a run may be gone
        hand_to(to, folder)
    if thing.kind == "run":
        database.update(thing.id, owner=to.id)
    return before


def _refuse_open(database: Database, things: Iterable[Held]) -> None:
    at_work = {run.id for run in database.runs(OPEN, limit=MOST_RUNS)}
    names = sorted({one.name for one in things if one.kind == "run" and one.id in at_work})
    if names:
        raise JobError(
            f"Nothing was handed over: {', '.join(names)} has not ended.", hint="Stop it, or wait."
        )


def _of_run(run: Run) -> Held:
    return Held(kind="run", id=run.id, name=run.title or run.task)


def _name(workspace: Workspace, kind: Kind, identifier: str) -> str:
    """Return what a thing is called; its id where its record is missing or damaged: it is handed over all the same."""
    try:
        return name_of(workspace, kind, identifier)
    except (OSError, ValueError, KeyError, ScvizError):
        return identifier


def _is_kept(folder: Path) -> bool:
    """Tell a thing from a draft or a file."""
    return folder.is_dir() and not folder.name.startswith(".")
