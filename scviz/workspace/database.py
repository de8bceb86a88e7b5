"""Which runs there are and how far they are: one table, read and written by many processes at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sql
from sqlalchemy import JSON, Boolean, Column, Float, Integer, MetaData, String, Table, Text
from sqlalchemy.schema import CreateTable

from scviz.errors import JobError, SettingsError
from scviz.settings import Settings

State = Literal["queued", "running", "done", "failed", "stopped", "lost"]

OPEN: tuple[State, ...] = ("queued", "running")
"""States of a run that has not ended."""

BUSY_SECONDS = 30.0
"""How long a writer waits for another one before SQLite gives up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run as the database knows it. Times are seconds since 1970; 0 means not yet."""

    id: str
    task: str
    title: str = ""
    request: dict[str, Any] = field(default_factory=dict)
    fingerprint: str = ""
    """Hash of task, request and version; equal questions have equal ones."""
    owner: str = "local"
    state: State = "queued"
    stage: str = ""
    """What is being done, in words of a biologist."""
    done: int = 0
    """Units finished in this stage."""
    total: int = 0
    """Units of this stage; 0 when unknown."""
    fraction: float = 0.0
    """How much of the present attempt is done over all stages, 0 to 1; it never falls, and 1 is the end."""
    rate: float = 0.0
    """Units per second in this stage, smoothed; 0 when unknown."""
    values: dict[str, float] = field(default_factory=dict)
    """The last live numbers, such as {"loss": 0.41}."""
    note: str = ""
    """Sentences the user should read, a line each."""
    message: str = ""
    """Why the run did not finish, a sentence."""
    hint: str = ""
    """What to do about it, a sentence."""
    created: float = 0.0
    started: float = 0.0
    """When the present attempt began to compute."""
    ended: float = 0.0
    heartbeat: float = 0.0
    """When the run was last known to wait or to work."""
    engine: str = ""
    """Id of the scheduler that has the run; empty until one has it, and a word for runs that came finished."""
    stop_requested: bool = False
    attempt: int = 1
    line: str = ""
    """In which line it waits; empty in runs of earlier versions."""
    place: float = 0.0
    """The smallest of a line comes first."""
    expected: float = 0.0
    """Seconds that it was estimated to take; 0 where nobody asked."""


def time_left(run: Run) -> float | None:
    """Tell how many seconds the present stage still takes; None when that cannot be said.

    Examples
    --------
    >>> time_left(Run(id="a", task="embedding", state="running", done=20, total=100, rate=8.0))
    10.0
    >>> time_left(Run(id="a", task="embedding", state="running")) is None
    True
    """
    if run.state != "running" or run.rate <= 0 or run.total <= 0:
        return None
    return max(0.0, (run.total - run.done) / run.rate)


RUNS = Table(
    "runs",
    MetaData(),
    Column("id", String(64), primary_key=True),
    Column("task", String(120), nullable=False),
    Column("title", Text, nullable=False),
    Column("request", JSON, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("owner", String(255), nullable=False),
    Column("state", String(16), nullable=False),
    Column("stage", Text, nullable=False),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("fraction", Float, nullable=False),
    Column("rate", Float, nullable=False),
    Column("values", JSON, nullable=False),
    Column("note", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("hint", Text, nullable=False),
    Column("created", Float(53), nullable=False),
    Column("started", Float(53), nullable=False),
    Column("ended", Float(53), nullable=False),
    Column("heartbeat", Float(53), nullable=False),
    Column("engine", String(255), nullable=False),
    Column("stop_requested", Boolean, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("line", String(16), nullable=False),
    Column("place", Float(53), nullable=False),
    Column("expected", Float(53), nullable=False),
)

ADDED = {
    "fraction": "FLOAT NOT NULL DEFAULT 0",
    "line": "VARCHAR(16) NOT NULL DEFAULT ''",
    "place": "FLOAT NOT NULL DEFAULT 0",
    "expected": "FLOAT NOT NULL DEFAULT 0",
}
"""Columns that tables made by earlier versions lack, the oldest first."""


class Database:
    """The table of runs.

    Parameters
    ----------
    url
        SQLAlchemy URL. A SQLite file is kept in write-ahead mode, so that readers never wait; it must lie on
        a disk of this machine. When runs compute on other machines, name a server such as PostgreSQL.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            self._engine = sql.create_engine(url, pool_pre_ping=True)
        except ModuleNotFoundError as error:
            raise SettingsError(
                f"The database of runs needs the package {error.name}, which is not installed.",
                hint=f"Install it with pip install {error.name}, or leave SCVIZ_DATABASE out.",
            ) from error
        if self._engine.dialect.name == "sqlite":
            sql.event.listen(self._engine, "connect", _prepare_sqlite)
        with self._engine.begin() as connection:
            connection.execute(CreateTable(RUNS, if_not_exists=True))
        self._add_columns()

    @classmethod
    def from_settings(cls, settings: Settings) -> Database:
        """Open the database that the settings name, and make its table."""
        if settings.database:
            return cls(settings.database)
        settings.make_home()
        return cls(sqlite_url(settings.home / "scviz.db"))

    def _add_columns(self) -> None:
        """Add the columns that tables made by earlier versions lack."""
        there = {column["name"] for column in sql.inspect(self._engine).get_columns(RUNS.name)}
        for name in ADDED.keys() - there:
            with (
                suppress(sql.exc.DBAPIError),
                self._engine.begin() as connection,
            ):  # another process may be first
                connection.execute(sql.text(f"ALTER TABLE runs ADD COLUMN {name} {ADDED[name]}"))
                if name == "fraction":
                    connection.execute(sql.update(RUNS).where(RUNS.c.state == "done").values(fraction=1.0))

    def add(self, run: Run) -> None:
        """Add a run."""
        with self._engine.begin() as connection:
            connection.execute(sql.insert(RUNS).values(dataclasses.asdict(run)))

    def get(self, run: str) -> Run:
        """Read a run.

        Raises
        ------
        JobError
            If there is no such run.
        """
        with self._engine.connect() as connection:
            row = connection.execute(sql.select(RUNS).where(RUNS.c.id == run)).mappings().first()
        if row is None:
            raise JobError(
                f"There is no run {run!r} here.", hint="It may have been deleted; see the Runs page."
            )
        return Run(**row)

    def runs(
        self,
        states: Sequence[State] | None = None,
        owner: str | None = None,
        *,
        fingerprint: str | None = None,
        task: str | None = None,
        limit: int = 200,
    ) -> list[Run]:
        """List runs, newest first.

        Parameters
        ----------
        states
            Only runs in one of these states.
        owner
            Only runs of this user.
        fingerprint
            Only runs that ask this question.
        task
            Only runs of this task.
        limit
            Longest list.
        """
        query = sql.select(RUNS).order_by(RUNS.c.created.desc(), RUNS.c.id).limit(limit)
        if states is not None:
            query = query.where(RUNS.c.state.in_(states))
        if owner is not None:
            query = query.where(RUNS.c.owner == owner)
        if fingerprint is not None:
            query = query.where(RUNS.c.fingerprint == fingerprint)
        if task is not None:
            query = query.where(RUNS.c.task == task)
        with self._engine.connect() as connection:
            return [Run(**row) for row in connection.execute(query).mappings()]

    def update(
        self,
        run: str,
        *,
        only_if: Sequence[State] | None = None,
        only_attempt: int | None = None,
        **changes: Any,
    ) -> bool:
        """Change fields of a run, in one step for all who look on.

        Parameters
        ----------
        run
            Its id.
        only_if
            Change it only while it is in one of these states.
        only_attempt
            Change it only while this attempt is the present one.
        changes
            New values by field name.

        Returns
        -------
        Whether the run was changed.
        """
        query = sql.update(RUNS).where(RUNS.c.id == run).values(**changes)
        if only_if is not None:
            query = query.where(RUNS.c.state.in_(only_if))
        if only_attempt is not None:
            query = query.where(RUNS.c.attempt == only_attempt)
        with self._engine.begin() as connection:
            return connection.execute(query).rowcount > 0

    def delete(self, run: str, *, only_if: Sequence[State] | None = None) -> bool:
        """Remove a run, if it is in one of these states; tell whether it was removed."""
        query = sql.delete(RUNS).where(RUNS.c.id == run)
        if only_if is not None:
            query = query.where(RUNS.c.state.in_(only_if))
        with self._engine.begin() as connection:
            return connection.execute(query).rowcount > 0

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def sqlite_url(path: Path) -> str:
    """Return the URL of a SQLite file."""
    return f"sqlite:///{path}"


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Let many processes read and write: wait for each other, and read beside a writer."""
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000:.0f}")
    if cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()
