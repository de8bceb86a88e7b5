"""Undo the packing of pieces of a zarr array, each bounded by what it declares; nothing of Python is restored."""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numcodecs import blosc, lz4
from numcodecs.vlen import VLenBytes, VLenUTF8
from numpy.typing import NDArray

from scviz.errors import UnreadableFileError, UnsafeFileError

SLACK = 1_024


def unpack(
    raw: bytes, codecs: Sequence[Mapping[str, Any]], *, dtype: np.dtype[Any], most: int, n: int
) -> NDArray[Any]:
    """Return the values of a piece, (n,).

    Parameters
    ----------
    raw
        As it lies in the file.
    codecs
        How it was packed, in the order in which that was done.
    dtype
        Of its values; `object` for texts.
    most
        Bytes that it may unpack to.
    n
        How many values it declares.

    Raises
    ------
    UnreadableFileError
        If it is damaged, or packed in a way that is not known.
    UnsafeFileError
        If it unpacks to more than it declares.
    """
    values: bytes | NDArray[Any] = raw
    for codec in reversed(codecs):
        name = str(codec["name"]).removeprefix("numcodecs.")
        settings = codec.get("configuration") or {}
        if name in ("bytes", "endian"):
            continue
        try:
            if name in _TEXTS:
                return _texts(values, name, n)
            if name in _BYTES:
                values = _BYTES[name](bytes(values), most + SLACK)
            elif name in _VALUES:
                values = _VALUES[name](bytes(values), settings, dtype)
            else:
                raise UnreadableFileError(
                    f"The zarr store is packed by {name}, which is not read here.",
                    hint="Write it anew with AnnData: adata.write_h5ad('cells.h5ad').",
                )
        except (
            ValueError,
            RuntimeError,
            OSError,
            EOFError,
            zlib.error,
            lzma.LZMAError,
            struct.error,
        ) as error:
            raise UnreadableFileError(
                f"A piece of the zarr store is damaged ({name}): {error}.", hint="Copy or download it again."
            ) from error
        if len(values) > most + SLACK:
            raise UnsafeFileError("A piece of the zarr store unpacks to more than it declares.")
    return _numbers(bytes(values), dtype, n)


def _numbers(data: bytes, dtype: np.dtype[Any], n: int) -> NDArray[Any]:
    if dtype == np.dtype(object):
        raise UnreadableFileError(
            "The zarr store holds objects of Python, which are not read.",
            hint="Write it anew with AnnData: adata.write_h5ad('cells.h5ad').",
        )
    if len(data) != n * dtype.itemsize:
        raise UnreadableFileError(
            f"A piece of the zarr store is damaged: {len(data):,} bytes for {n:,} values."
        )
    return np.frombuffer(data, dtype=dtype)


def _texts(values: bytes | NDArray[Any], name: str, n: int) -> NDArray[Any]:
    data = bytes(values)
    declared = struct.unpack_from("<I", data)[0]
    if declared != n:
        raise UnsafeFileError(
            f"A piece of the zarr store declares {declared:,} texts, and should have {n:,}."
        )
    found: NDArray[Any] = _TEXTS[name]().decode(data)
    return found


def _deflated(data: bytes, most: int) -> bytes:
    return zlib.decompressobj(wbits=47).decompress(data, most + 1)


def _blosc(data: bytes, most: int) -> bytes:
    if len(data) < 16 or struct.unpack_from("<I", data, 4)[0] > most:
        raise UnsafeFileError("A piece of the zarr store unpacks to more than it declares.")
    if struct.unpack_from("<I", data, 12)[0] != len(data):
        raise ValueError("it is cut off")
    return bytes(blosc.decompress(data))


def _lz4(data: bytes, most: int) -> bytes:
    if struct.unpack_from("<I", data)[0] > most:
        raise UnsafeFileError("A piece of the zarr store unpacks to more than it declares.")
    return bytes(lz4.decompress(data))


def _zstd(data: bytes, most: int) -> bytes:
    stream = pa.CompressedInputStream(pa.BufferReader(data), "zstd")
    return bytes(stream.read(most + 1))


def _shuffled(data: bytes, settings: Mapping[str, Any], dtype: np.dtype[Any]) -> bytes:
    width = int(settings.get("elementsize") or dtype.itemsize)
    values = np.frombuffer(data, dtype=np.uint8)
    return values.reshape(width, -1).T.tobytes()


def _differences(data: bytes, settings: Mapping[str, Any], dtype: np.dtype[Any]) -> bytes:
    stored = np.frombuffer(data, dtype=settings.get("astype") or settings.get("dtype") or dtype)
    return np.cumsum(stored, dtype=settings.get("dtype") or dtype).astype(dtype).tobytes()


_TEXTS: dict[str, Callable[[], Any]] = {"vlen-utf8": VLenUTF8, "vlen-bytes": VLenBytes}
_BYTES: dict[str, Callable[[bytes, int], bytes]] = {
    "zlib": _deflated,
    "gzip": _deflated,
    "bz2": lambda data, most: bz2.BZ2Decompressor().decompress(data, most + 1),
    "lzma": lambda data, most: lzma.LZMADecompressor().decompress(data, most + 1),
    "blosc": _blosc,
    "lz4": _lz4,
    "zstd": _zstd,
    "crc32c": lambda data, _: data[:-4],
    "fletcher32": lambda data, _: data[:-4],
    "crc32": lambda data, _: data[4:],
    "adler32": lambda data, _: data[4:],
}
_VALUES: dict[str, Callable[[bytes, Mapping[str, Any], np.dtype[Any]], bytes]] = {
    "shuffle": _shuffled,
    "delta": _differences,
}
