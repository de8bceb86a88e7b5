"""How much memory there is, how much was used, and whether it ran out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

GIGABYTE = 10**9
SHARE_OF_FREE = 0.9
"""What a run may take of the memory that is free."""
FLOOR_GB, SMALL_FLOOR_GB = 1.0, 0.3
"""Least memory with which a run begins: one that needs a model or a map, and any other."""
NEAR = 0.85
"""From this share of its limit on, a process that fails without a reason has most likely run out of memory."""
WORDS = (
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "out of memory",
    "memory allocation",
    "bad_alloc",
    "memoryerror",
)
"""What libraries say when memory runs out, in small letters."""
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
    said = isinstance(error, RuntimeError | OSError) and says_out_of_memory(str(error))
    return said or isinstance(error, MemoryError)


def says_out_of_memory(text: str) -> bool:
    """Tell whether a text, such as the end of a log, says that memory ran out.

    Examples
    --------
    >>> says_out_of_memory("terminate called after throwing an instance of 'std::bad_alloc'")
    True
    """
    text = text.lower()
    return any(part in text for part in WORDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """The memory that a run may use."""

    gigabytes: float
    why: str
    """What bounds it, the end of a sentence."""
    hint: str = ""
    """What to do where it is not enough; empty for what helps in general."""


def room(setting_gb: float = 0.0, proc: Path = PROC, cgroups: Path = CGROUPS) -> Room:
    """Find the memory that a run may use: the least of the machine, the container, the process and the setting.

    Parameters
    ----------
    setting_gb
        What the owner of the server allows, in GB; 0 for what there is.
    proc, cgroups
        As `available_gb` takes them.
    """
    import psutil

    free = psutil.virtual_memory().available / GIGABYTE * SHARE_OF_FREE
    found = [Room(gigabytes=free, why="that is what this machine has free")]
    for left in _left_by_groups(proc, cgroups):
        found.append(
            Room(gigabytes=max(0, left) / GIGABYTE * SHARE_OF_FREE, why="that is what its container has left")
        )
    if LIMIT_AT_START:
        found.append(
            Room(
                gigabytes=LIMIT_AT_START / GIGABYTE, why="that is the limit of processes here, as ulimit says"
            )
        )
    if setting_gb:
        found.append(Room(gigabytes=setting_gb, why="that is what SCVIZ_MEMORY_GB allows"))
    return min(found, key=lambda one: one.gigabytes)


def limit_memory(gigabytes: float) -> None:
    """Let an allocation fail in this process before the machine runs out of memory.

    Nothing happens where the system has no such limit.
    """
    if sys.platform != "linux":
        return
    import resource

    limit, hard = int(gigabytes * GIGABYTE), resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(resource.RLIMIT_DATA, (limit if hard < 0 else min(limit, hard), hard))


def is_near_limit(gigabytes: float) -> bool:
    """Tell whether this process has taken nearly as much as it may."""
    taken = [peak_gb()]
    with suppress(OSError, ValueError, IndexError):
        status = (PROC / "self" / "status").read_text(encoding="ascii")
        taken.append(int(status.split("VmData:")[1].split()[0]) * 1024 / GIGABYTE)
    return max(taken) >= NEAR * gigabytes


def killed_for_memory(proc: Path = PROC, cgroups: Path = CGROUPS) -> int:
    """Count the processes that the system has ended, here or in any container, because memory ran out."""
    counts = []
    for path in [
        *(
            folder / name
            for folder in _groups(proc, cgroups)
            for name in ("memory.events", "memory.oom_control")
        ),
        proc / "vmstat",
    ]:
        with suppress(OSError, ValueError):
            lines = path.read_text(encoding="ascii").splitlines()
            counts += [int(line.split()[1]) for line in lines if line.startswith("oom_kill ")]
    return sum(counts)


def _limit_at_start() -> int:
    """Return the bytes that this process may take as it was started; 0 where there is no limit."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    soft = [resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_DATA, resource.RLIMIT_AS)]
    return min((one for one in soft if one >= 0), default=0)


LIMIT_AT_START = _limit_at_start()
"""Known before a run limits itself further."""


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

    free = [int(psutil.virtual_memory().available), *_left_by_groups(proc, cgroups)]
    return max(0, min(free)) / GIGABYTE


def _left_by_groups(proc: Path, cgroups: Path) -> list[int]:
    """Return the bytes that each group of this process which has a limit may still take."""
    left = []
    for folder in _groups(proc, cgroups):
        with suppress(OSError, ValueError):  # "max" is no number: no limit
            left.append(_left(folder))
    return left


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
    if told := _told_by_linux():
        return told / GIGABYTE
    try:
        import resource
    except ImportError:  # Windows
        import psutil

        return float(psutil.Process().memory_info().peak_wset) / GIGABYTE
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / GIGABYTE if sys.platform == "darwin" else peak * 1024 / GIGABYTE


def _told_by_linux() -> int:
    """Return the peak in bytes, 0 where the system does not tell; `ru_maxrss` counts what the parent held, too."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def held_gb() -> float:
    """Return the memory that this process holds now, in GB."""
    import psutil

    return float(psutil.Process().memory_info().rss) / GIGABYTE


def forget_peak() -> None:
    """Have `peak_gb` count from now on, where the system can (Linux)."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
