"""AnnData in zarr 2 and 3, copied as it is into an h5ad: a folder or a zip, sharded or not."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from scviz.datasets.arriving.contract import Arrival, Choices
from scviz.datasets.arriving.modalities import in_order, said
from scviz.datasets.arriving.zarr_arrays import ArrayPlan
from scviz.datasets.arriving.zarr_store import Store, ZarrNode, tree_of
from scviz.datasets.safety import TEXT_LIMIT
from scviz.errors import UnreadableFileError, UnsafeFileError
from scviz.progress import Progress, Report

PARTS = ("mod", "tables", "table")
"""Groups of MuData and SpatialData that hold several AnnData."""
PACKED = 1_000_000
"""Bytes of a dense matrix from which on it is packed."""


def copy_zarr(path: Path, choices: Choices, *, limit: int, report: Report, target: Path) -> Arrival:
    """Copy an AnnData of zarr into an h5ad, values and encodings as they are, piece by piece.

    Parameters
    ----------
    path
        A folder or a zip.
    choices
        `part` is a modality of MuData or a table of SpatialData.
    limit
        Bytes that it may unpack to, at most.
    report
        Told how many pieces were copied.
    target
        The h5ad that is written.

    Raises
    ------
    UnreadableFileError
        If it is damaged, or holds no AnnData.
    UnsafeFileError
        If it unpacks to too much or leads outside itself.
    """
    try:
        store = Store(path, limit)
        root = tree_of(store, limit)
        node, parts = _cells(root, store, choices)
        with h5py.File(target, "w") as file:
            copier = _Copier(store, report, total=_n_pieces(node))
            copier.group(node, file)
    except (zipfile.BadZipFile, OSError) as error:
        raise UnreadableFileError(
            f"{path.name} is a zarr store that cannot be read: {error}.",
            hint="Copy or download it again; a folder must be complete.",
        ) from error
    notes = list(copier.notes)
    if len(parts) > 1:
        notes.insert(0, said(parts))
    version = 3 if store.read("zarr.json", 0, 1) is not None else 2
    kind = "zip" if store.zip is not None else "folder"
    return Arrival(
        format=f"an AnnData in zarr {version} ({kind})",
        parts=parts if len(parts) > 1 else (),
        notes=tuple(notes),
    )


def _cells(root: ZarrNode, store: Store, choices: Choices) -> tuple[ZarrNode, tuple[str, ...]]:
    """Return the AnnData, and its name with those of others, if there are several."""
    if root.find("obs") is not None and root.find("var") is not None and root.find("mod") is None:
        return root, ()
    for place in PARTS:
        holder = root.find(place)
        found = {} if holder is None else holder.children
        tables = {name: one for name, one in found.items() if {"obs", "var"} <= set(one.children)}
        if tables:
            names = {name: _names(table, store) for name, table in tables.items()}
            parts = in_order(list(tables), choices.part, names.__getitem__)
            return tables[parts[0]], parts
    raise UnreadableFileError(
        f"{store.path.name} is a zarr store without cells (obs) and genes (var).",
        hint="Choose the folder that adata.write_zarr(...) wrote; images and points are not read.",
    )


def _names(node: ZarrNode, store: Store) -> list[str]:
    """Return some names of genes."""
    table = node.find("var")
    index = None if table is None else table.find(str(table.attributes.get("_index", "_index")))
    index = index if index is None or index.array is not None else index.find("values")
    if index is None or index.array is None:
        return []
    values = index.array.values((0,), index.key, store.read)
    return [] if values is None else [str(one) for one in values.tolist()]


def _n_pieces(node: ZarrNode) -> int:
    own = 0 if node.array is None else prod(node.array.counts)
    return own + sum(_n_pieces(one) for one in node.children.values())


class _Copier:
    """Copies groups and arrays, and counts what was done."""

    def __init__(self, store: Store, report: Report, *, total: int) -> None:
        self.store, self.report, self.total = store, report, total
        self.done = self.text_size = 0
        self.notes: list[str] = []

    def group(self, node: ZarrNode, group: h5py.Group) -> None:
        _copy_attributes(node.attributes, group)
        for name, child in node.children.items():
            if child.array is None:
                self.group(child, group.create_group(name))
            elif child.array.dtype.kind in "mM":
                self.notes.append(f"{child.key} was left out: it holds dates.")
            else:
                self.array(child, child.array, group, name=name)

    def array(self, node: ZarrNode, plan: ArrayPlan, group: h5py.Group, *, name: str) -> None:
        own = _own_dtype(plan.dtype)
        item = group.create_dataset(name, plan.shape, dtype=own, **_options(plan))
        for region, values in self._pieces(node, plan):
            if plan.dtype.kind in "OU":
                values = self._counted(values.astype(object), node.key)
            elif plan.dtype.names:
                values = values.astype(own)
            item[region] = values if plan.shape else values.reshape(())[()]
        _copy_attributes(node.attributes, item)

    def _pieces(
        self, node: ZarrNode, plan: ArrayPlan
    ) -> Iterator[tuple[tuple[slice, ...], np.ndarray[Any, Any]]]:
        for index in product(*map(range, plan.counts)):
            values = plan.values(index, node.key, self.store.read)
            self.done += 1
            if self.done % 256 == 0:
                self.report(Progress(stage="Copying the zarr store", done=self.done, total=self.total))
            if values is None:
                continue
            starts = [i * k for i, k in zip(index, plan.piece, strict=True)]
            stops = [min(a + k, n) for a, k, n in zip(starts, plan.piece, plan.shape, strict=True)]
            inside = tuple(slice(0, b - a) for a, b in zip(starts, stops, strict=True))
            yield (
                tuple(slice(a, b) for a, b in zip(starts, stops, strict=True)),
                (values[inside] if inside else values),
            )

    def _counted(self, values: np.ndarray[Any, Any], key: str) -> np.ndarray[Any, Any]:
        self.text_size += sum(len(one) for one in values.ravel().tolist() if one)
        if self.text_size > TEXT_LIMIT:
            raise UnsafeFileError(f"The texts up to {key} unpack to more than {TEXT_LIMIT / 1e9:.0f} GB.")
        return values


def _options(plan: ArrayPlan) -> dict[str, Any]:
    """Return how an array is stored: a large dense matrix packed, in the pieces in which it comes."""
    options: dict[str, Any] = {}
    numbers = plan.dtype.kind in "iufb"
    if numbers and len(plan.shape) == 2 and prod(plan.shape) * plan.width > PACKED:
        pieces = tuple(min(k, n) for k, n in zip(plan.piece, plan.shape, strict=True))
        options = {"chunks": pieces, "compression": "lzf"}
    return options | ({"fillvalue": plan.fill} if numbers and plan.fill != 0 else {})


def _own_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type of values in the copy: HDF5 knows no texts of letters of four bytes."""
    if dtype.names:
        return np.dtype([(name, _own_dtype(dtype[name])) for name in dtype.names])
    return h5py.string_dtype() if dtype.kind in "OU" else dtype.newbyteorder("=")


def _copy_attributes(attributes: Mapping[str, Any], item: h5py.HLObject) -> None:
    for name, value in attributes.items():
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            item.attrs.create(name, np.array(value, dtype=object), dtype=h5py.string_dtype())
        elif isinstance(value, str | bool | int | float):
            item.attrs[name] = value
        elif isinstance(value, list) and all(isinstance(one, int | float) for one in value):
            item.attrs[name] = np.array(value)
        else:
            item.attrs[name] = json.dumps(value)[:60_000]
