"""What is refused before it begins: what goes beyond a limit, by what is used already and by what it will take.

Here is what the queue does, by the estimate that was made of a request; `scviz.jobs.begun` does the same in the process
of a run.
"""

from __future__ import annotations

from scviz.errors import OutOfMemoryError
from scviz.jobs.endings import LESS_MEMORY
from scviz.jobs.lines import is_heavy
from scviz.jobs.visitors import refuse_too_much
from scviz.memory import Room
from scviz.settings import Settings
from scviz.tasks import pricing
from scviz.tasks.price import Price
from scviz.workspace.database import Database, Run
from scviz.workspace.limits import Guard, allowance, seconds_of


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
    guard.before_run(run.owner, run.task, is_heavy, seconds=seconds_left(run, price))
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
            f"This run needs about {price.gigabytes:.2f} GB of memory, and a run may use {allowed.gigabytes:.2f} GB "
            f"here: {allowed.why}.",
            hint=LESS_MEMORY,
        )


def seconds_left(run: Run, price: Price | None) -> float:
    """Tell what a run will still take, less what its earlier attempts took; 0 where nobody knows."""
    return max(0.0, price.seconds - seconds_of(run)) if price else 0.0
