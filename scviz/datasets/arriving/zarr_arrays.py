"""How an array of zarr 2 or 3 is laid out, and the values of its pieces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.arriving.zarr_unpack import unpack
from scviz.errors import UnreadableFileError, UnsafeFileError

TEXT = np.dtype(object)
LARGEST_TEXTS = 1_000_000_000
"""Bytes of the texts of one piece."""
NONE_YET = 2**64 - 1
"""Where a piece of a shard would lie that was not written."""
Fetch = Callable[[str, int, int | None], bytes | None]
"""Gives some bytes of a file: its key, the first byte, how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayPlan:
    """An array with its pieces; those within a shard are its pieces, too."""

    shape: tuple[int, ...]
    piece: tuple[int, ...]
    """Shape of each piece."""
    dtype: np.dtype[Any]
    """`object` for texts of variable length."""
    fill: Any
    """Value where no piece was written."""
    codecs: tuple[dict[str, Any], ...]
    """How a piece was packed, the last one first to be undone."""
    name: Callable[[Sequence[int]], str]
    """Key of a piece, or of a shard, below the key of the array."""
    order: tuple[int, ...]
    """Axes in the order in which they are stored."""
    shard: tuple[int, ...] = ()
    """How many pieces a shard has along each axis; empty without shards."""
    index_first: bool = False
    """Whether the index of a shard stands at its beginning."""
    index_tail: int = 4
    """Bytes after the index: its sum of check."""

    @property
    def width(self) -> int:
        """Bytes of one value; of a text at least."""
        return self.dtype.itemsize

    @property
    def counts(self) -> tuple[int, ...]:
        """How many pieces there are along each axis."""
        return tuple(-(-n // k) for n, k in zip(self.shape, self.piece, strict=True))

    @property
    def piece_bytes(self) -> int:
        """Bytes of a piece when it is unpacked."""
        return prod(self.piece) * self.width

    def values(self, index: tuple[int, ...], key: str, fetch: Fetch) -> NDArray[Any] | None:
        """Return a piece in full size, (k, ...) as `piece`; None where it was not written.

        Raises
        ------
        UnreadableFileError
            If it is damaged, or packed in a way that is not known.
        UnsafeFileError
            If it unpacks to more than it declares.
        """
        raw = (
            self._of_shard(index, key, fetch)
            if self.shard
            else fetch(f"{key}/{self.name(index)}".lstrip("/"), 0, None)
        )
        if raw is None:
            return None
        most = LARGEST_TEXTS if self.dtype == TEXT else self.piece_bytes
        flat = unpack(raw, self.codecs, dtype=self.dtype, most=most, n=prod(self.piece))
        if len(flat) != prod(self.piece):
            raise UnreadableFileError(f"A piece of {key} is damaged: it has {len(flat):,} values.")
        stored = flat.reshape([self.piece[axis] for axis in self.order])
        return stored.transpose(np.argsort(self.order)) if self.order else stored

    def _of_shard(self, index: tuple[int, ...], key: str, fetch: Fetch) -> bytes | None:
        place = [i // n for i, n in zip(index, self.shard, strict=True)]
        within = [i % n for i, n in zip(index, self.shard, strict=True)]
        name = f"{key}/{self.name(place)}".lstrip("/")
        size = 16 * prod(self.shard) + self.index_tail
        table = fetch(name, 0 if self.index_first else -size, size)
        if table is None:
            return None
        if len(table) != size:
            raise UnreadableFileError(f"A shard of {key} is cut off.")
        at = int(np.ravel_multi_index(within, self.shard))
        start, length = np.frombuffer(table, dtype="<u8", count=2, offset=16 * at).tolist()
        if start == length == NONE_YET:
            return None
        if max(start, length) >= 2**62:
            raise UnsafeFileError(f"A shard of {key} points outside itself.")
        return fetch(name, start, length)


def plan_of(found: dict[str, Any], key: str) -> ArrayPlan:
    """Read the description of an array.

    Raises
    ------
    UnreadableFileError
        If it is not understood.
    """
    try:
        return _new(found) if found.get("zarr_format") == 3 else _old(found)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise UnreadableFileError(
            f"The array {key} is described in a way that is not known here: {error}.",
            hint="Write it anew with AnnData: adata.write_h5ad('cells.h5ad').",
        ) from error


def _whole(values: Sequence[Any]) -> tuple[int, ...]:
    numbers = tuple(int(one) for one in values)
    if min(numbers, default=0) < 0:
        raise ValueError(f"its shape is {numbers}")
    return numbers


def _old(found: dict[str, Any]) -> ArrayPlan:
    shape, piece = _whole(found["shape"]), _whole(found["chunks"])
    separator = found.get("dimension_separator") or "."
    filters = [*(found.get("filters") or ()), *([found["compressor"]] if found.get("compressor") else ())]
    kind = found["dtype"]
    dtype = np.dtype(kind if isinstance(kind, str) else [_member(one) for one in kind])
    n = len(shape)
    return ArrayPlan(
        shape=shape,
        piece=tuple(max(one, 1) for one in piece),
        dtype=dtype,
        fill=_fill(found.get("fill_value"), dtype),
        codecs=tuple({"name": one["id"], "configuration": one} for one in filters),
        name=lambda index: separator.join(map(str, index)) if n else "0",
        order=tuple(range(n)) if found.get("order", "C") == "C" else tuple(range(n))[::-1],
    )


def _member(member: Sequence[Any]) -> tuple[Any, ...]:
    name, kind, *shape = member
    return (name, kind if isinstance(kind, str) else [_member(one) for one in kind], *map(tuple, shape))


def _new(found: dict[str, Any]) -> ArrayPlan:
    shape = _whole(found["shape"])
    piece = _whole(_settings(found["chunk_grid"], "regular")["chunk_shape"])
    codecs: list[dict[str, Any]] = [
        {"name": one, "configuration": {}} if isinstance(one, str) else one for one in found["codecs"]
    ]
    shard: tuple[int, ...] = ()
    settings: dict[str, Any] = {}
    if codecs[0]["name"] == "sharding_indexed":
        settings = codecs[0]["configuration"]
        inner = _whole(settings["chunk_shape"])
        shard, piece = tuple(n // k for n, k in zip(piece, inner, strict=True)), inner
        codecs = list(settings["codecs"])
    order = _order(codecs, len(shape))
    dtype = _dtype(found["data_type"])
    big = any(one.get("configuration", {}).get("endian") == "big" for one in codecs)
    return ArrayPlan(
        shape=shape,
        piece=tuple(max(one, 1) for one in piece),
        dtype=dtype.newbyteorder(">") if big else dtype,
        fill=_fill(found.get("fill_value"), dtype),
        codecs=tuple(codecs),
        name=_namer(found.get("chunk_key_encoding", {"name": "default"})),
        order=order,
        shard=shard,
        index_first=settings.get("index_location", "end") == "start",
        index_tail=4 * any(one["name"] == "crc32c" for one in settings.get("index_codecs", ())),
    )


def _settings(found: dict[str, Any], name: str) -> dict[str, Any]:
    if found["name"] != name:
        raise ValueError(f"its grid is {found['name']}")
    settings: dict[str, Any] = found["configuration"]
    return settings


def _order(codecs: list[dict[str, Any]], n: int) -> tuple[int, ...]:
    """Take what turns axes from the codecs; return the axes in the order in which they are stored."""
    order = tuple(range(n))
    while codecs and codecs[0]["name"] == "transpose":
        given = codecs.pop(0)["configuration"]["order"]
        given = {"C": tuple(range(n)), "F": tuple(range(n))[::-1]}[given] if isinstance(given, str) else given
        order = tuple(order[i] for i in given)
    return order


def _namer(keys: dict[str, Any]) -> Callable[[Sequence[int]], str]:
    """Return what names a piece: c/0/1 by default, 0.1 as in zarr 2."""
    default = keys["name"] == "default"
    separator = keys.get("configuration", {}).get("separator", "/" if default else ".")
    start = ["c"] if default else []
    return lambda index: separator.join([*start, *map(str, index)]) or "0"


def _dtype(kind: str | dict[str, Any]) -> np.dtype[Any]:
    if kind in ("string", "variable_length_utf8"):
        return TEXT
    if isinstance(kind, str):
        return np.dtype(kind).newbyteorder("<")
    n = int(kind.get("configuration", {}).get("length_bytes", 0))
    sizes = {
        "fixed_length_utf32": f"<U{n // 4}",
        "null_terminated_bytes": f"S{n}",
        "fixed_length_ascii": f"S{n}",
    }
    return np.dtype(sizes[kind["name"]])


def _fill(value: Any, dtype: np.dtype[Any]) -> Any:
    """Return what stands where nothing was written; 0 and no text where nothing is said."""
    if dtype.kind in "OSUV":
        return value if isinstance(value, str) and dtype.kind in "OU" else ""
    words = {"NaN": np.nan, "Infinity": np.inf, "-Infinity": -np.inf}
    return dtype.type(0 if value is None else words.get(value, value) if isinstance(value, str) else value)
