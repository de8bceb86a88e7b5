"""What the process does that waits for runs (`scviz.jobs.warm_pool`): it imports what most of them need."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from typing import IO

import numpy as np

from scviz.datasets.neighbors import map_of_cells
from scviz.jobs.protocol import Orders
from scviz.jobs.warm_pool import PATIENCE_SECONDS, READY
from scviz.memory import forget_peak, held_gb
from scviz.models import MODELS, model_class

PAGE_SECONDS = 5.0
"""So long the processor is left to the page that draws the last result, unless a run comes before."""
IDLE_SECONDS = 2.0
"""Maps are compiled, which takes time and threads, when nobody needs the process for so long."""
MOST_GROWTH_GB = 0.5
"""A process that a run has made larger by more than this does not stay."""


def runs_to_carry_out(orders: Orders, pipe: IO[str]) -> Iterator[str]:
    """Be the process that waits: import, then yield the id of each run that it is given.

    That it can take the next one is said on `pipe`. What is printed goes to the log of the run. The process ends
    when nobody needs it, or after a run for which it was not asked to stay.
    """
    asked = orders.next(PAGE_SECONDS)
    for name in MODELS:
        model_class(name)
    small = held_gb()
    maps = threading.Thread(target=_compile_maps, daemon=True)
    stays = True
    while stays and held_gb() < small + MOST_GROWTH_GB:
        pipe.write(READY.decode())
        pipe.flush()
        asked = asked or orders.next(IDLE_SECONDS)
        if asked is None:
            if maps.ident is None:
                maps.start()
            asked = orders.next(PATIENCE_SECONDS)
        if asked is None:
            return
        _print_to(asked["log"])
        forget_peak()
        run, stays, asked = str(asked["run"]), asked["stays"], None
        yield run
        gc.collect()


def _print_to(log: str) -> None:
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.dup2(file, 2)
    os.dup2(file, 1)
    os.close(file)


def _compile_maps() -> None:
    """Have the code of UMAP compiled, which takes longer than most maps."""
    vectors = np.random.default_rng(0).normal(size=(64, 8)).astype(np.float32)
    map_of_cells(vectors, np.ones(64, dtype=bool), n_neighbors=15, min_dist=0.5, seed=0)
