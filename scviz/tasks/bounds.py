"""What looking into a file may cost, by its size: a small file that unpacks to much is refused, not believed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scviz.memory import GIGABYTE, Room
from scviz.settings import Settings
from scviz.tasks import front
from scviz.workspace.sizes import in_words, size_of

LEAST_GB, PER_BYTE = 2.0, 40
"""Memory for any file, and bytes of it for each byte of a larger one."""
LEAST_SECONDS, BYTES_A_SECOND = 600, 10_000_000
"""Time for any file, and how fast a larger one must be looked through at least."""
LEAST_UNPACKED, MOST_RATIO = GIGABYTE, 300
"""Bytes that any file may unpack to, and how many for each byte of a larger one: tables of zeros reach 200."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The most that a run may take."""

    size: int
    """Bytes of the file."""
    gigabytes: float
    seconds: int


def bounds_of_file(path: Path) -> Bounds:
    """Tell what looking into a file or folder may take.

    Examples
    --------
    >>> bounds_of_file(Path("nothing"))
    Bounds(size=0, gigabytes=2.0, seconds=600)
    """
    size = size_of(path)
    return Bounds(
        size=size,
        gigabytes=max(LEAST_GB, PER_BYTE * size / GIGABYTE),
        seconds=LEAST_SECONDS + size // BYTES_A_SECOND,
    )


def bounds_of(task: str, request: Any) -> Bounds | None:
    """Return what a run may take; None for one that has the time and the memory of the server."""
    bounds: Callable[[Any], Bounds | None] = getattr(front(task), "bounds", lambda _: None)
    return bounds(request)


def tightened(allowed: Room, bounds: Bounds | None) -> Room:
    """Return the memory that a run may use where it is bounded."""
    if bounds is None or bounds.gigabytes >= allowed.gigabytes:
        return allowed
    return Room(
        gigabytes=bounds.gigabytes,
        why=f"that is what looking into {in_words(bounds.size)} may take",
        hint="The file unpacks to far more than it is. Write it anew, or ask the owner of the server to look at it.",
    )


def unpack_limit(path: Path) -> int:
    """Return the bytes that a file may unpack to: by its size, and never more than the owner of the server allows."""
    most = int(Settings.from_env().unpack_gb * GIGABYTE)
    return min(most, max(LEAST_UNPACKED, MOST_RATIO * size_of(path)))
