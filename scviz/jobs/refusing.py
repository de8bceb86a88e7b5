"""What is refused before it begins: what goes beyond a limit, by what is used already and by what it will take.

The queue refuses by the estimate that was made of a request. A run that nobody has asked the price of, such as one from
the command line, is estimated where the settings limit memory or hours, in its own process and before its task begins.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from scviz.errors import DatabaseError, OutOfMemoryError, ScvizError
from scviz.jobs.endings import LESS_MEMORY
from scviz.jobs.estimates import estimate_of
from scviz.jobs.lines import is_heavy
from scviz.jobs.visitors import refuse_too_much
from scviz.memory import Room
from scviz.progress import Progress
from scviz.settings import Settings
from scviz.tasks import back, pricing
from scviz.tasks.context import Context
from scviz.tasks.price import Price
from scviz.workspace.database import Database, Run
from scviz.workspace.limits import Guard, Meter, allowance, limits_of, seconds_of
from scviz.workspace.trash import Trash

PATIENCE_SECONDS = 5.0
"""How long a run that begins waits for what the database knows of it."""


def refuse(
    run: Run, known: pricing.Result | None, *, guard: Guard, settings: Settings, database: Database
) -> None:
    """Refuse a run that is handed in, or handed in again, if it goes beyond what its owner or the server may have.

    Parameters
    ----------
    known
        What it was estimated to take; None where nobody has asked.

    Raises
    ------
    NotAllowedError
        If a visitor of a demo server asks for more than she may.
    LimitError
        If disk, runs or hours are used up, or its hours are more than are left.
    OutOfMemoryError
        If it needs more memory than the settings allow.
    """
    if settings.demo:
        refuse_too_much(database, run.task, run.owner)
    price = known.price if known else None
    guard.before_run(run.owner, run.task, is_heavy, seconds=_seconds_left(run, price))
    if allowed := allowance(settings):
        refuse_too_large(price, allowed)


def refuse_too_large(price: Price | None, allowed: Room) -> None:
    """Refuse a run that needs more memory than it may use.

    Raises
    ------
    OutOfMemoryError
        With both numbers.
    """
    if price is not None and price.gigabytes >= allowed.gigabytes:
        raise OutOfMemoryError(
            f"This run needs about {price.gigabytes:.1f} GB of memory, and a run may use {allowed.gigabytes:.1f} GB "
            f"here: {allowed.why}.",
            hint=LESS_MEMORY,
        )


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
        row = database.get(context.folder.name)
        known = estimate_of(row, database, workspace=context.workspace)
        price = known.price if known else _tried(task, request, context, settings=settings)
        refuse_too_large(price, allowed)
        meter = Meter(settings.home, database, Trash(context.workspace, database))
        Guard(settings, meter).before_hours(row.owner, is_heavy, seconds=_seconds_left(row, price))
    except DatabaseError:  # away for now, which ends no run
        return
    finally:
        database.close()


def _tried(task: str, request: Any, context: Context, *, settings: Settings) -> Price | None:
    """Estimate what a run will take, where there are limits and the task can tell."""
    limits = [limits_of(one) for one in (settings.person_limits, settings.server_limits)]
    price = getattr(back(task), "price", None)
    if price is None or not (allowance(settings) or any(one.hours for one in limits)):
        return None
    context.report(Progress(stage="Estimating time and memory"))
    with suppress(ScvizError):  # the run will say it itself
        found: Price = price(request, context)
        return found
    return None


def _seconds_left(run: Run, price: Price | None) -> float:
    """Tell what a run will still take, less what its earlier attempts took; 0 where nobody knows."""
    return max(0.0, price.seconds - seconds_of(run)) if price else 0.0
