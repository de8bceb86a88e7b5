"""Which runs there are and how far they are: one table, read and written by many processes at once."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import sqlalchemy as sql
from sqlalchemy import exc

from scviz.errors import JobError
from scviz.settings import Settings
from scviz.workspace.connecting import engine_of, patiently
from scviz.workspace.schema import RUNS, bring_up_to_date

Answer = TypeVar("Answer")

State = Literal["queued", "running", "done", "failed", "stopped", "lost"]

OPEN: tuple[State, ...] = ("queued", "running")
"""States of a run that has not ended."""

PATIENCE_SECONDS = 15.0
"""How long a page waits for a database that is locked, full or being restarted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run as the database knows it. Times are seconds since 1970; 0 means not yet."""

    id: str
    task: str
    title: str = ""
    request: dict[str, Any] = field(default_factory=dict)
    fingerprint: str = ""
    """Hash of task, request and version of the task; equal questions have equal ones."""
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
    trouble: str = ""
    """What holds it up now, a sentence; empty while nothing does."""
    earlier: list[list[float]] = field(default_factory=list)
    """When each attempt before the present one began and ceased to compute."""


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


class Database:
    """The table of runs.

    Parameters
    ----------
    url
        SQLAlchemy URL. A SQLite file is kept in write-ahead mode, so that readers never wait; it must lie on
        a disk of this machine. When runs compute on other machines, name a server such as PostgreSQL.
    patience
        Seconds for which everything here is tried before it raises a DatabaseError.
    as_it_is
        Take tables as they are, also those that a newer version has added to; for engines of earlier code.
    """

    def __init__(self, url: str, *, patience: float = PATIENCE_SECONDS, as_it_is: bool = False) -> None:
        self.url, self.patience = url, patience
        self._engine = engine_of(url)
        if not as_it_is:
            self._do(lambda: bring_up_to_date(self._engine))

    @classmethod
    def from_settings(
        cls, settings: Settings, *, patience: float = PATIENCE_SECONDS, as_it_is: bool = False
    ) -> Self:
        """Open the database that the settings name, and bring its tables up to date."""
        if settings.database:
            return cls(settings.database, patience=patience, as_it_is=as_it_is)
        settings.make_home()
        return cls(sqlite_url(settings.home / "scviz.db"), patience=patience, as_it_is=as_it_is)

    def within(self, seconds: float) -> Self:
        """Return the same database, used with another patience; 0 tries once."""
        other = copy.copy(self)
        other.patience = seconds
        return other

    def _do(self, act: Callable[[], Answer]) -> Answer:
        return patiently(act, self.patience)

    def _write(self, query: sql.Executable) -> int:
        """Carry a change out and tell how many rows it met."""

        def act() -> int:
            with self._engine.begin() as connection:
                return connection.execute(query).rowcount

        return self._do(act)

    def _read(self, query: sql.Select[Any]) -> list[Run]:
        def act() -> list[Run]:
            with self._engine.connect() as connection:
                return [Run(**row) for row in connection.execute(query).mappings()]

        return self._do(act)

    def add(self, run: Run) -> None:
        """Add a run."""
        try:
            self._write(sql.insert(RUNS).values(dataclasses.asdict(run)))
        except exc.IntegrityError:  # an earlier try has got through, and its answer has not
            if self.get(run.id).created != run.created:
                raise

    def get(self, run: str) -> Run:
        """Read a run.

        Raises
        ------
        JobError
            If there is no such run.
        """
        found = self._read(sql.select(RUNS).where(RUNS.c.id == run))
        if not found:
            raise JobError(
                f"There is no run {run!r} here.", hint="It may have been deleted; see the Runs page."
            )
        return found[0]

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
        return self._read(query)

    def counts(self) -> dict[State, int]:
        """Count the runs in each state that there are any in."""
        query = sql.select(RUNS.c.state, sql.func.count()).group_by(RUNS.c.state).order_by(RUNS.c.state)

        def act() -> dict[State, int]:
            with self._engine.connect() as connection:
                return {row[0]: row[1] for row in connection.execute(query)}

        return self._do(act)

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
        return self._write(query) > 0

    def delete(self, run: str, *, only_if: Sequence[State] | None = None) -> bool:
        """Remove a run, if it is in one of these states; tell whether it was removed."""
        query = sql.delete(RUNS).where(RUNS.c.id == run)
        if only_if is not None:
            query = query.where(RUNS.c.state.in_(only_if))
        return self._write(query) > 0

    def try_to_write(self) -> None:
        """Change nothing, as a writer would.

        Raises
        ------
        DatabaseError
            If nothing can be written for now.
        """
        self._write(sql.update(RUNS).where(RUNS.c.id == "").values(trouble=""))

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def sqlite_url(path: Path) -> str:
    """Return the URL of a SQLite file."""
    return f"sqlite:///{path}"
