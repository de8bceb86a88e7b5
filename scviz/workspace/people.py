"""Who people are, whose a thing is, and who may see and change it.

A person is an issuer and a subject, never an address. Beside each thing that somebody owns lies `access.json`: whose
it is and with whom it is shared. Things without it are of whoever started the server, as on a server without a login.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

from filelock import FileLock

from scviz.errors import NotAllowedError, RequestError
from scviz.workspace.plain_json import DamagedFileError
from scviz.workspace.records import ACCESS, fingerprint, read_json, write_json

Role = Literal["viewer", "user", "owner"]
ROLES: tuple[Role, ...] = ("viewer", "user", "owner")
"""From the one who may do least: look at what is shared, work on her own, see and end what others do."""

LOCAL = "local"
"""Whose the things are that the command line or a server without a login made: of the owner of the machine."""
SERVER = "server"
"""Whose the things are that a server with a login has for all, such as published weights from its start."""
VISITORS = "visitors"
"""Who vouches for a browser session of a demo server: nobody; she has no name and shares nothing."""
EVERYONE = "everyone"
"""With whom a thing is shared that all who may log in see."""

PEOPLE, SHARED = "people", "shared"
MARK = 8
"""Letters of a person's id within the names of her things, so that equal files of two people are two things."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who has logged in, or the owner of the machine, who need not."""

    issuer: str = ""
    """Address of who vouches for her."""
    subject: str = ""
    """Her name there, which never changes and is never given to another."""
    name: str = ""
    """What she is called; proves nothing."""
    email: str = ""
    """Her address, if the issuer has verified it, in small letters; else empty."""
    role: Role = "user"

    @property
    def id(self) -> str:
        """The name under which she owns things: a hash of issuer and subject, or LOCAL or SERVER."""
        return fingerprint(self.issuer, self.subject) if self.issuer else (self.subject or LOCAL)

    @property
    def called(self) -> str:
        """What others read of her: her verified address, else her name with the beginning of her id."""
        return self.email or f"{self.name or 'somebody'} ({self.id[:MARK]})"

    @property
    def names(self) -> frozenset[str]:
        """All by which a thing may be shared with her."""
        return frozenset(filter(None, (self.id, self.email, EVERYONE)))


MACHINE = Person(role="owner")
"""Who sits at the machine: the command line, and everybody on a server without a login."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Whose a thing is, and with whom it is shared."""

    owner: str = LOCAL
    """Id of a person."""
    shared: tuple[str, ...] = ()
    """Ids of people, verified addresses, or EVERYONE."""


def access_of(thing: Path) -> Access:
    """Read whose a thing is, by its folder."""
    path = thing / ACCESS
    try:
        seen = path.stat()
    except OSError:
        return Access()
    return _read(path, (seen.st_ino, seen.st_mtime_ns, seen.st_size))


def owner_of(thing: Path) -> str:
    """Return the id of the person whose a thing is, by its folder; LOCAL where nobody says."""
    return access_of(thing).owner


def sees(person: Person, access: Access) -> bool:
    """Tell whether a thing is a person's own or shared with her: what her lists offer."""
    if person.id == access.owner or person.names & set(access.shared):
        return True
    return person.role == "owner" and access.owner in (LOCAL, SERVER)


def may_see(person: Person, thing: Path) -> bool:
    """Tell whether a person may see a thing, by its folder: hers, shared with her, or she owns the server.

    Examples
    --------
    >>> may_see(MACHINE, Path("anything")), may_see(Person(issuer="https://id", subject="7"), Path("anything"))
    (True, False)
    """
    return person.role == "owner" or sees(person, access_of(thing))


def may_change(person: Person, thing: Path) -> bool:
    """Tell whether a person may change, share or delete a thing: hers, or she owns the server."""
    return person.role == "owner" or (person.role == "user" and person.id == owner_of(thing))


def claim(person: Person, thing: Path) -> None:
    """Note that a new thing is a person's; nothing is noted of the owner of the machine."""
    if person.id == SERVER:
        write_json(Access(owner=SERVER, shared=(EVERYONE,)), thing / ACCESS)
    elif person.id != LOCAL:
        write_json(Access(owner=person.id), thing / ACCESS)


