"""How much texts and lists of an HDF5 file unpack to: counted from their declared lengths, none is read.

A text of variable length is stored as a reference to a heap, with its length beside it. Nothing keeps a file from
letting a thousand references point to one long text, so that a few megabytes unpack to gigabytes. HDF5 itself never
writes such a file, and heaps are never compressed: texts that are longer together than their file share their place.

References
----------
HDF5 File Format Specification 3.0, "Global Heap" and "Data Object Headers".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod
from typing import BinaryIO

import h5py
import numpy as np
from numpy.typing import NDArray

REFERENCE = 16
"""Bytes of a reference to a heap: a length, an address, a number."""
LONGEST_FILL = 64
"""Letters of a text that stands where none was written."""
LARGEST_PIECE = 16_000_000
"""Texts that are stored in one piece."""
ATTRIBUTE, CONTINUED = 0x0C, 0x10
"""Messages of an object header."""
PIECE = 1 << 20
"""References that are read at a time."""


class UncountableError(Exception):
    """Texts are stored in a way in which their lengths cannot be known without reading them."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where references lie within one value of a type, as it is in the file."""

    size: int
    """Bytes of the value."""
    at: tuple[tuple[int, int], ...] = ()
    """For each reference: where it begins, and the bytes of one unit of its length."""


def places_of(kind: h5py.h5t.TypeID) -> Places:
    """Find the references within a type.

    Raises
    ------
    UncountableError
        If lists lie within lists.
    """
    if isinstance(kind, h5py.h5t.TypeStringID) and kind.is_variable_str():
        return Places(REFERENCE, ((0, 1),))
    if isinstance(kind, h5py.h5t.TypeVlenID):
        inner = places_of(kind.get_super())
        if inner.at:
            raise UncountableError("lists within lists")
        return Places(REFERENCE, ((0, inner.size),))
    if isinstance(kind, h5py.h5t.TypeArrayID):
        return _array(kind)
    if isinstance(kind, h5py.h5t.TypeCompoundID):
        return _compound(kind)
    return Places(kind.get_size())


def dataset_bytes(item: h5py.Dataset, file: BinaryIO) -> int:
    """Return the bytes of all texts and lists of a dataset; 0 where it has none, or cannot be read anyway.

    Raises
    ------
    UncountableError
        If they cannot be counted.
    """
    places = places_of(item.id.get_type())
    plan = item.id.get_create_plist()
    if not places.at or not _readable(plan):
        return 0
    if plan.fill_value_defined() == h5py.h5d.FILL_VALUE_USER_DEFINED and _fill_size(item) > LONGEST_FILL:
        raise UncountableError("a long text stands where none was written")
    if plan.get_layout() == h5py.h5d.COMPACT:
        raise UncountableError("texts in the header of a dataset")
    if item.chunks and prod(item.chunks) > LARGEST_PIECE:
        raise UncountableError("pieces of too many texts")
    raw = _of_chunks(item, plan, places.size) if item.chunks else _of_stretch(item, file, places.size)
    return sum(_declared(block, places) for block in raw)


