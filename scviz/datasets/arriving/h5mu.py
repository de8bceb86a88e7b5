"""Files of several modalities (h5mu): the one with genes is copied as it is into an h5ad."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np
from numpy.typing import NDArray

from scviz.datasets import tables
from scviz.datasets.arriving.contract import Arrival, Choices
from scviz.datasets.arriving.modalities import in_order, said
from scviz.datasets.packing import first_missing_filter
from scviz.datasets.safety import inspect_h5
from scviz.errors import DataError, UnreadableFileError
from scviz.progress import Progress, Report

if TYPE_CHECKING:
    from collections.abc import Iterable

LOOKED_AT = 2_000
"""Names of features that are looked at to tell genes from others."""


def copy_h5mu(path: Path, choices: Choices, *, limit: int, report: Report, target: Path) -> Arrival:
    """Copy the modality that holds genes into an h5ad, values and encodings as they are.

    Columns and coordinates that belong to all modalities are copied for its cells, too.

    Parameters
    ----------
    path
        A file of MuData.
    choices
        `part` is the modality.
    limit
        Bytes that it may unpack to, at most.
    report
        Told what is copied.
    target
        The h5ad that is written.

    Raises
    ------
    UnreadableFileError
        If it is damaged, or holds no modality with cells and genes.
    UnsafeFileError
        If it unpacks to too much or leads outside itself.
    """
    inspect_h5(path, limit)
    notes: list[str] = []
    try:
        with h5py.File(path, "r") as file, h5py.File(target, "w") as copy:
            found = file["mod"] if isinstance(file.get("mod"), h5py.Group) else {}
            whole = [name for name, one in found.items() if {"obs", "var"} <= set(one)]
            if not whole:
                raise UnreadableFileError(
                    f"{path.name} is a file of several modalities, none of which has cells and genes.",
                    hint="Write it anew: mudata.read_h5mu(path)['rna'].write_h5ad('cells.h5ad').",
                )
            parts = in_order(whole, choices.part, lambda name: _some_names(found[name]["var"]))
            _copy_all(found[parts[0]], copy, report)
            notes += _copy_shared(file, copy, whole)
    except DataError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise UnreadableFileError(
            f"{path.name} is a file of several modalities, but a part of it cannot be read: {_reason(path, error)}.",
            hint="Copy or download it again; if that does not help, write it anew with MuData.",
        ) from error
    several = len(parts) > 1
    return Arrival(
        format="a file of several modalities (h5mu)",
        parts=parts if several else (),
        notes=(*([said(parts)] if several else []), *notes),
    )


def _copy_all(taken: h5py.Group, copy: h5py.File, report: Report) -> None:
    for name in taken:
        report(Progress(stage=f"Copying {taken.name}/{name}"))
        taken.copy(name, copy)
    for name, value in taken.attrs.items():
        copy.attrs[name] = value


def _reason(path: Path, error: Exception) -> str:
    try:
        with h5py.File(path, "r") as file:
            return first_missing_filter(file) or str(error)
    except (OSError, RuntimeError, KeyError):
        return str(error)


def _some_names(table: h5py.Group | h5py.Dataset) -> list[str]:
    return tables.row_names(table)[:LOOKED_AT]


def _copy_shared(file: h5py.File, copy: h5py.File, modalities: Iterable[str]) -> list[str]:
    """Copy columns and coordinates of all modalities that the one taken lacks; say which."""
    obs, own = file.get("obs"), copy["obs"]
    if not isinstance(obs, h5py.Group) or not isinstance(own, h5py.Group):
        return []
    rows = _rows(obs, own)
    prefixes = tuple(f"{name}:" for name in modalities)
    there = {*tables.column_names(own), own.attrs.get("_index", "_index")}
    added = [
        name
        for name in sorted({*tables.column_names(obs)} - there)
        if not name.startswith(prefixes) and _add_column(obs, own, name, rows=rows)
    ]
    if added:
        order = np.array(list(dict.fromkeys([*tables.column_names(own), *added])), dtype=object)
        own.attrs.create("column-order", order, dtype=h5py.string_dtype())
    coordinates = _copy_coordinates(file, copy, rows=rows, modalities=set(modalities))
    return _said_of("Columns", added) + _said_of("Coordinates", coordinates)


def _said_of(what: str, names: list[str]) -> list[str]:
    return [f"{what} of all modalities were taken, too: {', '.join(names)}."] if names else []


def _rows(obs: h5py.Group, own: h5py.Group) -> NDArray[np.int64]:
    """Return where each cell of a modality (N,) stands among those of all; -1 where it does not."""
    at = {name: i for i, name in enumerate(tables.row_names(obs))}
    return np.array([at.get(name, -1) for name in tables.row_names(own)], dtype=np.int64)


def _add_column(obs: h5py.Group, own: h5py.Group, name: str, *, rows: NDArray[np.int64]) -> bool:
    """Copy a column for these rows (N,); tell whether it could be read."""
    try:
        _write_column(own, tables.read_column(obs, name), rows)
    except DataError:
        return False
    return True


def _write_column(own: h5py.Group, column: tables.Column, rows: NDArray[np.int64]) -> None:
    if column.categories is None:
        values = np.where(rows < 0, np.nan, column.values[rows])
        item: h5py.Group | h5py.Dataset = own.create_dataset(column.name, data=values)
        _encode(item, "array")
        return
    item = own.create_group(column.name)
    codes = np.where(rows < 0, -1, column.values[rows]).astype(np.int32)
    item.create_dataset("codes", data=codes)
    names = np.array(column.categories, dtype=object)
    item.create_dataset("categories", data=names, dtype=h5py.string_dtype(), shape=(len(names),))
    _encode(item, "categorical")
    item.attrs["ordered"] = False
    _encode(item["codes"], "array")
    _encode(item["categories"], "string-array")


def _encode(item: h5py.Group | h5py.Dataset, kind: str) -> None:
    item.attrs["encoding-type"] = kind
    item.attrs["encoding-version"] = "0.2.0"


def _copy_coordinates(
    file: h5py.File, copy: h5py.File, *, rows: NDArray[np.int64], modalities: set[str]
) -> list[str]:
    shared = file.get("obsm")
    if not isinstance(shared, h5py.Group) or (rows < 0).any():
        return []
    own = copy.require_group("obsm")
    added = []
    for name, item in shared.items():
        plain = isinstance(item, h5py.Dataset) and item.ndim == 2 and item.dtype.kind == "f"
        if plain and name not in own and name not in modalities:
            _encode(own.create_dataset(name, data=item[:][rows]), "array")  # (N, D)
            added.append(name)
    return added
