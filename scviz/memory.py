"""How much memory there is, how much was used, and whether it ran out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

GIGABYTE = 10**9
PROC, CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")
LIMITS = {
    1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_"),
    2: ("memory.max", "memory.current", ""),
}
"""Files of a control group by its version: what it may use, what it uses; how lines of `memory.stat` begin."""


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error means that memory ran out, on a GPU or on the CPU.

    Examples
    --------
    >>> is_out_of_memory(MemoryError()), is_out_of_memory(ValueError("shape"))
    (True, False)
    """
    words = ("can't allocate memory", "cannot allocate memory", "not enough memory", "out of memory")
    text = str(error).lower()
    said = isinstance(error, RuntimeError | OSError) and any(part in text for part in words)
    return said or isinstance(error, MemoryError)


def available_gb(proc: Path = PROC, cgroups: Path = CGROUPS) -> float:
    """Return the memory that new work may still take, in GB: of the machine, or of the container if that is less.

    Parameters
    ----------
    proc
        Where Linux says to which control groups this process belongs.
    cgroups
        Where it keeps what these may use and do use (version 1, version 2, or both).
    """
    import psutil

    free = [int(psutil.virtual_memory().available)]
    for folder in _groups(proc, cgroups):
        with suppress(OSError, ValueError):  # "max" is no number: no limit
            free.append(_left(folder))
    return max(0, min(free)) / GIGABYTE


def _groups(proc: Path, cgroups: Path) -> Iterator[Path]:
    """List the folders of the groups of this process and of all around them, each of which may have a limit."""
    try:
        lines = (proc / "self" / "cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        number, controllers, path = line.split(":", 2)
        if number == "0":
            tops = [cgroups, cgroups / "unified"]  # the second beside version 1
        else:
            tops = [cgroups / "memory"] if "memory" in controllers.split(",") else []
        own = PurePosixPath(path.lstrip("/"))  # a container may see no more than the top
        for top in tops:
            yield from (top / part for part in (own, *own.parents))


def _left(folder: Path) -> int:
    """Return the bytes that a group may still take; the cache of files is given back when memory is short."""
    version_1 = (folder / "memory.limit_in_bytes").exists()
    limit, usage, prefix = LIMITS[1 if version_1 else 2]
    lines = (folder / "memory.stat").read_text(encoding="ascii").splitlines()
    stat = dict(line.split() for line in lines)
    cache = sum(int(stat.get(f"{prefix}{kind}_file", 0)) for kind in ("active", "inactive"))
    allowed, used = (int((folder / name).read_text(encoding="ascii")) for name in (limit, usage))
    return allowed - max(0, used - cache)


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
