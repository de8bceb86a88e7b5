"""How much memory there is, how much was used, and whether it ran out."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

GIGABYTE = 10**9


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error means that memory ran out, on a GPU or on the CPU.

    Examples
    --------
    >>> is_out_of_memory(MemoryError()), is_out_of_memory(ValueError("shape"))
    (True, False)
    """
    if isinstance(error, MemoryError):
        return True
    text = str(error)
    words = ("can't allocate memory", "not enough memory", "out of memory")
    return isinstance(error, RuntimeError) and any(part in text for part in words)


def available_gb() -> float:
    """Return the memory that new work may still take, in GB."""
    import psutil

    return float(psutil.virtual_memory().available) / GIGABYTE


def peak_gb() -> float:
    """Return the most memory that this process has held so far, in GB."""
    try:
        import resource
    except ImportError:  # Windows
        import psutil

        return float(psutil.Process().memory_info().peak_wset) / GIGABYTE
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / GIGABYTE if sys.platform == "darwin" else peak * 1024 / GIGABYTE


def held_gb() -> float:
    """Return the memory that this process holds now, in GB."""
    import psutil

    return float(psutil.Process().memory_info().rss) / GIGABYTE


def forget_peak() -> None:
    """Have `peak_gb` count from now on, where the system can (Linux)."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
