"""Give results back: a copy of the user's file with columns and embeddings added, nothing else changed."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import anndata
import h5py
import numpy as np
import pandas as pd
from anndata.io import read_elem, write_elem
from numpy.typing import NDArray

import scviz
from scviz.datasets import tables
from scviz.datasets.doctor import embeddings as obsm_keys
from scviz.datasets.readers import SOURCE
from scviz.errors import DataError
from scviz.workspace import DatasetInfo
from scviz.workspace.records import read_json

OURS = "scviz"


def write_labels(
    folder: Path,
    target: Path,
    columns: Mapping[str, NDArray[Any]],
    model_note: Mapping[str, Any],
    *,
    embeddings: Mapping[str, NDArray[np.floating]] | None = None,
) -> None:
    """Write a copy of the file as it was opened, with results added.

    Matrices, genes, cell names and their order stay as they are. A file from before 2020 is written in the
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
        JSON-like: model, weights, licence, seed and what else is worth knowing; goes to `uns["scviz"]`.
    embeddings
        (N, D) each, by their key in `obsm`; keys of the file are refused unless an earlier result stands there.

    Raises
    ------
    DataError
        If the lengths do not fit, or a name is taken in the file.
    """
    source = folder / SOURCE
    info = read_json(DatasetInfo, folder / "info.json")
    embeddings = embeddings or {}
    with h5py.File(source, "r") as file:
        _check(file, info, columns, embeddings)
        old = tables.is_old(file["obs"])
    note = {
        "version": scviz.__version__,
        "history": list(info.history),
        "dataset": info.id,
        "models": _plain(model_note),
    }
    series = {name: _series(values) for name, values in columns.items()}
    draft = target.with_name(f".{target.name}-{uuid4().hex}")
    try:
        if old:
            _write_anew(source, draft, series, embeddings, note)
        else:
            shutil.copyfile(source, draft)
            _add(draft, series, embeddings, note)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _check(
    file: h5py.File, info: DatasetInfo, columns: Mapping[str, Any], embeddings: Mapping[str, Any]
) -> None:
    for name, values in (*columns.items(), *embeddings.items()):
        if len(values) != info.n_cells:
            raise DataError(f"{name!r} has {len(values):,} values for {info.n_cells:,} cells.")
    if any("/" in name for name in (*columns, *embeddings)):
        raise DataError("A name with a slash cannot be written.", hint="Choose another name for the results.")
    taken = {*tables.column_names(file["obs"]), *obsm_keys(file)}
    ours = set(embeddings) if f"uns/{OURS}" in file else set()
    foreign = sorted(
        name for name in taken & {*columns, *embeddings} - ours if not name.startswith(f"{OURS}_")
    )
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


def _add(
    path: Path, series: Mapping[str, Any], embeddings: Mapping[str, Any], note: Mapping[str, Any]
) -> None:
    """Add to a file of today's layout without reading its matrices."""
    with h5py.File(path, "r+") as file:
        obs = file["obs"]
        for name, values in series.items():
            write_elem(obs, name, values)
        order = list(dict.fromkeys([*map(str, obs.attrs["column-order"]), *series]))
        obs.attrs["column-order"] = np.array(order, dtype=h5py.string_dtype())
        for group in ("obsm", "uns"):
            if group not in file:
                write_elem(file, group, {})
        for name, values in embeddings.items():
            write_elem(file["obsm"], name, np.asarray(values))
        if OURS in file["uns"]:
            note = _joined(read_elem(file["uns"][OURS]), note)
        write_elem(file["uns"], OURS, dict(note))


def _write_anew(
    source: Path,
    path: Path,
    series: Mapping[str, Any],
    embeddings: Mapping[str, Any],
    note: Mapping[str, Any],
) -> None:
    """Read a file of an old layout and write it in today's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # each part of an old file is announced as old
        adata = anndata.read_h5ad(source)
        for name, values in series.items():
            adata.obs[name] = values
        adata.obsm.update(embeddings)
        adata.uns[OURS] = _joined(adata.uns.get(OURS), note)
        adata.write_h5ad(path)


def _joined(earlier: Any, note: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the history that the file brought along."""
    before = earlier.get("history", ()) if isinstance(earlier, Mapping) else ()
    return {**note, "history": np.array([*map(str, before), *note["history"]])}
