"""How many threads a run computes with: one number for a workspace, since sums of other parts round otherwise.

The last bits of a model's numbers differ with it, and a map drawn from them may then look another way.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from scviz.settings import Settings

FILE = "threads.txt"
MOST = 16
"""More threads than these make no run faster."""
VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "LOKY_MAX_CPU_COUNT",
)
"""Where the libraries read it; Dask sets the first three to 1."""


def threads_of(settings: Settings, at_a_time: int) -> int:
    """Return the number of threads of the runs of a workspace: that of the settings, else what its first run found.

    Parameters
    ----------
    at_a_time
        Heavy runs that share the cores of this machine.
    """
    if settings.threads:
        return settings.threads
    file = settings.home / FILE
    known = _read(file)
    if known:
        return known
    found = max(1, min(MOST, n_cores() // at_a_time))
    try:
        with file.open("x", encoding="ascii") as new:  # of two servers, the first one says
            new.write(str(found))
    except OSError:
        return _read(file) or found
    return found


def _read(file: Path) -> int:
    try:
        text = file.read_text(encoding="ascii")[:10].strip()
    except (OSError, ValueError):
        return 0
    return int(text) if text.isdecimal() else 0


def n_cores() -> int:
    """Return how many processor cores this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
