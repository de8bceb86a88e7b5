"""When the earlier attempts of a run were at work gets a column: their hours count."""

from __future__ import annotations

import sqlalchemy as sql
from alembic import op

revision = "v3"
down_revision = "v2"


def upgrade() -> None:
    """Add the column; of attempts before it nothing is known."""
    op.add_column("runs", sql.Column("earlier", sql.JSON, nullable=False, server_default="[]"))
