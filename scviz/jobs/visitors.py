"""Visitors of a demo server (`SCVIZ_DEMO`): each sees the examples and her own things, and leaves nothing behind.

A visitor is a browser session. What she uploads, opens and asks is hers alone, lasts an hour, and is gone when the
server starts again. Nothing is fetched from the network for her, and nothing of hers can be shared.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from scviz.errors import NotAllowedError, ScvizError
from scviz.settings import Settings
from scviz.workspace.database import OPEN, Database, Run
from scviz.workspace.people import LOCAL, PEOPLE, SERVER, VISITORS, Person, owner_of

LASTS_SECONDS = 3600.0
LONGEST_RUN_SECONDS = 600.0
LOOK_SECONDS = 60.0
AT_A_TIME = 2
"""Runs of one visitor."""
AN_HOUR = 40
"""Runs of one visitor; estimates not counted."""
ALL_AT_A_TIME = 16
"""Runs of all visitors."""
NOT_COUNTED = ("pricing", "checking")
NOT_OFFERED = frozenset(
    {"fetching", "public_screen", "gene_terms", "known_links", "downloading", "importing"}
)
"""Tasks that reach into the network or take weights in."""
SHELVES = ("datasets/*", "checkpoints/*/*", "terms/*", "references/*", "uploads/*", "runs/*")
PASSING = ("arrived/*", "trash/*", f"{PEOPLE}/*", "shipped/*")
"""Of nobody by name; on a demo server all of it comes from visitors."""


def visitor(token: str) -> Person:
    """Return who a browser session is.

    Examples
    --------
    >>> visitor("7").role, visitor("7").id == visitor("8").id
    ('user', False)
    """
    return Person(issuer=VISITORS, subject=token, name="visitor")


def refuse_too_much(database: Database, task: str, owner: str) -> None:
    """Refuse what a visitor cannot ask for, or more than she may.

    Raises
    ------
    NotAllowedError
        With the number that is the limit.
    """
    if owner in (LOCAL, SERVER):
        return
    if task in NOT_OFFERED:
        raise NotAllowedError(
            "Nothing is downloaded on a demo server.",
            hint="Use the cells and models that are here, or a small file of yours; or install scviz yourself.",
        )
    if task not in NOT_COUNTED:
        for too_many, said, hint in _limits(database, owner):
            if too_many:
                raise NotAllowedError(said, hint=hint)


def _limits(database: Database, owner: str) -> Iterator[tuple[bool, str, str]]:
    """Tell of each limit whether it is reached, and what is said then."""
    at_work = [run for run in database.runs(OPEN, limit=10_000) if run.task not in NOT_COUNTED]
    yield (
        sum(run.owner == owner for run in at_work) >= AT_A_TIME,
        f"A visitor of a demo server has {AT_A_TIME} runs at a time.",
        "Wait for one, or stop it.",
    )
    yield (
        len(at_work) >= ALL_AT_A_TIME,
        f"This demo server has {ALL_AT_A_TIME} runs at a time.",
        "Try again in a few minutes.",
    )
    own = [run for run in database.runs(owner=owner) if run.task not in NOT_COUNTED]
    yield (
        sum(run.created > time.time() - LASTS_SECONDS for run in own) >= AN_HOUR,
        f"A visitor of a demo server has {AN_HOUR} runs an hour.",
        "Come back later, or install scviz.",
    )


def wipe(settings: Settings, database: Database, *, older_than: float = LASTS_SECONDS) -> int:
    """Delete what visitors have left for longer than some seconds, and stop runs that take too long.

    Returns
    -------
    How many runs and folders went.
    """
    gone = sum(
        _settle(run, settings.home, database, older_than=older_than) for run in database.runs(limit=1_000_000)
    )
    at_work = {run.id for run in database.runs(OPEN, limit=10_000)}
    old = [
        one for one in _left(settings.home) if one.name not in at_work and _age(one, time.time()) > older_than
    ]
    for thing in old:
        shutil.rmtree(thing, ignore_errors=True) if thing.is_dir() else thing.unlink(missing_ok=True)
    return gone + len(old)


def _settle(run: Run, home: Path, database: Database, *, older_than: float) -> bool:
    """Stop a visitor's run that takes too long, delete one that is old; tell whether it went."""
    if run.owner in (LOCAL, SERVER):
        return False
    age = time.time() - run.created
    if run.state in OPEN:
        if age > min(older_than, LONGEST_RUN_SECONDS):
            _stop(database, run.id)
        return False
    folder = home / "runs" / run.id  # copies of finished examples say when the example was made
    went = _age(folder, run.created) > older_than and database.delete(run.id)
    if went:
        shutil.rmtree(folder, ignore_errors=True)
    return went


def keep_wiping(settings: Settings) -> None:
    """Wipe every minute what is older than an hour, for as long as this process lives."""
    threading.Thread(target=_keep_wiping, args=(settings,), daemon=True).start()


def _keep_wiping(settings: Settings) -> None:
    database = Database.from_settings(settings)
    while True:
        time.sleep(LOOK_SECONDS)
        with suppress(ScvizError, SQLAlchemyError, OSError):  # the next look finds it
            wipe(settings, database)


def _stop(database: Database, run: str) -> None:
    if not database.update(run, only_if=["queued"], state="stopped", ended=time.time()):
        database.update(run, only_if=["running"], stop_requested=True)


def _left(home: Path) -> Iterator[Path]:
    """Find what visitors have left."""
    for pattern in SHELVES:
        yield from (thing for thing in home.glob(pattern) if owner_of(thing) not in (LOCAL, SERVER))
    for pattern in PASSING:
        yield from home.glob(pattern)


def _age(thing: Path, otherwise: float) -> float:
    """Tell how long ago a thing was changed last; where it is not there, how long ago another time was."""
    with suppress(OSError):
        otherwise = thing.stat().st_mtime
    return time.time() - otherwise
