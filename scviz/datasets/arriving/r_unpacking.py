"""Files of R as they lie on disk: unpacked into a temporary file once, which bounds what they may unpack to."""

from __future__ import annotations

import bz2
import gzip
import lzma
import mmap
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from scviz.errors import UnreadableFileError, UnsafeFileError
from scviz.progress import Progress, Report

PIECE = 1 << 20
_OPENERS: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
}


def unpacked(path: Path, limit: int, report: Report) -> mmap.mmap:
    """Return the bytes of a file that may be compressed by gzip, bzip2 or xz, as they lie on disk.

    Raises
    ------
    UnsafeFileError
        If it unpacks to more than the limit.
    UnreadableFileError
        If it is cut off, empty, or the disk is full.
    """
    try:
        with path.open("rb") as file:
            start = file.read(6)
            opener = next((one for magic, one in _OPENERS.items() if start.startswith(magic)), None)
            if opener is None:
                return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        with tempfile.TemporaryFile() as room:
            with opener(path, "rb") as packed:
                _pour(packed, room, limit=limit, report=report)
            return mmap.mmap(room.fileno(), 0, access=mmap.ACCESS_READ)
    except (EOFError, OSError, zlib.error, lzma.LZMAError, ValueError) as error:
        raise UnreadableFileError(
            f"{path.name} cannot be unpacked: {error}.",
            hint="Copy or download the file again, and compare its size with the original.",
        ) from error


def _pour(packed: IO[bytes], room: IO[bytes], *, limit: int, report: Report) -> None:
    size = 0
    while piece := packed.read(PIECE):
        size += len(piece)
        if size > limit:
            raise UnsafeFileError(
                f"This file unpacks to more than {limit / 1e9:,.0f} GB.",
                hint="Keep fewer cells or genes; the limits are SCVIZ_UNPACK_GB and 300 times its size.",
            )
        room.write(piece)
        if size % (64 * PIECE) == 0:
            report(Progress(stage=f"Unpacking the file ({size / 1e9:.1f} GB so far)"))
    room.flush()