@dataclass(slots=True)
class AttributeBytes:
    """Reads the lengths of texts in attributes from the headers of objects."""

    file: BinaryIO
    base: int = 0
    """Where HDF5 begins in the file, and its addresses count from."""
    seen: dict[int, dict[bytes, tuple[int, int]]] = field(default_factory=dict)

    def count(self, item: h5py.HLObject, address: int, name: str) -> int | None:
        """Return the bytes of the texts and lists of an attribute; None where they are not in the header.

        Raises
        ------
        UncountableError
            If it holds lists within lists.
        """
        attribute = item.attrs.get_id(name)
        places = places_of(attribute.get_type())
        if not places.at:
            return 0
        if address not in self.seen:
            self.seen = {address: dict(self._attributes(address))}  # one object at a time
        found = self.seen[address].get(name.encode())
        size = places.size * prod(attribute.shape)
        if found is None or found[1] < size:
            return None
        self.file.seek(found[0])
        return _declared(self.file.read(size), places)

    def _attributes(self, address: int) -> Iterator[tuple[bytes, tuple[int, int]]]:
        """Give the place and size of the values of each attribute in a header, by name."""
        for kind, start, size in _messages(self.file, address, self.base):
            if kind != ATTRIBUTE or size < 9:
                continue
            self.file.seek(start)
            body = self.file.read(size)
            version, _, n_name, n_type, n_space = struct.unpack_from("<BBHHH", body)
            at = 9 if version == 3 else 8
            name = body[at : at + n_name].split(b"\0")[0]
            sizes = [-(-n // 8) * 8 if version == 1 else n for n in (n_name, n_type, n_space)]
            values = at + sum(sizes)
            yield name, (start + values, size - values)


def _array(kind: h5py.h5t.TypeArrayID) -> Places:
    inner, n = places_of(kind.get_super()), prod(kind.get_array_dims())
    if inner.at and n > PIECE:
        raise UncountableError("an array of texts in each value")
    at = [(i * inner.size + start, unit) for i in range(n if inner.at else 0) for start, unit in inner.at]
    return Places(n * inner.size, tuple(at))


def _compound(kind: h5py.h5t.TypeCompoundID) -> Places:
    """Find the references of a record: each takes 16 bytes in the file and 8 in memory, which moves what follows."""
    members = sorted((kind.get_member_offset(i), i) for i in range(kind.get_nmembers()))
    moved, at = 0, []
    for offset, i in members:
        member = kind.get_member_type(i)
        inner = places_of(member)
        at += [(offset + moved + start, unit) for start, unit in inner.at]
        moved += inner.size - member.get_size()
    return Places(kind.get_size() + moved, tuple(at))


def _declared(raw: bytes | NDArray[np.uint8], places: Places) -> int:
    """Add up the lengths that references declare."""
    values = np.frombuffer(raw, dtype=np.uint8)
    values = values[: len(values) // places.size * places.size].reshape(-1, places.size)
    total = 0
    for start, unit in places.at:
        lengths = np.ascontiguousarray(values[:, start : start + 4]).view("<u4")
        total += int(lengths.sum(dtype=np.uint64)) * unit
    return total


def _of_stretch(item: h5py.Dataset, file: BinaryIO, width: int) -> Iterator[bytes]:
    """Give the references of a dataset that lies in one stretch."""
    start, left = item.id.get_offset(), int(item.size or 0) * width
    if start is None:  # nothing was written
        return
    if item.id.get_storage_size() != left:
        raise UncountableError("values of an unexpected size")
    file.seek(start)
    step = PIECE * width
    while left > 0:
        raw = file.read(min(step, left))
        if not raw:
            return
        left -= len(raw)
        yield raw


def _of_chunks(item: h5py.Dataset, plan: h5py.h5p.PropDCID, width: int) -> Iterator[NDArray[np.uint8]]:
    """Give the references of a dataset in pieces, unpacked as plain bytes in a file in memory."""
    offsets: list[tuple[int, ...]] = []
    item.id.chunk_iter(lambda info: offsets.append(info.chunk_offset))
    with h5py.File("references", "w", driver="core", backing_store=False) as room:
        copies: dict[int, h5py.Dataset] = {}
        for offset in offsets:
            skipped, raw = item.id.read_direct_chunk(offset)
            if skipped not in copies:
                copies[skipped] = _empty_copy(room, item, plan, skipped=skipped, width=width)
            copies[skipped].id.write_direct_chunk((0,) * item.ndim, raw)
            yield copies[skipped][()].reshape(-1).view(np.uint8)


def _empty_copy(
    room: h5py.File, item: h5py.Dataset, plan: h5py.h5p.PropDCID, *, skipped: int, width: int
) -> h5py.Dataset:
    """Make room for one piece of a dataset as plain bytes, packed by its filters but for those it skipped."""
    own = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    own.set_chunk(item.chunks)
    for i in range(plan.get_nfilters()):
        code, flags, values, _ = plan.get_filter(i)
        if not skipped >> i & 1:
            own.set_filter(code, flags, values)
    kind, space = h5py.h5t.py_create(np.dtype(f"V{width}")), h5py.h5s.create_simple(item.chunks)
    return h5py.Dataset(h5py.h5d.create(room.id, f"skip {skipped}".encode(), kind, space, own))


def _readable(plan: h5py.h5p.PropDCID) -> bool:
    return all(h5py.h5z.filter_avail(plan.get_filter(i)[0]) for i in range(plan.get_nfilters()))


def _fill_size(item: h5py.Dataset) -> int:
    fill = item.fillvalue
    return len(fill) if isinstance(fill, str | bytes) else LONGEST_FILL + 1 if item.dtype.names else 0


def _messages(file: BinaryIO, address: int, base: int) -> Iterator[tuple[int, int, int]]:
    """Give the kind, place and size of each message of an object header."""
    address += base
    file.seek(address)
    start = file.read(32)
    new = start[:4] == b"OHDR"
    if new:
        flags = start[5]
        at = 6 + 16 * bool(flags & 0x20) + 4 * bool(flags & 0x10)
        width = 1 << (flags & 3)
        size = int.from_bytes(start[at : at + width], "little")
        blocks = [(address + at + width, size)]
        head, skip = (6 if flags & 0x04 else 4), 4
    else:
        blocks = [(address + 16, struct.unpack_from("<I", start, 8)[0])]
        head, skip = 8, 0
    n_blocks = 0
    while blocks and n_blocks < 1_000:
        first, size = blocks.pop()
        n_blocks += 1
        file.seek(first)
        body = file.read(min(size, 1 << 24))
        at = 0
        while at + head <= len(body):
            kind, length = struct.unpack_from("<BH" if new else "<HH", body, at)
            if kind == CONTINUED and at + head + 16 <= len(body):
                place, more = struct.unpack_from("<QQ", body, at + head)
                blocks.append((base + place + skip, max(more - 2 * skip, 0)))
            yield kind, first + at + head, length
            at += head + length
