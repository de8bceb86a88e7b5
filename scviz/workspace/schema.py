"""The tables of a workspace, and how those of earlier versions are brought up to them.

A new column or table stands here and in a step of its own in `migrations/versions`, whose name becomes HEAD. What is
added has a default, so that an engine of earlier code can finish its runs beside it.
"""

from __future__ import annotations

import threading
from pathlib import Path

import sqlalchemy as sql
from sqlalchemy import JSON, Boolean, Column, Float, Integer, MetaData, String, Table, Text

from scviz.errors import SettingsError

METADATA = MetaData()

RUNS = Table(
    "runs",
    METADATA,
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
    Column("trouble", Text, nullable=False, server_default=""),
    Column("earlier", JSON, nullable=False, server_default="[]"),
)

HEAD = "v3"
"""The step that makes the tables above."""

STEPS = Path(__file__).parent / "migrations"
LOCK = 5_320_117
"""Names the lock in PostgreSQL that lets one process at a time make tables."""

_one_at_a_time = threading.Lock()


def bring_up_to_date(engine: sql.Engine) -> None:
    """Make the tables of a new database, or bring those of an earlier version up to this one.

    All is done or nothing, by one process at a time.

    Raises
    ------
    SettingsError
        If a newer version of scviz wrote them.
    """
    if _step_of(engine) == HEAD:
        return
    with _one_at_a_time, engine.begin() as connection:  # Alembic knows one connection in a process
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(sql.select(sql.func.pg_advisory_xact_lock(LOCK)))
        _carry_out_steps(connection)


def _step_of(engine: sql.Engine) -> str:
    """Read which step a database is at; empty where it knows of none."""
    with engine.connect() as connection:
        return _recorded(connection)


def _recorded(connection: sql.Connection) -> str:
    if not sql.inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.execute(sql.text("SELECT version_num FROM alembic_version")).scalar() or "")


def _carry_out_steps(connection: sql.Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(STEPS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    here = _recorded(connection)
    known = {step.revision for step in ScriptDirectory.from_config(config).walk_revisions()}
    if here and here not in known:
        raise SettingsError(
            f"The workspace was last used with a newer scviz: its tables are {here!r}, this one knows {HEAD!r}.",
            hint="Start that newer version, or name another folder as SCVIZ_HOME. Nothing was changed.",
        )
    command.upgrade(config, "head")
