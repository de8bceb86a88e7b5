"""Give results back: a copy of the user's file with columns, embeddings, layers added, nothing else changed."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import anndata
import h5py
import numpy as np
import pandas as pd
from anndata.io import read_elem, write_elem
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

import scviz
from scviz.datasets import tables
from scviz.datasets.cell_columns import colors_of
from scviz.datasets.cell_columns import embeddings as obsm_keys
from scviz.datasets.columns import COUNTS, NAME_IN_FILE, SOURCE
from scviz.datasets.layers import layer_names, read_blocks, write_blocks
from scviz.errors import DataError
from scviz.plots.theme import category_colors
from scviz.workspace import DatasetInfo
from scviz.workspace.colors import read_colors
from scviz.workspace.records import read_json

OURS = "scviz"


def write_labels(
    folder: Path,
    target: Path,
    columns: Mapping[str, NDArray[Any]],
    *,
    model_note: Mapping[str, Any],
    embeddings: Mapping[str, NDArray[np.floating]] | None = None,
    layers: Path | None = None,
) -> None:
    """Write a copy of the file as it was opened, with results added.

    Matrices, genes, cell names and their order stay as they are; colors that were chosen by hand for the values of its
    columns go to `uns["<column>_colors"]`. A file from before 2020 is written in the
    layout of today, as its old one cannot take new columns.

    Parameters
    ----------
    folder
        Folder of the dataset.
    target
        File to write; it appears when it is complete.
    columns
        (N,) each: texts or numbers, in the order of the cells. Names that the file itself uses are refused,
        unless they begin with `scviz_`.
    model_note
        JSON-like: model, weights, license, seed and what else is worth knowing; goes to `uns["scviz"]`.
    embeddings
        (N, D) each, by their key in `obsm`; keys of the file are refused unless an earlier result stands there.
    layers
        File of `scviz.datasets.layers` whose matrices become layers; genes that the user's file lacks are left
        out, and those it has besides are 0.

    Raises
    ------
    DataError
        If the lengths do not fit, or a name is taken in the file.
    """
    source = folder / SOURCE
    info = read_json(DatasetInfo, folder / "info.json")
    with h5py.File(source, "r") as file:
        added = _Added(
            columns={name: _series(values) for name, values in columns.items()},
            embeddings=embeddings or {},
            layers=None if layers is None else _layers(layers, folder, file, info=info),
            colors=_colors(file, read_colors(folder)),
            note={
                "version": scviz.__version__,
                "history": list(info.history),
                "dataset": info.id,
                "models": _plain(model_note),
            },
        )
        _check(file, info, added)
        old = tables.is_old(file["obs"])
    draft = target.with_name(f".{target.name}-{uuid4().hex}")
    try:
        if old:
            _write_anew(source, draft, added)
        else:
            shutil.copyfile(source, draft)
            _add(draft, added)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class _Layers:
    """Matrices to add, and where their genes stand in the user's file."""

    path: Path
    names: tuple[str, ...]
    placed: csr_matrix
    """(G, G of the file) 1 where a gene of the counts is one of the file."""

    def matrices(self) -> Iterator[tuple[str, Iterator[csr_matrix]]]:
        """Give each name with its matrix, genes as in the file, some cells at a time."""
        with h5py.File(self.path, "r") as found:
            for name in self.names:
                yield name, (csr_matrix(block @ self.placed) for block in read_blocks(found[name]))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Added:
    """What is added to the user's file."""

    columns: Mapping[str, pd.Categorical | NDArray[Any]]
    """(N,) each."""
    embeddings: Mapping[str, NDArray[np.floating]]
    """(N, D) each."""
    layers: _Layers | None
    note: Mapping[str, Any]
    colors: Mapping[str, list[str]]
    """By column, a color for each category in the order of the file."""


def _layers(path: Path, folder: Path, file: h5py.File, *, info: DatasetInfo) -> _Layers:
    """Match the genes of the counts with those of the file: by place, or by name where counts are of `raw`."""
    theirs = tables.row_names(file["var"])
    with h5py.File(folder / COUNTS, "r") as counts:
        ours = _names_in_file(counts["var"])
    if len(ours) == len(theirs) and info.counts.location != "raw/X":
        at = np.arange(len(ours))
    else:
        place = {name: i for i, name in enumerate(theirs)}
        at = np.array([place.get(name, -1) for name in ours])
    known = np.flatnonzero(at >= 0)
    ones = np.ones(len(known), dtype=np.float32)
    return _Layers(
        path, layer_names(path), csr_matrix((ones, (known, at[known])), shape=(len(ours), len(theirs)))
    )


