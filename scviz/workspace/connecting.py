"""How the database is reached, and how long a writer waits for one that is locked, full, or being restarted."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import sqlalchemy as sql
from sqlalchemy import exc

from scviz.errors import DatabaseError, SettingsError

Answer = TypeVar("Answer")

BUSY_SECONDS = 5.0
"""How long SQLite itself waits for another writer."""
CONNECT_SECONDS = 10
"""How long a server may take to let somebody in."""
LONGEST_PAUSE = 2.0
OFTEN, EVERY = 0.05, 2.0
"""Seconds of the first pause between two tries, and how much longer each next one is."""

DAMAGED = "its file is damaged"
RESTORE = "Put a copy of it from a backup in its place; the folders of runs and datasets are as they were."

REASONS = {
    "locked": "another process keeps it locked",
    "busy": "another process keeps it locked",
    "full": "its disk is full",
    "no space left": "its disk is full",
    "readonly": "it may be read and not written to",
    "unable to open": "its file cannot be opened",
    "i/o error": "its disk reports an error or is full",
    "malformed": DAMAGED,
    "not a database": DAMAGED,
    "password": "it does not accept the name or the password",
    "does not exist": "there is no such database on its server",
    "shutting down": "its server is being restarted",
    "starting up": "its server is being restarted",
    "terminating connection": "its server is being restarted",
    "refused": "its server does not answer",
    "timeout": "its server does not answer",
    "closed": "its server does not answer",
    "resolve": "its server is not known under that name",
}
"""What a part of the words of SQLite or PostgreSQL means to a user."""


def engine_of(url: str) -> sql.Engine:
    """Prepare connections to a database; none is made yet.

    Raises
    ------
    SettingsError
        If the driver for it is not installed.
    """
    server = url.startswith("postgresql")
    wait: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS, "tcp_user_timeout": CONNECT_SECONDS * 1000}
    try:
        engine = sql.create_engine(url, pool_pre_ping=True, connect_args=wait if server else {})
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"The database of runs needs the package {error.name}, which is not installed.",
            hint='Install it with pip install "scviz[postgres]", or leave SCVIZ_DATABASE out.',
        ) from error
    if engine.dialect.name == "sqlite":
        sql.event.listen(engine, "connect", _prepare_sqlite)
    return engine


def patiently(act: Callable[[], Answer], seconds: float) -> Answer:
    """Do something with the database, again and again while it is locked, full or away.

    Parameters
    ----------
    act
        One whole transaction; what was begun of one that fails is taken back.
    seconds
        How long it is tried; 0 for once.

    Raises
    ------
    DatabaseError
        If it did not work for so long.
    """
    deadline, pause = time.monotonic() + seconds, OFTEN
    while True:
        try:
            return act()
        except exc.DBAPIError as error:
            reason, passes = reason_of(error), _may_pass(error)
            if not passes and reason != DAMAGED:
                raise
            if not passes or time.monotonic() + pause > deadline:
                raise DatabaseError(
                    f"The database of runs cannot be used now: {reason}.",
                    hint="Nothing is lost: runs wait for it and go on by themselves." if passes else RESTORE,
                ) from error
        time.sleep(pause)
        pause = min(LONGEST_PAUSE, pause * EVERY)


def reason_of(error: exc.DBAPIError) -> str:
    """Say in a few words what a database suffers from.

    Examples
    --------
    >>> reason_of(exc.OperationalError("", {}, Exception("database is locked")))
    'another process keeps it locked'
    """
    said = str(error.orig)
    meant = (reason for part, reason in REASONS.items() if part in said.lower())
    first = said.splitlines()[0][:200] if said else type(error.orig).__name__
    return next(meant, f"it says {first!r}")


def _may_pass(error: exc.DBAPIError) -> bool:
    """Tell whether the same could work later: a lock, a full disk, a server that is away; a wrong question cannot."""
    kind = isinstance(error, exc.OperationalError | exc.InterfaceError)
    return error.connection_invalidated or (kind and "no such" not in str(error.orig))


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Let many processes read and write: wait for each other, and read beside a writer."""
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000:.0f}")
    if cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()
