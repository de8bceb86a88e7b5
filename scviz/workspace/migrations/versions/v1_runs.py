"""The table of runs as it was before there were steps; tables made earlier still get what they lack."""

from __future__ import annotations

import sqlalchemy as sql
from alembic import op

revision = "v1"
down_revision = None

LATER = ("fraction", "line", "place", "expected")
"""Columns that the first tables lack."""


def upgrade() -> None:
    """Make the table, or add the columns that it lacks."""
    connection = op.get_bind()
    if not sql.inspect(connection).has_table("runs"):
        op.create_table("runs", *_columns())
        return
    there = {column["name"] for column in sql.inspect(connection).get_columns("runs")}
    for column in _columns():
        if column.name in LATER and column.name not in there:
            column.server_default = sql.DefaultClause("" if column.name == "line" else "0")
            op.add_column("runs", column)
            if column.name == "fraction":
                connection.execute(sql.text("UPDATE runs SET fraction = 1 WHERE state = 'done'"))


def _columns() -> list[sql.Column[object]]:
    """List the columns as they were."""
    kinds: dict[str, object] = {
        "id": sql.String(64),
        "task": sql.String(120),
        "title": sql.Text,
        "request": sql.JSON,
        "fingerprint": sql.String(64),
        "owner": sql.String(255),
        "state": sql.String(16),
        "stage": sql.Text,
        "done": sql.Integer,
        "total": sql.Integer,
        "fraction": sql.Float,
        "rate": sql.Float,
        "values": sql.JSON,
        "note": sql.Text,
        "message": sql.Text,
        "hint": sql.Text,
        "created": sql.Float(53),
        "started": sql.Float(53),
        "ended": sql.Float(53),
        "heartbeat": sql.Float(53),
        "engine": sql.String(255),
        "stop_requested": sql.Boolean,
        "attempt": sql.Integer,
        "line": sql.String(16),
        "place": sql.Float(53),
        "expected": sql.Float(53),
    }
    return [
        sql.Column(name, kind, nullable=False, primary_key=name == "id")  # type: ignore[arg-type]
        for name, kind in kinds.items()
    ]