def _colors(file: h5py.File, by_hand: Mapping[str, Mapping[str, str]]) -> dict[str, list[str]]:
    """Complete the colors that were chosen by hand: those of the file, or of the theme, for all other categories."""
    found: dict[str, list[str]] = {}
    for column, chosen in by_hand.items():
        if column in tables.column_names(file["obs"]) and tables.is_coded(file["obs"], column):
            names = tables.categories_of(file["obs"], column)
            theirs = colors_of(file, file["obs"], column)
            colors = zip(names, category_colors(len(names)), strict=True)
            found[column] = [chosen.get(name, theirs.get(name, color)) for name, color in colors]
    return found


def _names_in_file(table: h5py.Group) -> list[str]:
    """Return the names that the genes of the counts have in the user's file."""
    if NAME_IN_FILE in tables.column_names(table):
        return tables.read_column(table, NAME_IN_FILE).strings()
    return tables.row_names(table)


def _check(file: h5py.File, info: DatasetInfo, added: _Added) -> None:
    for name, values in (*added.columns.items(), *added.embeddings.items()):
        if len(values) != info.n_cells:
            raise DataError(f"{name!r} has {len(values):,} values for {info.n_cells:,} cells.")
    if any("/" in name for name in (*added.columns, *added.embeddings)):
        raise DataError("A name with a slash cannot be written.", hint="Choose another name for the results.")
    new_layers = set(added.layers.names) if added.layers else set()
    taken = {*tables.column_names(file["obs"]), *obsm_keys(file)} & {*added.columns, *added.embeddings}
    taken |= new_layers & set(file.get("layers", ()))
    ours = {*added.embeddings, *new_layers} if f"uns/{OURS}" in file else set()
    foreign = sorted(name for name in taken - ours if not name.startswith(f"{OURS}_"))
    if foreign:
        raise DataError(
            f"The file has its own {', '.join(foreign)}.", hint="Choose another name for the results."
        )


def _series(values: NDArray[Any]) -> pd.Categorical | NDArray[Any]:
    """Texts become categories, '' a missing value; numbers stay."""
    values = np.asarray(values)
    if values.dtype.kind not in "OUS":
        return values
    return pd.Categorical([text or None for text in map(str, values.tolist())])


def _plain(value: Any) -> Any:
    """Turn JSON-like values into what HDF5 can hold: None is left out, lists become arrays."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        numbers = all(isinstance(item, (int, float)) for item in value)
        return np.array(value if numbers else [str(item) for item in value])
    return value if isinstance(value, (str, int, float, bool, np.ndarray)) else str(value)


def _add(path: Path, added: _Added) -> None:
    """Add to a file of today's layout without reading its matrices."""
    with h5py.File(path, "r+") as file:
        obs = file["obs"]
        for name, values in added.columns.items():
            write_elem(obs, name, values)
        order = list(dict.fromkeys([*map(str, obs.attrs["column-order"]), *added.columns]))
        obs.attrs["column-order"] = np.array(order, dtype=h5py.string_dtype())
        for group in ("obsm", "uns", "layers"):
            if group not in file:
                write_elem(file, group, {})
        for name, values in added.embeddings.items():
            write_elem(file["obsm"], name, np.asarray(values))
        for name, colors in added.colors.items():
            write_elem(file["uns"], f"{name}_colors", np.array(colors, dtype=object))
        if added.layers is not None:
            _add_layers(file["layers"], added.layers)
        earlier = read_elem(file["uns"][OURS]) if OURS in file["uns"] else {}
        write_elem(file["uns"], OURS, _joined(earlier, added.note))


def _add_layers(parent: h5py.Group, layers: _Layers) -> None:
    """Write layers block by block; those of an earlier result are replaced."""
    for name, blocks in layers.matrices():
        if name in parent:
            del parent[name]
        write_blocks(parent, name, blocks, n_genes=layers.placed.shape[1])


def _write_anew(source: Path, path: Path, added: _Added) -> None:
    """Read a file of an old layout and write it in today's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # each part of an old file is announced as old
        adata = anndata.read_h5ad(source)
        for name, values in added.columns.items():
            adata.obs[name] = values
        adata.obsm.update(added.embeddings)
        adata.uns.update({f"{name}_colors": np.array(colors) for name, colors in added.colors.items()})
        for name, blocks in added.layers.matrices() if added.layers else ():
            adata.layers[name] = vstack(list(blocks), format="csr")
        adata.uns[OURS] = _joined(adata.uns.get(OURS), added.note)
        adata.write_h5ad(path)


def _joined(earlier: Any, note: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the history that the file brought along."""
    before = earlier.get("history", ()) if isinstance(earlier, Mapping) else ()
    return {**note, "history": np.array([*map(str, before), *note["history"]])}
