"""What is refused in the process of a run, before its task begins: what will take more than there is.

A run that nobody has asked the price of, such as one from the command line, is estimated here where the settings limit
memory or hours.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from scviz.errors import DatabaseError, JobError, ScvizError
from scviz.jobs.course import ESTIMATING
from scviz.jobs.estimates import estimate_of
from scviz.jobs.lines import is_heavy
from scviz.jobs.refusing import refuse_too_large, seconds_left
from scviz.memory import Room
from scviz.progress import Progress
from scviz.settings import Settings
from scviz.tasks import back
from scviz.tasks.context import Context
from scviz.tasks.price import Price
from scviz.workspace.database import Database, Run
from scviz.workspace.limits import Guard, Meter, allowance, limits_of
from scviz.workspace.trash import Trash

PATIENCE_SECONDS = 5.0
"""How long a run that begins waits for what the database knows of it."""


def refuse_at_start(
    task: str, request: Any, context: Context, *, settings: Settings | None, allowed: Room
) -> None:
    """Refuse a heavy run whose process has begun, by its estimate, which is made now if there is none but are limits.

    Parameters
    ----------
    settings
        None where nothing is known of the server.
    allowed
        Memory that its process may use.

    Raises
    ------
    LimitError, OutOfMemoryError
        As `refuse` does.
    """
    if settings is None or not is_heavy(task):
        return
    database = Database.from_settings(settings, as_it_is=True, patience=PATIENCE_SECONDS)
    try:
        row = _row(context.folder.name, database)
        known = estimate_of(row, database, workspace=context.workspace) if row else None
        price = known.price if known else _tried(task, request, context, settings=settings)
        refuse_too_large(price, allowed)
        if row:
            meter = Meter(settings.home, database, Trash(context.workspace, database))
            Guard(settings, meter).before_hours(row.owner, is_heavy, seconds=seconds_left(row, price))
    except DatabaseError:  # away for now, which ends no run
        return
    finally:
        database.close()


def _row(run: str, database: Database) -> Run | None:
    """Read a run; None where the database knows nothing of it, or is away."""
    with suppress(JobError, SQLAlchemyError):
        return database.get(run)
    return None


def _tried(task: str, request: Any, context: Context, *, settings: Settings) -> Price | None:
    """Estimate what a run will take, where there are limits and the task can tell."""
    limits = [limits_of(one) for one in (settings.person_limits, settings.server_limits)]
    price = getattr(back(task), "price", None)
    if price is None or not (allowance(settings) or any(one.hours for one in limits)):
        return None
    context.report(Progress(stage=ESTIMATING))
    with suppress(ScvizError):  # the run will say it itself
        found: Price = price(request, context)
        return found
    return None
