"""What must be true of a file before anything reads its values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import prod
from pathlib import Path

import h5py
import numpy as np

from scviz.datasets.heap import AttributeBytes, UncountableError, dataset_bytes
from scviz.datasets.packing import unpacks_beyond
from scviz.errors import FileNotAllowedError, UnreadableFileError, UnsafeFileError

UNPACK_LIMIT = 64 * 10**9
"""Bytes that one file may unpack to, unless the settings say otherwise."""
CHUNK_LIMIT = 2 * 10**9
"""Bytes of one chunk, which must be unpacked as a whole to read a single value of it."""
OBJECT_LIMIT = 100_000
"""Groups, arrays and attributes of one file."""
TEXT_LIMIT = 4 * 10**9
"""Bytes of all texts of one file, which are read as a whole."""
FIXED_SLACK, FIXED_RATIO = 50_000_000, 100
"""Bytes that texts of a fixed length may unpack to, and how many more for each byte of their file."""
SLACK = 1 << 20
"""Bytes that all texts together may be longer than their file."""

REWRITE = "Write the file anew with adata.write_h5ad(...), so that all its values lie in the file itself."


def allowed(path: str | Path, roots: Iterable[Path]) -> Path:
    """Return the file behind a path, if it lies in an allowed folder after following links.

    Parameters
    ----------
    path
        As the user wrote it.
    roots
        Folders whose files may be opened.

    Raises
    ------
    FileNotAllowedError
        If it lies elsewhere; the answer does not tell whether it exists there.
    UnreadableFileError
        If there is no such file.
    """
    roots = [root.expanduser().resolve() for root in roots]
    try:
        real = Path(path).expanduser().resolve()
        exists = real.exists()
    except (
        OSError,
        RuntimeError,
        ValueError,
    ) as error:  # a loop of links, a zero byte, a name of 300 letters
        raise UnreadableFileError(f"{str(path)[:80]!r} is no path that can be followed.") from error
    if not any(real.is_relative_to(root) for root in roots):
        raise FileNotAllowedError(
            f"{path} is outside the folders that may be opened.",
            hint=f"Copy the file to one of: {', '.join(map(str, roots))}.",
        )
    if not exists:
        raise UnreadableFileError(f"There is no file {path}.", hint="Check the spelling of the path.")
    return real


def inspect_h5(path: Path, limit: int = UNPACK_LIMIT) -> None:
    """Refuse an HDF5 file that points outside itself, unpacks to too much or hides its structure.

    Only the structure is read, and of texts how long they are: no values. Some milliseconds, and a tenth of a
    second for each column of texts of a million cells.

    Parameters
    ----------
    path
        An HDF5 file.
    limit
        Bytes that all arrays together may declare.

    Raises
    ------
    UnsafeFileError
        With the name of the object that is refused.
    UnreadableFileError
        If it is no HDF5 file, or a damaged one.
    """
    try:
        with h5py.File(path, "r") as file, path.open("rb") as raw:
            seen = _Seen(
                limit=limit,
                file_size=path.stat().st_size,
                texts=AttributeBytes(raw, base=file.userblock_size),
            )
            groups: list[h5py.Group] = [file]
            seen.add(file)
            while groups:
                for item in _members(groups.pop()):
                    if seen.add(item) and isinstance(item, h5py.Group):
                        groups.append(item)
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        raise UnreadableFileError(
            f"The structure of {path.name} is damaged or cut off: {error}.",
            hint="Copy or download the file again, and compare its size with the original.",
        ) from error


@dataclass(slots=True)
class _Seen:
    """What was met so far: each object once, however many names lead to it."""

    limit: int
    file_size: int
    texts: AttributeBytes
    size: int = 0
    text_size: int = 0
    n_objects: int = 0
    addresses: set[int] = field(default_factory=set)

    def add(self, item: h5py.HLObject) -> bool:
        """Check one object; tell whether it is new."""
        address = h5py.h5o.get_info(item.id).addr
        if address in self.addresses:
            return False
        self.addresses.add(address)
        self._count(1 + len(item.attrs), 0)
        for name in item.attrs:
            self._attribute(item, address, name)
        if isinstance(item, h5py.Dataset):
            self._dataset(item)
        elif self.n_objects + len(item) > OBJECT_LIMIT:
            self._count(len(item), 0)
        return True

    def _count(self, objects: int, size: int) -> None:
        self.n_objects += objects
        self.size += size
        if self.n_objects > OBJECT_LIMIT:
            raise UnsafeFileError(
                f"The file holds more than {OBJECT_LIMIT:,} objects.",
                hint="Empty adata.uns of what is not needed and write the file anew.",
            )
        if self.size > self.limit:
            raise UnsafeFileError(
                f"This file unpacks to more than {self.limit / 1e9:,.0f} GB.",
                hint="Keep fewer cells or a sparse matrix; the limits are SCVIZ_UNPACK_GB and 300 times its size.",
            )

    def _count_texts(self, size: int, where: str) -> None:
        """Add the bytes of texts, whose references lie in `where`."""
        self.text_size += size
        if self.text_size > min(self.file_size + SLACK, TEXT_LIMIT):
            reason = (
                "more than the file itself: many of them share one place"
                if self.text_size > self.file_size + SLACK
                else f"more than {TEXT_LIMIT / 1e9:.0f} GB"
            )
            raise UnsafeFileError(
                f"The texts of this file, up to those of {where}, unpack to {self.text_size / 1e9:,.1f} GB, {reason}.",
                hint=REWRITE,
            )
        self._count(0, size)

    def _attribute(self, item: h5py.HLObject, address: int, name: str) -> None:
        attribute = item.attrs.get_id(name)
        # Writers of 2019 and 2020 tied columns to their categories by a reference; we find them by name.
        if _refers(attribute.dtype) and name != "categories":
            raise UnsafeFileError(f"The attribute {name!r} of {item.name} is a reference.", hint=REWRITE)
        n = 0 if attribute.shape is None else prod(attribute.shape)
        if n and attribute.dtype.hasobject:
            self._texts_of_attribute(item, address, name, n=n)
        self._count(0, n * attribute.dtype.itemsize)

    def _texts_of_attribute(self, item: h5py.HLObject, address: int, name: str, *, n: int) -> None:
        where = f"the attribute {name!r} of {item.name}"
        try:
            found = self.texts.count(item, address, name)
        except UncountableError as error:
            raise _uncountable(where, error) from error
        if found is None and n > 1 and n * self.file_size > TEXT_LIMIT:
            raise _uncountable(where, "many attributes in one place")
        self._count_texts(found or 0, where)

    def _dataset(self, item: h5py.Dataset) -> None:
        if item.external or item.is_virtual:
            raise UnsafeFileError(f"{item.name} keeps its values in another file.", hint=REWRITE)
        if _refers(item.dtype):
            raise UnsafeFileError(f"{item.name} holds references instead of values.", hint=REWRITE)
        if item.chunks and prod(item.chunks) * item.dtype.itemsize > CHUNK_LIMIT:
            raise UnsafeFileError(
                f"{item.name} is stored in pieces of more than {CHUNK_LIMIT / 1e9:.0f} GB.", hint=REWRITE
            )
        if unpacks_beyond(item, self.texts.file):
            raise UnsafeFileError(f"{item.name} unpacks to more than it declares.", hint=REWRITE)
        self._values(item)

    def _values(self, item: h5py.Dataset) -> None:
        size = int(item.size or 0) * item.dtype.itemsize
        try:
            self._count_texts(dataset_bytes(item, self.texts.file), item.name)
        except UncountableError as error:
            raise _uncountable(item.name, error) from error
        self._count(0, size)
        if item.dtype.kind in "SU" and size > min(TEXT_LIMIT, FIXED_SLACK + FIXED_RATIO * self.file_size):
            raise UnsafeFileError(
                f"The texts of {item.name} unpack to {size / 1e9:,.1f} GB.", hint="Store them as categories."
            )


def _uncountable(where: str, reason: object) -> UnsafeFileError:
    return UnsafeFileError(
        f"{where} holds texts whose size cannot be known beforehand ({reason}).", hint=REWRITE
    )


def _members(group: h5py.Group) -> Iterator[h5py.HLObject]:
    """Yield what lies in a group, and refuse links of other kinds than the plain one."""
    for name in group:
        if not isinstance(name, str):
            raise UnsafeFileError(f"A name in {group.name} is no text: {name!r}.", hint=REWRITE)
        info = group.id.links.get_info(name.encode("utf-8", "surrogateescape"))
        if info.type != h5py.h5l.TYPE_HARD:
            place = f"{group.name.rstrip('/')}/{name}"
            raise UnsafeFileError(f"{place} is a link to another place.", hint=REWRITE)
        yield group[name]


def _refers(dtype: np.dtype) -> bool:
    """Tell whether a type is, or contains, a reference to an object or region."""
    if dtype.names:
        return any(_refers(dtype[name]) for name in dtype.names)
    if dtype.subdtype:
        return _refers(dtype.subdtype[0])
    inner = h5py.check_vlen_dtype(dtype)
    if isinstance(inner, np.dtype):
        return _refers(inner)
    return h5py.check_ref_dtype(dtype) is not None
