"""How the pieces of an HDF5 dataset are packed: by filters that may be missing, or to more than they declare."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import BinaryIO

import h5py

from scviz.errors import UnreadableFileError

NAMES = {
    4: "szip",
    307: "bzip2",
    32000: "lzf",
    32001: "blosc",
    32004: "lz4",
    32008: "bitshuffle",
    32013: "zfp",
    32015: "zstd",
    32017: "SZ",
    32026: "blosc2",
}
"""Filters registered with The HDF Group that writers of matrices use."""
DEFLATE = 1
SUSPECT = 2_000_000
"""Stored bytes of a piece that may unpack to 2 GB; larger ones are looked into."""
SLACK = 65_536
PIECE = 1 << 20


def load_filters() -> None:
    """Make the filters of hdf5plugin known where it is installed; scviz does not need it."""
    if find_spec("hdf5plugin"):
        import_module("hdf5plugin")


def missing_filter(item: h5py.Dataset) -> str:
    """Say what is needed to read a dataset; empty where all its filters are installed."""
    plan = item.id.get_create_plist()
    for code in (plan.get_filter(i)[0] for i in range(plan.get_nfilters())):
        if not h5py.h5z.filter_avail(code):
            name = NAMES.get(code, f"a filter of number {code}")
            need = "which needs hdf5plugin" if code in NAMES else "which is not known here"
            return f"{item.name} is compressed by {name}, {need}"
    return ""


def first_missing_filter(file: h5py.File) -> str:
    """Say the same of the first dataset of a file that cannot be read; empty where all can."""
    found: list[str] = []

    def look(_: str, item: h5py.HLObject) -> bool | None:
        if isinstance(item, h5py.Dataset) and (said := missing_filter(item)):
            found.append(said)
            return True
        return None

    file.visititems(look)
    return found[0] if found else ""


@contextmanager
def opened_part(path: Path, what: str) -> Iterator[h5py.File]:
    """Open an HDF5 file whose parts are then read; what the library says of a damaged one becomes a sentence.

    Parameters
    ----------
    what
        What the file is: "a loom file".

    Raises
    ------
    UnreadableFileError
        If the library fails on what is read within, or a filter is missing.
    """
    try:
        with h5py.File(path, "r") as file:
            try:
                yield file
            except (OSError, RuntimeError) as error:
                raise OSError(first_missing_filter(file) or error) from error
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
        raise UnreadableFileError(
            f"{path.name} is {what}, but a part of it cannot be read: {error}.",
            hint="Copy or download it again, and compare its size with the original.",
        ) from error


def refuse_packed(file: h5py.File) -> None:
    """Refuse a file of which a part is packed in a way that cannot be unpacked here.

    Raises
    ------
    UnreadableFileError
        With the name of what is packed, and of what is missing.
    """
    missing = first_missing_filter(file)
    if missing:
        raise UnreadableFileError(
            f"{missing}.",
            hint="Install hdf5plugin beside scviz (pip install hdf5plugin), or write the file anew packed with gzip.",
        )


def unpacks_beyond(item: h5py.Dataset, file: BinaryIO) -> bool:
    """Tell whether a piece of a dataset is packed so that it may fill the memory.

    The library unpacks a piece to its end, whatever size it should have. A piece is never stored in more bytes than
    it has unpacked, but for some; larger pieces than 2 MB are unpacked to see, and forgotten at once.
    """
    plan = item.id.get_create_plist()
    codes = [plan.get_filter(i)[0] for i in range(plan.get_nfilters())]
    if item.chunks is None or DEFLATE not in codes:
        return False
    if codes.count(DEFLATE) > 1:
        return True
    declared = prod(item.chunks) * max(item.dtype.itemsize, 16 if item.dtype.hasobject else 1)
    suspects: list[tuple[int, int]] = []
    beyond: list[bool] = []

    def look(info: h5py.h5d.StoreInfo) -> bool | None:
        if info.size > declared * 1.1 + SLACK:
            beyond.append(True)
            return True
        if info.size > SUSPECT and not info.filter_mask:
            suspects.append((info.byte_offset, info.size))
        return None

    item.id.chunk_iter(look)
    return bool(beyond) or any(_inflates(file, place, declared + SLACK) for place in suspects)


def _inflates(file: BinaryIO, place: tuple[int, int], most: int) -> bool:
    """Tell whether packed bytes unpack to more than they may."""
    file.seek(place[0])
    engine, left, size = zlib.decompressobj(), place[1], 0
    try:
        while not engine.eof and size <= most:
            packed = engine.unconsumed_tail
            if not packed:
                packed = file.read(min(PIECE, left))
                left -= len(packed)
            if not packed:
                break
            size += len(engine.decompress(packed, PIECE))
    except zlib.error:  # not deflated last, or damaged: reading it says so
        return False
    return size > most
