"""The files of a zarr store, a folder or a zip, and the groups and arrays that they describe."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

from scviz.datasets.arriving.zarr_arrays import ArrayPlan, plan_of
from scviz.datasets.safety import CHUNK_LIMIT, OBJECT_LIMIT, REWRITE
from scviz.errors import UnreadableFileError, UnsafeFileError
from scviz.workspace.plain_json import DamagedFileError, parse_plain

METADATA = ("zarr.json", ".zgroup", ".zarray")
PIECES = 20_000_000
"""Pieces of one array."""
LARGEST_METADATA = 64_000_000


class Store:
    """Reads files of a folder or a zip by their keys, and nothing outside it.

    Parameters
    ----------
    path
        The folder or zip.
    limit
        Bytes that a zip may unpack to, at most.

    Raises
    ------
    UnsafeFileError
        If a zip unpacks to more.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self.path, self.root = path, path.resolve()
        self.zip = None if path.is_dir() else zipfile.ZipFile(path)
        self.prefix = ""
        self.names: dict[str, zipfile.ZipInfo] = {}
        if self.zip is not None:
            infos = [one for one in self.zip.infolist() if not one.is_dir()]
            if sum(one.file_size for one in infos) > limit:
                raise UnsafeFileError(
                    f"This file unpacks to more than {limit / 1e9:,.0f} GB.",
                    hint="Keep fewer cells or genes; the limits are SCVIZ_UNPACK_GB and 300 times its size.",
                )
            roots = [one.filename for one in infos if one.filename.rsplit("/", 1)[-1] in METADATA]
            shortest = min(roots, key=lambda name: (name.count("/"), name), default="")
            self.prefix = shortest[: shortest.rfind("/") + 1]
            self.names = {one.filename: one for one in infos}

    def read(self, key: str, start: int = 0, size: int | None = None) -> bytes | None:
        """Return a file, or some of its bytes (the last ones if `start` is negative); None if there is none.

        Raises
        ------
        UnsafeFileError
            If a link leads out of the folder.
        """
        if self.zip is not None:
            return self._read_zip(self.prefix + key, start, size)
        path = self.root / key
        if not path.is_file():
            return None
        if path.resolve() != path:
            raise UnsafeFileError(f"{key} is a link to another place.", hint=REWRITE)
        with path.open("rb") as file:
            file.seek(_from(start, path.stat().st_size))
            return file.read(-1 if size is None else size)

    def _read_zip(self, name: str, start: int, size: int | None) -> bytes | None:
        info = self.names.get(name)
        if info is None or self.zip is None:
            return None
        with self.zip.open(info) as inner:
            inner.seek(_from(start, info.file_size))
            return inner.read(-1 if size is None else size)

    def children(self, key: str) -> Iterator[str]:
        """Give the names of folders within a folder.

        Raises
        ------
        UnsafeFileError
            If a link to another place lies there.
        """
        if self.zip is None:
            for path in sorted((self.root / key).iterdir()):
                if path.is_symlink():
                    raise UnsafeFileError(
                        f"{path.relative_to(self.root)} is a link to another place.", hint=REWRITE
                    )
                if path.is_dir():
                    yield path.name
            return
        start = f"{self.prefix}{key}/" if key else self.prefix
        below = {name[len(start) :].split("/")[0] for name in self._metadata() if name.startswith(start)}
        yield from sorted(below - set(METADATA))

    def _metadata(self) -> list[str]:
        return [name for name in self.names if name.rsplit("/", 1)[-1] in METADATA]


def _from(start: int, size: int) -> int:
    return max(start + size, 0) if start < 0 else start


@dataclass(slots=True, kw_only=True)
class ZarrNode:
    """A group, or an array."""

    key: str
    attributes: Mapping[str, Any]
    array: ArrayPlan | None = None
    children: dict[str, ZarrNode] = field(default_factory=dict)

    def find(self, *names: str) -> ZarrNode | None:
        """Return what lies within groups of these names; None where there is nothing."""
        node: ZarrNode | None = self
        for name in names:
            node = None if node is None else node.children.get(name)
        return node


def tree_of(store: Store, limit: int) -> ZarrNode:
    """Read what a store describes, and refuse it before any value is read if it declares too much.

    Raises
    ------
    UnreadableFileError
        If a description is missing or not understood.
    UnsafeFileError
        If it declares too many objects, pieces or bytes.
    """
    root = _node(store, "")
    if root is None:
        raise UnreadableFileError(
            f"{store.path.name} is no zarr store: its description is missing.",
            hint="Choose the folder that holds .zgroup or zarr.json.",
        )
    size = n_objects = 0
    groups = [root]
    while groups:
        group = groups.pop()
        for name in store.children(group.key):
            node = _node(store, f"{group.key}/{name}".lstrip("/"))
            if node is None:
                continue
            group.children[name] = node
            n_objects += 1 + len(node.attributes)
            if node.array is None:
                groups.append(node)
            else:
                size += _checked(node.key, node.array)
            if n_objects > OBJECT_LIMIT or size > limit:
                what = (
                    f"holds more than {OBJECT_LIMIT:,} objects"
                    if n_objects > OBJECT_LIMIT
                    else f"unpacks to more than {limit / 1e9:,.0f} GB"
                )
                raise UnsafeFileError(
                    f"{store.path.name} {what}.",
                    hint="Keep fewer cells or genes; the limits are SCVIZ_UNPACK_GB and 300 times its size.",
                )
    return root


def _checked(key: str, plan: ArrayPlan) -> int:
    """Return the bytes that an array declares."""
    if plan.piece_bytes > CHUNK_LIMIT:
        raise UnsafeFileError(
            f"{key} is stored in pieces of more than {CHUNK_LIMIT / 1e9:.0f} GB.", hint=REWRITE
        )
    if prod(plan.counts) > PIECES:
        raise UnsafeFileError(f"{key} is stored in more than {PIECES:,} pieces.", hint=REWRITE)
    return prod(plan.shape) * plan.width


def _node(store: Store, key: str) -> ZarrNode | None:
    start = f"{key}/" if key else ""
    new = _description(store, f"{start}zarr.json")
    if new is not None:
        plan = plan_of(new, key) if new.get("node_type") == "array" else None
        return ZarrNode(key=key, attributes=dict(new.get("attributes") or {}), array=plan)
    array = _description(store, f"{start}.zarray")
    if array is None and _description(store, f"{start}.zgroup") is None:
        return None
    attributes = _description(store, f"{start}.zattrs") or {}
    return ZarrNode(key=key, attributes=attributes, array=None if array is None else plan_of(array, key))


def _description(store: Store, key: str) -> dict[str, Any] | None:
    raw = store.read(key, 0, LARGEST_METADATA)
    if raw is None:
        return None
    try:
        found: dict[str, Any] = parse_plain(raw, name=f"{key} of {store.path.name}")
    except DamagedFileError as error:
        raise UnreadableFileError(str(error)) from error
    return found
