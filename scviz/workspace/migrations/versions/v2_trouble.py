"""What holds a run up gets a column, and questions are told by the version of their task, not by that of scviz."""

from __future__ import annotations

import sqlalchemy as sql
from alembic import op

from scviz.workspace.records import fingerprint

revision = "v2"
down_revision = "v1"

RELEASED = "0.2.0"
"""The version of scviz whose answers are still those of the first version of every task."""

RUNS = sql.table(
    "runs",
    sql.column("id"),
    sql.column("task"),
    sql.column("request", sql.JSON),
    sql.column("fingerprint"),
)


def upgrade() -> None:
    """Add the column, and write the questions of the last version down anew so that their runs still answer."""
    op.add_column("runs", sql.Column("trouble", sql.Text, nullable=False, server_default=""))
    connection = op.get_bind()
    for row in connection.execute(sql.select(RUNS)).mappings().all():
        if row["fingerprint"] == fingerprint(row["task"], row["request"], RELEASED):
            anew = fingerprint(row["task"], row["request"], 1)
            connection.execute(sql.update(RUNS).where(RUNS.c.id == row["id"]).values(fingerprint=anew))
