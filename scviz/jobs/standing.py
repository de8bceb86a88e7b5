"""How a server stands: whether it can take a request, and the numbers that whoever looks after it watches."""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import psutil
from sqlalchemy.exc import SQLAlchemyError

from scviz.errors import ScvizError
from scviz.jobs import engine
from scviz.jobs.lines import places
from scviz.memory import GIGABYTE, available_gb, held_gb
from scviz.settings import Settings
from scviz.workspace.database import OPEN, Database, Run

PATIENCE = 2.0
"""Seconds that the table of runs may take to answer before a server is not ready."""
LEAST_FREE_GB = 0.1
"""On the disk of the workspace; with less, a result may not be written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number that changes, or one for each of a few cases."""

    name: str
    """Without its unit's abbreviation, as Prometheus has it: `scviz_memory_available_bytes`."""
    meaning: str
    values: Mapping[str, float]
    """By the case; a single number stands under the empty one."""
    case: str = ""
    """What the cases differ in, such as the state of a run."""


def not_ready(settings: Settings, database: Database) -> list[str]:
    """Say what keeps a server from taking a request; nothing if it is ready.

    Names no path and no address: whoever reaches the server may read it.
    """
    found = []
    if not os.access(settings.home, os.R_OK | os.W_OK | os.X_OK):
        found.append("The workspace cannot be written.")
    elif _free_gb(settings) < LEAST_FREE_GB:
        found.append("The disk of the workspace is full.")
    try:
        database.within(PATIENCE).runs(limit=1)
    except (SQLAlchemyError, ScvizError, OSError):
        found.append("The table of runs does not answer.")
    return found


def numbers(settings: Settings, database: Database) -> list[Number]:
    """Give the numbers of a server: its runs, its queue, its memory, its disk; nothing of anybody's data."""
    open_runs = database.runs(OPEN, limit=100_000)
    waiting = [run for run in open_runs if run.state == "queued"]
    return [
        Number(
            name="scviz_runs",
            meaning="Runs by state.",
            case="state",
            values={str(state): n for state, n in database.counts().items()},
        ),
        Number(
            name="scviz_runs_waiting",
            meaning="Runs that wait, by the line in which they do.",
            case="line",
            values=_by_line(waiting, settings.workers),
        ),
        _one(
            "scviz_longest_wait_seconds",
            "How long the run that has waited longest has done so.",
            max((time.time() - run.created for run in waiting), default=0.0),
        ),
        _one("scviz_memory_web_bytes", "Memory that the web server holds.", held_gb() * GIGABYTE),
        _one(
            "scviz_memory_engine_bytes", "Memory of this machine's engine and its runs.", _of_engine(settings)
        ),
        _one(
            "scviz_memory_available_bytes", "Memory that new work may still take.", available_gb() * GIGABYTE
        ),
        _one("scviz_disk_free_bytes", "What is free beside the workspace.", _free_gb(settings) * GIGABYTE),
    ]


def _one(name: str, meaning: str, value: float) -> Number:
    return Number(name=name, meaning=meaning, values={"": value})


def _by_line(waiting: Sequence[Run], workers: int) -> dict[str, float]:
    found = Counter(run.line for run in waiting)
    return {line: found[line] for line in places(workers)}


def _free_gb(settings: Settings) -> float:
    return shutil.disk_usage(settings.home).free / GIGABYTE


def _of_engine(settings: Settings) -> float:
    """Return the bytes that the engine and all that it has started hold; 0 where none is there."""
    known = engine.read_engine(settings.home)
    if known is None or not known.is_alive:
        return 0.0
    held = 0
    with suppress(psutil.NoSuchProcess):
        root = psutil.Process(known.pid)
        for process in (root, *root.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                held += process.memory_info().rss
    return float(held)
