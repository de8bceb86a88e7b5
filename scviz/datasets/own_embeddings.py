"""Maps that a dataset's file has brought along: coordinates of cells in `obsm`, or in pairs of columns."""

from __future__ import annotations

import re
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from scviz.datasets import tables
from scviz.datasets.cell_columns import embeddings
from scviz.datasets.columns import COUNTS
from scviz.errors import DataError

BETTER = ("umap", "tsne", "t-sne", "draw_graph", "force", "phate", "diffmap")
"""Words of names that stand before others, in this order; principal components come last."""
WORSE = ("pca", "harmony", "scvi", "latent", "lsi")
AXIS = re.compile(r"(?P<stem>.*?(umap|t-?sne|phate|mde).*?)(?P<axis>[12xy])(?P<end>\D*)", re.IGNORECASE)
"""Columns such as UMAP_1 and UMAP_2."""
SECOND = {"1": "2", "x": "y", "X": "Y"}


def own_embeddings(folder: Path) -> tuple[str, ...]:
    """Name the maps that the file of a dataset has brought along, maps to look at before vectors to compute with.

    Parameters
    ----------
    folder
        Folder of the dataset.
    """
    with h5py.File(folder / COUNTS, "r") as file:
        able = [name for name in embeddings(file) if _is_map(file["obsm"][name])]
        pairs = [name for name in _pairs(file) if not _is_known(name, able)]
    return tuple(sorted([*able, *pairs], key=_order))


def own_coordinates(folder: Path, name: str) -> NDArray[np.float32]:
    """Return the first two coordinates of each cell on a map of the file.

    Returns
    -------
    (N, 2); NaN where a cell has none.

    Raises
    ------
    DataError
        If the file has no such map.
    """
    with h5py.File(folder / COUNTS, "r") as file:
        if name in embeddings(file) and _is_map(file["obsm"][name]):
            places = np.asarray(file["obsm"][name][:, :2], dtype=np.float32)
        elif name in (pairs := _pairs(file)):
            axes = [tables.read_column(file["obs"], axis).values for axis in pairs[name]]
            places = np.stack(axes, axis=1).astype(np.float32)  # (N, 2)
        else:
            raise DataError(f"The file has no map {name!r}.", hint="Choose another map.")
    places[~np.isfinite(places).all(axis=1)] = np.nan
    return places


def _is_map(item: h5py.Dataset | h5py.Group) -> bool:
    return (
        isinstance(item, h5py.Dataset) and item.ndim == 2 and item.shape[1] >= 2 and item.dtype.kind in "iuf"
    )


def _pairs(file: h5py.File) -> dict[str, tuple[str, str]]:
    """Find columns of numbers that are two axes of one map, by the name of the first."""
    table = file["obs"]
    names = tables.column_names(table)
    found = {}
    for name in names:
        match = AXIS.fullmatch(name)
        if match is None or match["axis"] not in SECOND:
            continue
        other = match["stem"] + SECOND[match["axis"]] + match["end"]
        if other in names and all(_is_numbers(table[one]) for one in (name, other)):
            found[name] = (name, other)
    return found


def _is_numbers(item: h5py.Dataset | h5py.Group) -> bool:
    return isinstance(item, h5py.Dataset) and item.dtype.kind in "iuf"


def _is_known(name: str, able: list[str]) -> bool:
    """Tell whether a map of this kind is among the embeddings."""
    word = next((word for word in BETTER if word in name.lower()), name.lower())
    return any(word in one.lower() for one in able)


def _order(name: str) -> tuple[int, str]:
    low = name.lower()
    for place, word in enumerate(BETTER):
        if word in low:
            return place, name
    return (len(BETTER) + 1 if any(word in low for word in WORSE) else len(BETTER)), name
