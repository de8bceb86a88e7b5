"""Bytes of a file that may be compressed, some at a time, and never more than allowed."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import tempfile
import weakref
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from scviz.errors import UnreadableFileError, UnsafeFileError

GZIP = b"\x1f\x8b"
OPENERS = ((GZIP, gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\x00", lzma.open))
"""How a compressed file begins, and what unpacks it."""
PIECE = 1 << 24
"""Bytes that are unpacked at once."""
DAMAGED = (EOFError, zlib.error, lzma.LZMAError, OSError)
"""What unpacking says of a file that is cut off or damaged."""


def pieces(path: Path, limit: int, *, size: int = PIECE) -> Iterator[bytes]:
    """Give the content of a file, unpacked when it is compressed by gzip, bzip2 or xz.

    Parameters
    ----------
    path
        A file that its user may open.
    limit
        Bytes that it may unpack to.
    size
        Bytes of a piece, at most.

    Raises
    ------
    UnreadableFileError
        If it cannot be read, or is cut off or damaged.
    UnsafeFileError
        If it unpacks to more than the limit.
    """
    total = 0
    with damage_of(path.name), unpacked(path) as file:
        while piece := file.read(size):
            total += len(piece)
            if total > limit:
                raise too_much(path.name, limit)
            yield piece


def first_bytes(path: Path, size: int = 4096) -> bytes:
    """Return how a file begins once it is unpacked; empty when nothing can be unpacked."""
    try:
        with unpacked(path) as file:
            return file.read(size)
    except DAMAGED:
        return b""


def too_much(name: str, limit: int) -> UnsafeFileError:
    """Return the error for a file that unpacks to more than it may."""
    return UnsafeFileError(
        f"{name} unpacks to more than {limit / 1e9:,.3g} GB.",
        hint="Keep fewer cells or genes, or open it unpacked; the limits are SCVIZ_UNPACK_GB and 300 times its size.",
    )


@contextmanager
def damage_of(name: str) -> Iterator[None]:
    """Turn what unpacking says of a damaged file into a sentence for its user.

    Raises
    ------
    UnreadableFileError
        If the file is cut off, damaged or cannot be read.
    """
    try:
        yield
    except DAMAGED as error:
        cut = isinstance(error, EOFError) or "end-of-stream" in str(error)
        raise UnreadableFileError(
            f"{name} is cut off: its end is missing." if cut else f"{name} is damaged: {error}.",
            hint="Copy or download it again, and compare its size with the original.",
        ) from error


def unpacked(path: Path) -> IO[bytes]:
    """Open a file for reading, through gzip, bzip2 or xz when it begins like these."""
    with path.open("rb") as file:
        start = file.read(8)
    for magic, opener in OPENERS:
        if start.startswith(magic):
            return cast(IO[bytes], opener(path, "rb"))
    return path.open("rb")


def scratch_of(owner: object) -> Path:
    """Make a folder for temporary files that goes when its owner does."""
    folder = Path(tempfile.mkdtemp(prefix="scviz-"))
    weakref.finalize(owner, shutil.rmtree, folder, ignore_errors=True)
    return folder
