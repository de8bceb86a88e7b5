"""A disk that is full, read only or gone: what is said of it, and how long a run waits until there is room again."""

from __future__ import annotations

import errno
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from scviz.jobs.endings import ended
from scviz.memory import GIGABYTE

PATIENCE_SECONDS = 1800.0
"""How long a run waits for room, over all its pauses, before it fails."""
TRY_SECONDS = 60.0
"""A paused run is tried again after so long in any case: some disks say nothing of a quota."""
ENOUGH = 16 * 2**20
"""Bytes that must have become free for a run to be tried again at once."""
LITTLE = 2**20
"""Fewer free bytes than these are a full disk."""

FULL = (errno.ENOSPC, errno.EDQUOT)
SAID_FULL = (
    "no space left",
    "quota exceeded",
    "disk is full",
    "os error 28",
    "file write failed",  # torch
)
LESS_WRITTEN = re.compile(r"\d+ requested and \d+ written")
"""What numpy says of it."""
CLOSED = {
    errno.EROFS: "it is read only",
    errno.EACCES: "it may not be written to",
    errno.EPERM: "it may not be written to",
    errno.EIO: "its disk reports an error",
    errno.ESTALE: "its disk is away",
    errno.ENOTCONN: "its disk is away",
    errno.ENXIO: "its disk is away",
}
PAUSED: Literal["paused"] = "paused"
"""How a child ends for which there is no room; no run is ever in this state."""
WAITS = "The run waits, and goes on by itself when there is room."
MAKE_ROOM = "Make room; what is finished is kept, and Resume goes on from there."


def is_full(error: BaseException) -> bool:
    """Tell whether an error, or one behind it, means that there is no room on the disk.

    Examples
    --------
    >>> is_full(OSError(errno.ENOSPC, "No space left on device")), is_full(OSError(errno.ENOENT, "No such file"))
    (True, False)
    """
    return any(_says_full(one) for one in _chain(error))


def _says_full(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in FULL:
        return True
    said = str(error).lower()
    return any(part in said for part in SAID_FULL) or bool(LESS_WRITTEN.search(said))


def is_filled(folder: Path) -> bool:
    """Tell whether there is next to no room on the disk of a folder."""
    return free_bytes(folder) < LITTLE


def free_bytes(folder: Path) -> int:
    """Return the room on the disk of a folder; 0 where that cannot be said."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0


def full_in_words(folder: Path) -> str:
    """Say that a disk is full."""
    return f"The disk of the workspace is full: {free_bytes(folder) / GIGABYTE:.2f} GB are free."


def closed_in_words(error: BaseException, folder: Path) -> str:
    """Say why a folder of the workspace cannot be written to; empty for other errors."""
    for one in _chain(error):
        if isinstance(one, OSError) and one.errno in CLOSED:
            return f"The workspace cannot be used now: {CLOSED[one.errno]}."
        if isinstance(one, FileNotFoundError) and not folder.exists():
            return "The folder of the run is gone: it, or the workspace, was moved or removed."
    return ""


def ending_of(error: BaseException, folder: Path) -> dict[str, Any]:
    """Return the changes that end, or pause, a run whose files cannot be written."""
    if is_full(error):
        return ended(PAUSED, full_in_words(folder))
    words = closed_in_words(error, folder) or f"The folder of the run cannot be used: {error}."
    return ended("failed", words, "When it can be used again, press Resume.")


class Room:
    """Waits for room on a disk, for one run.

    Parameters
    ----------
    folder
        Of the run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._left = folder, PATIENCE_SECONDS
        self._free, self._since = 0, 0.0

    def begin(self) -> None:
        """Take note that there is none."""
        self._free, self._since = free_bytes(self._folder), time.monotonic()

    def may_try(self) -> bool:
        """Tell whether a paused run may be tried again: there is more room, or some time is over."""
        waited = time.monotonic() - self._since
        if free_bytes(self._folder) < self._free + ENOUGH and waited < TRY_SECONDS:
            return False
        self._left -= waited
        return True

    @property
    def is_over(self) -> bool:
        """Whether the run has waited for long enough."""
        return time.monotonic() - self._since > self._left


def _chain(error: BaseException) -> Iterator[BaseException]:
    one: BaseException | None = error
    while one is not None:
        yield one
        one = one.__cause__ or one.__context__
