"""Writes values as `saveRDS` does, so that tests can make any object of R without R."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csc_matrix

NULL = struct.pack(">i", 254)
HEADER = b"X\n" + struct.pack(">iii", 2, 0x00030400, 0x00020300)
NA = -(2**31)


def symbol(name: str) -> bytes:
    return struct.pack(">i", 1) + _letters(name)


def strings(values: Sequence[str | None], **attributes: bytes) -> bytes:
    return _with(16, struct.pack(">i", len(values)) + b"".join(map(_letters, values)), attributes)


def integers(values: Sequence[int], *, kind: int = 13, **attributes: bytes) -> bytes:
    data = np.asarray(values, dtype=">i4")
    return _with(kind, struct.pack(">i", len(data)) + data.tobytes(), attributes)


def logicals(values: Sequence[int], **attributes: bytes) -> bytes:
    return integers(values, kind=10, **attributes)


def reals(values: Sequence[float], **attributes: bytes) -> bytes:
    data = np.asarray(values, dtype=">f8")
    return _with(14, struct.pack(">i", len(data)) + data.tobytes(), attributes)


def vector(values: Sequence[bytes], **attributes: bytes) -> bytes:
    return _with(19, struct.pack(">i", len(values)) + b"".join(values), attributes)


def named(values: Mapping[str, bytes], **attributes: bytes) -> bytes:
    return vector(list(values.values()), names=strings(list(values)), **attributes)


def s4(name: str, package: str, **slots: bytes) -> bytes:
    kind = strings([name], package=strings([package]))
    return struct.pack(">i", 25 | 0x200 | 0x10100) + pairs({**slots, "class": kind})


def pairs(values: Mapping[str, bytes]) -> bytes:
    return b"".join(struct.pack(">i", 2 | 0x400) + symbol(tag) + one for tag, one in values.items()) + NULL


def factor(codes: Sequence[int], levels: Sequence[str]) -> bytes:
    return integers(codes, levels=strings(levels), **{"class": strings(["factor"])})


def frame(columns: Mapping[str, bytes], rows: Sequence[str]) -> bytes:
    return named(columns, **{"class": strings(["data.frame"]), "row.names": strings(rows)})


def matrix(values: np.ndarray, rows: Sequence[str] = (), columns: Sequence[str] = ()) -> bytes:
    names = vector([strings(rows) if rows else NULL, strings(columns) if columns else NULL])
    return reals(values.ravel(order="F"), dim=integers(values.shape), dimnames=names)


def sparse(values: np.ndarray, rows: Sequence[str] = (), columns: Sequence[str] = ()) -> bytes:
    packed = csc_matrix(values)
    names = vector([strings(rows) if rows else NULL, strings(columns) if columns else NULL])
    slots = {
        "i": integers(packed.indices),
        "p": integers(packed.indptr),
        "Dim": integers(values.shape),
        "Dimnames": names,
        "x": reals(packed.data),
        "factors": vector([]),
    }
    return s4("dgCMatrix", "Matrix", **slots)


def data_frame(columns: Mapping[str, bytes], rows: Sequence[str], n: int) -> bytes:
    slots = {"rownames": strings(rows) if rows else NULL, "nrows": integers([n]), "listData": named(columns)}
    return s4("DFrame", "S4Vectors", **slots)


def save_rds(path: Path, value: bytes) -> Path:
    path.write_bytes(gzip.compress(HEADER + value))
    return path


def save_rdata(path: Path, values: Mapping[str, bytes]) -> Path:
    path.write_bytes(gzip.compress(b"RDX2\n" + HEADER + pairs(values)))
    return path


def _letters(text: str | None) -> bytes:
    if text is None:
        return struct.pack(">ii", 9, -1)
    raw = text.encode()
    return struct.pack(">ii", 9 | 0x8000, len(raw)) + raw


def _with(kind: int, body: bytes, attributes: dict[str, Any]) -> bytes:
    flags = kind | (0x200 if attributes else 0) | (0x100 if "class" in attributes else 0)
    return struct.pack(">i", flags) + body + (pairs(attributes) if attributes else b"")
