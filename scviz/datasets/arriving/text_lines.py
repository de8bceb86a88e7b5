"""Lines of a text file that may be compressed, some megabytes at a time."""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from scviz.errors import UnreadableFileError, UnsafeFileError

BLOCK = 8_000_000
"""Bytes that are read at a time."""
LONGEST = 512_000_000
"""Bytes of one line: a header of ten million barcodes."""


def line_blocks(path: Path, limit: int) -> Iterator[list[bytes]]:
    """Give the lines of a file in UTF-8, without their ends; blank lines are left out.

    Parameters
    ----------
    path
        Plain, or compressed by gzip, bzip2 or xz; of Unix, Windows or an old Mac; UTF-8, Latin-1 or UTF-16.
    limit
        Bytes that it may unpack to, at most.

    Raises
    ------
    UnsafeFileError
        If it unpacks to more, or a line has no end.
    UnreadableFileError
        If it is cut off or damaged.
    """
    try:
        with _open(path) as file:
            yield from _blocks(file, limit)
    except (EOFError, OSError, zlib.error, lzma.LZMAError, UnicodeDecodeError) as error:
        raise UnreadableFileError(
            f"{path.name} is cut off or damaged: {error}.",
            hint="Copy or download the file again, and compare its size with the original.",
        ) from error


def _blocks(file: IO[bytes], limit: int) -> Iterator[list[bytes]]:
    rest = b""
    for piece in _pieces(file, limit):
        rest += piece
        if len(rest) > LONGEST:
            raise UnsafeFileError("A line of the table is longer than 500 MB.", hint="Is it a table of text?")
        end = max(rest.rfind(b"\n"), rest.rfind(b"\r", 0, -1))
        if end >= 0:
            block, rest = rest[: end + 1], rest[end + 1 :]
            if b"\r" in block:
                block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            yield [line for line in block.split(b"\n") if line.strip()]
    if rest.strip():
        yield [rest.rstrip(b"\r")]


def _pieces(file: IO[bytes], limit: int) -> Iterator[bytes]:
    """Give the file in UTF-8, without the mark that may stand at its beginning."""
    piece = file.read(BLOCK)
    wide = piece[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    decoder = codecs.getincrementaldecoder("utf-16" if wide else "utf-8")()
    piece = piece.removeprefix(codecs.BOM_UTF8)
    size = 0
    while piece:
        size += len(piece)
        if size > limit:
            raise UnsafeFileError(
                f"This file unpacks to more than {limit / 1e9:,.0f} GB.",
                hint="Keep fewer cells or genes; the limits are SCVIZ_UNPACK_GB and 300 times its size.",
            )
        yield decoder.decode(piece).encode() if wide else piece
        piece = file.read(BLOCK)


def _open(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        start = file.read(6)
    if start.startswith(b"\x1f\x8b"):
        return cast(IO[bytes], gzip.open(path, "rb"))
    if start.startswith(b"BZh"):
        return bz2.open(path, "rb")
    return lzma.open(path, "rb") if start.startswith(b"\xfd7zXZ") else path.open("rb")
