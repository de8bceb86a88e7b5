"""What the queue asks of a Dask scheduler: which runs it has, what its workers offer, and to go on without us."""

# mypy: untyped-calls-exclude=distributed

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scviz.jobs.lines import HEAVY, SHORT
from scviz.jobs.signs import NOT_BEGUN, RESTARTED
from scviz.jobs.supervisor import CUT_OFF, WORKER_ENDED

if TYPE_CHECKING:
    from distributed import Client

    from scviz.workspace.database import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a scheduler has: nothing, where there is none."""

    scheduler: str = ""
    keys: frozenset[str] = frozenset()
    at_work: frozenset[str] = frozenset()
    workers: int = 1
    """How many it could give a run to."""


def known_to(client: Client) -> Known:
    """Ask which keys a scheduler has, and which of them its workers have been given.

    A run that has failed inside Dask, as one whose worker ended before it could begin, is none it has.
    """
    at_work = (key for keys in client.processing().values() for key in keys)
    keys = client.run_on_scheduler(
        lambda dask_scheduler: [key for key, task in dask_scheduler.tasks.items() if task.state != "erred"]
    )
    return Known(
        scheduler=client.scheduler_info()["id"],
        keys=frozenset(keys),
        at_work=frozenset(at_work),
        workers=len(workers_of(client)),
    )


def loss_of(run: Run, key: str, here: Known, *, on_cluster: bool) -> str:
    """Say why nobody works on a run any more, or will; empty where somebody does."""
    if run.engine and run.engine != here.scheduler:
        return RESTARTED
    if run.engine and key in (here.at_work if run.state == "running" else here.keys):
        return ""
    if run.state != "running":
        return NOT_BEGUN
    return CUT_OFF if on_cluster else WORKER_ENDED


def workers_of(client: Client) -> dict[str, dict[str, Any]]:
    """Describe each worker, by its address.

    The scheduler is asked itself: what a client remembers of it is overwritten every two seconds, and then names no
    worker, so that a run would be handed in as one that takes none of their places.
    """
    scheduler: Any = client.scheduler
    found: dict[str, dict[str, Any]] = client.sync(scheduler.identity, n_workers=-1)["workers"]
    return found


def resources_of(client: Client, line: str) -> dict[str, float] | None:
    """Tell what a run of a line takes of a worker; None for nothing, as on a cluster, whose workers offer nothing.

    An engine that an earlier version has started knows heavy runs alone.
    """
    offered = {name for worker in workers_of(client).values() for name in worker["resources"]}
    if line in offered:
        return {line: 1}
    return {HEAVY: 1} if line == SHORT and HEAVY in offered else None


def make_independent(client: Client, key: str, *, is_open: Callable[[], bool], seconds: float) -> None:
    """Have the scheduler go on with a run without this process.

    This is what `fire_and_forget` does, but that one returns before anything is sent: the run of a program that
    ends right after handing in would be dropped.

    Parameters
    ----------
    key
        Name of the run in Dask.
    is_open
        Tells whether it has not ended already.
    seconds
        How long the scheduler may take to know it.
    """
    deadline = time.monotonic() + seconds
    while key not in client.who_has() and time.monotonic() < deadline:
        if not is_open():
            return
        time.sleep(0.01)
    client.run_on_scheduler(
        lambda dask_scheduler: dask_scheduler.client_desires_keys([key], "fire-and-forget")
    )