def share(person: Person, thing: Path, with_whom: Iterable[str]) -> Access:
    """Share a thing with these and nobody else: ids of people, addresses, EVERYONE; none makes it private again.

    Raises
    ------
    NotAllowedError
        If it is not hers.
    """
    if not may_change(person, thing):
        raise NotAllowedError(
            "Only its owner can share this.", hint="Ask whoever has shared it with you to share it further."
        )
    if person.issuer == VISITORS:
        raise NotAllowedError(
            "Nothing is shared on a demo server.", hint="Install scviz to share with your group."
        )
    with FileLock(thing / f"{ACCESS}.lock"):
        names = tuple(dict.fromkeys(name.casefold() for name in with_whom))
        before = access_of(thing)
        access = replace(before, shared=names)
        write_json(access, thing / ACCESS)
        if thing.parent.name == "runs":
            _list_run(thing, before.shared, names)
    return access


def hand_to(person: Person, thing: Path) -> None:
    """Make a thing a person's, whoever had it; with which others it is shared stays as it is."""
    with FileLock(thing / f"{ACCESS}.lock"):
        before = access_of(thing).shared
        names = tuple(name for name in before if name not in (person.id, person.email))
        write_json(Access(owner=person.id, shared=names), thing / ACCESS)
        if thing.parent.name == "runs":
            _list_run(thing, before, names)


def _list_run(run: Path, before: Iterable[str], now: Iterable[str]) -> None:
    """Have lists of runs name a run, for those with whom it is shared now."""
    home = run.parent.parent
    for name in set(before) - set(now):
        (_index(home, name) / run.name).unlink(missing_ok=True)
    for name in now:
        _index(home, name).mkdir(mode=0o700, parents=True, exist_ok=True)
        (_index(home, name) / run.name).touch()


def names_in(text: str) -> tuple[str, ...]:
    """Read with whom a thing is to be shared: addresses, codes of people, or EVERYONE, with commas between.

    Raises
    ------
    RequestError
        If something is none of these.

    Examples
    --------
    >>> names_in("Ben@Lab.org, everyone")
    ('ben@lab.org', 'everyone')
    """
    found = []
    for one in text.replace(",", " ").split():
        name = one.casefold().removeprefix("code:")
        if name != EVERYONE and not re.fullmatch(r"[^@]+@[^@]+|[0-9a-f]{24}", name):
            raise RequestError(
                f"{one!r} is no address and no code of a person.",
                hint="People find their code under their name on the left of every page.",
            )
        found.append(name)
    return tuple(found)


def in_words(shared: tuple[str, ...]) -> str:
    """Say with whom a thing is shared.

    Examples
    --------
    >>> in_words(()), in_words(("ben@lab.org", EVERYONE))
    ('private', 'shared with ben@lab.org, everybody who may log in')
    """
    known = [
        "everybody who may log in" if one == EVERYONE else one if "@" in one else f"code:{one[:MARK]}…"
        for one in shared
    ]
    return f"shared with {', '.join(known)}" if known else "private"


def shared_runs(home: Path, person: Person) -> list[str]:
    """Name the runs that were shared with a person; some may be gone, or shared no more."""
    folders = [_index(home, name) for name in person.names]
    return sorted({path.name for folder in folders if folder.is_dir() for path in folder.iterdir()})


def _index(home: Path, name: str) -> Path:
    """Return the folder that names, by empty files, the runs that are shared with somebody."""
    return home / SHARED / fingerprint(name)


def mark_of(person: Person) -> str:
    """Return what stands within the names of a person's things; empty for those of the machine and the server.

    Examples
    --------
    >>> mark_of(MACHINE), len(mark_of(Person(issuer="https://id", subject="7")))
    ('', 8)
    """
    return "" if person.id in (LOCAL, SERVER) else fingerprint(person.id)[:MARK]


def remember_person(home: Path, person: Person) -> None:
    """Note who has logged in, so that runs know with whom things are shared."""
    path = _file_of(home, person.id)
    if not path.exists() or read_json(Person, path) != person:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write_json(person, path)


def person_of(home: Path, identifier: str) -> Person:
    """Return who has an id: as she was when she logged in last, or the machine or the server."""
    if identifier == LOCAL:
        return MACHINE
    if identifier == SERVER:
        return Person(subject=SERVER)
    path = _file_of(home, identifier)
    return read_json(Person, path) if path.exists() else Person(subject=identifier)


def _file_of(home: Path, identifier: str) -> Path:
    return home / PEOPLE / f"{fingerprint(identifier)}.json"  # an id of earlier versions may be anything


@lru_cache(maxsize=4096)
def _read(path: Path, seen: tuple[int, ...]) -> Access:  # noqa: ARG001 - a file that was written again is read again
    try:
        return read_json(Access, path)
    except DamagedFileError:  # nobody's, so that its owner alone is kept out, and nobody else let in
        return Access()
