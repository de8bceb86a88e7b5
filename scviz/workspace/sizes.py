"""How much of the disk things take."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def size_of(path: Path) -> int:
    """Add up the bytes of a file, or of all files of a folder; links and what is not there count as nothing."""
    total, folders = 0, [path]
    if path.is_file() and not path.is_symlink():
        return path.stat().st_size
    while folders:
        with suppress(OSError), os.scandir(folders.pop()) as entries:  # something may go meanwhile
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))
                elif entry.is_file(follow_symlinks=False):
                    total += entry.stat(follow_symlinks=False).st_size
    return total


def in_words(size: float) -> str:
    """Write a number of bytes.

    Examples
    --------
    >>> in_words(0), in_words(48_213), in_words(3_400_000), in_words(1_250_000_000)
    ('0 KB', '48 KB', '3.4 MB', '1.2 GB')
    """
    for unit, name in ((10**9, "GB"), (10**6, "MB")):
        if size >= unit:
            return f"{size / unit:,.1f} {name}"
    return f"{size / 1000:,.0f} KB"
