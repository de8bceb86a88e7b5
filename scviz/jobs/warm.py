"""What the process does that waits for a run (`scviz.jobs.spare`): it imports what most runs need."""

from __future__ import annotations

import json
import os
import threading
from typing import IO

import numpy as np

from scviz.datasets.neighbors import map_of_cells
from scviz.jobs.spare import PATIENCE_SECONDS, READY
from scviz.models import MODELS, model_class

SETTLING_SECONDS = 2.0
"""What takes both time and threads is left to a process that nobody needs at once."""


def wait_for_a_run(pipe: IO[str]) -> str:
    """Be the process that waits: import, say so on `pipe`, then return the id of the run that it is given.

    What is printed from then on goes to the log of the run. The process ends when nobody needs it.
    """
    timer = threading.Timer(PATIENCE_SECONDS, os._exit, (0,))
    timer.daemon = True
    timer.start()
    for name in MODELS:
        model_class(name)
    pipe.write(READY.decode())
    pipe.flush()
    given = threading.Event()
    threading.Thread(target=_compile_maps, args=(given,), daemon=True).start()
    line = b""
    while not line.endswith(b"\n"):
        part = os.read(0, 1)  # what follows is for the run itself
        if not part:
            os._exit(0)
        line += part
    timer.cancel()
    given.set()
    asked = json.loads(line)
    log = os.open(asked["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.dup2(log, 2)
    os.dup2(log, 1)
    os.close(log)
    return str(asked["run"])


def _compile_maps(given: threading.Event) -> None:
    """Have the code of UMAP compiled, which takes longer than most maps, if no run comes at once."""
    if given.wait(SETTLING_SECONDS):
        return
    vectors = np.random.default_rng(0).normal(size=(64, 8)).astype(np.float32)
    map_of_cells(vectors, np.ones(64, dtype=bool), n_neighbors=15, min_dist=0.5, seed=0)
