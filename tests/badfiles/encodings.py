"""h5ad files as one writer or another stores them: indices, columns and matrices in every encoding."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
from anndata import AnnData
from scipy import sparse

from tests.badfiles.case import BARCODES, COUNTS, GENES, IDS, N_CELLS, Case, Make, cells

TEXT = h5py.string_dtype()


def edited(edit: Callable[[h5py.File], None], adata: AnnData | None = None) -> Make:
    """A well-behaved file, edited."""

    def make(folder: Path) -> Path:
        path = folder / "cells.h5ad"
        (adata or cells()).write_h5ad(path)
        with h5py.File(path, "r+") as file:
            edit(file)
        return path

    return make


def _nullable(file: h5py.File, place: str, values: list[object], kind: str, *, mask: list[bool]) -> None:
    """Store an array with gaps, as AnnData 0.8 and later do."""
    if place in file:
        del file[place]
    group = file.create_group(place)
    group.attrs["encoding-type"], group.attrs["encoding-version"] = f"nullable-{kind}", "0.1.0"
    dtype = TEXT if kind.startswith("string") else None
    group.create_dataset("values", data=np.array(values, dtype=object if dtype else None), dtype=dtype)
    group["mask"] = np.array(mask)


def _strings_index(file: h5py.File) -> None:
    for table in ("obs", "var"):
        names = [name.decode() for name in file[table]["_index"][:]]
        _nullable(file, f"{table}/_index", names, "string-array", mask=[False] * len(names))


def _categorical_index(file: h5py.File) -> None:
    del file["obs/_index"]
    group = file.create_group("obs/_index")
    group.attrs["encoding-type"] = "categorical"
    group["codes"] = np.arange(N_CELLS, dtype=np.int16)
    group.create_dataset("categories", data=list(BARCODES), dtype=TEXT)


def _other_index(file: h5py.File) -> None:
    file["obs"].move("_index", "barcode")
    file["obs"].attrs["_index"] = "barcode"


def _fixed_index(file: h5py.File) -> None:
    for table, names in (("obs", BARCODES), ("var", GENES)):
        del file[table]["_index"]
        file[table]["_index"] = np.array(names, dtype="S20")


def _reserved_columns(file: h5py.File) -> None:
    file["var"].move("_index", "index")
    file["var"].attrs["_index"] = "index"
    file["var"].create_dataset("_index", data=list(IDS), dtype=TEXT)
    file["var"].attrs["column-order"] = ["_index"]


def _nullable_columns(file: h5py.File) -> None:
    gaps = [i % 5 == 0 for i in range(N_CELLS)]
    _nullable(file, "obs/whole", list(range(N_CELLS)), "integer", mask=gaps)
    _nullable(file, "obs/truth", [i % 2 == 0 for i in range(N_CELLS)], "boolean", mask=[False] * N_CELLS)
    _nullable(file, "obs/words", ["a" if i % 2 else "b" for i in range(N_CELLS)], "string-array", mask=gaps)
    file["obs"].attrs["column-order"] = ["cell_type", "n", "whole", "truth", "words"]


def _unknown_column(file: h5py.File) -> None:
    group = file.create_group("obs/future")
    group.attrs["encoding-type"] = "quantum-array"
    group["data"] = np.arange(3)


def _unknown_embedding(file: h5py.File) -> None:
    group = file.create_group("obsm/X_ragged")
    group.attrs["encoding-type"] = "awkward-array"
    group["node0"] = np.arange(4)
    file["obsm/X_umap"] = np.zeros((N_CELLS, 2))


def _newer_matrix(file: h5py.File) -> None:
    file["X"].attrs["encoding-type"] = "block_sparse_matrix"


def _no_matrix(file: h5py.File) -> None:
    del file["X"]


def _null_matrix(file: h5py.File) -> None:
    del file["X"]
    file["X"] = h5py.Empty("f4")
    file["X"].attrs["encoding-type"] = "null"


def _without_marks(file: h5py.File) -> None:
    """Take the marks of encodings away that came with AnnData 0.7."""
    for name in ("encoding-type", "encoding-version"):
        file.attrs.pop(name, None)
        for place in ("obs/_index", "var/_index", "obs/n", "layers", "obsm", "uns"):
            file[place].attrs.pop(name, None)


def _wide_indices(file: h5py.File) -> None:
    for part in ("indices", "indptr"):
        values = file["X"][part][:].astype(np.int64)
        del file["X"][part]
        file["X"][part] = values


def as_it_is(_: h5py.File) -> None:
    """Change nothing."""


def _damaged_codes(file: h5py.File) -> None:
    file["obs/cell_type/codes"][3] = 100


def matrix(values: object, **storage: object) -> Make:
    """The counts, stored in another way."""

    def store(file: h5py.File) -> None:
        del file["X"]
        if isinstance(values, np.ndarray):
            file.create_dataset("X", data=values, **storage).attrs["encoding-type"] = "array"
            return
        node = file.create_group("X")
        node.attrs["encoding-type"], node.attrs["shape"] = f"{values.format}_matrix", values.shape
        for part in ("data", "indices", "indptr"):
            node.create_dataset(part, data=getattr(values, part), **storage)

    return edited(store)


def unsorted() -> sparse.csr_matrix:
    """Counts whose genes stand in any order within a cell."""
    found = sparse.csr_matrix(COUNTS.astype(np.float32))
    rng = np.random.default_rng(1)
    for low, high in zip(found.indptr[:-1], found.indptr[1:], strict=True):
        order = rng.permutation(high - low) + low
        found.data[low:high], found.indices[low:high] = found.data[order], found.indices[order]
    return found


def layered(**layers: np.ndarray) -> AnnData:
    """Scaled values in X, counts in a layer."""
    adata = cells()
    adata.layers.update(
        {name: sparse.csr_matrix(values.astype(np.float32)) for name, values in layers.items()}
    )
    adata.X = (COUNTS - COUNTS.mean(axis=0)).astype(np.float32)
    return adata


def with_raw() -> AnnData:
    """Counts of all genes in raw, scaled values of some in X."""
    adata = cells()
    adata.raw = adata
    few = adata[:, 10:30].copy()
    few.X = few.X.toarray() - 1.5
    return few


def _raw_reserved(file: h5py.File) -> None:
    file["raw/var"].create_dataset("index", data=list(IDS), dtype=TEXT)
    file["raw/var"].attrs["column-order"] = ["index"]


WIDE = COUNTS.astype(np.float64)
CASES = (
    Case(
        name="as AnnData writes it",
        make=edited(as_it_is),
        columns={"n": [i * 0.5 for i in range(N_CELLS)]},
    ),
    Case(name="index of nullable strings", make=edited(_strings_index)),
    Case(name="index as categories", make=edited(_categorical_index)),
    Case(name="index of another name", make=edited(_other_index)),
    Case(name="index of fixed length", make=edited(_fixed_index)),
    Case(name="a column called _index", make=edited(_reserved_columns), said=("got an underscore appended",)),
    Case(
        name="raw with a column called index",
        make=edited(_raw_reserved, with_raw()),
        said=("got an underscore",),
    ),
    Case(
        name="nullable columns",
        make=edited(_nullable_columns),
        columns={
            "truth": ["True" if i % 2 == 0 else "False" for i in range(N_CELLS)],
            "words": ["unknown" if i % 5 == 0 else "a" if i % 2 else "b" for i in range(N_CELLS)],
        },
        said=('10 missing values of words were filled with "unknown"',),
    ),
    Case(
        name="a column of a newer kind",
        make=edited(_unknown_column),
        said=("not known were left out: future",),
    ),
    Case(name="an embedding of a newer kind", make=edited(_unknown_embedding), said=("left out: X_ragged",)),
    Case(name="without marks of encodings", make=edited(_without_marks)),
    Case(name="counts of half precision", make=matrix(COUNTS.astype(np.float16))),
    Case(name="counts of double precision", make=matrix(WIDE)),
    Case(name="counts as 64-bit integers", make=matrix(sparse.csr_matrix(COUNTS.astype(np.int64)))),
    Case(name="counts as bytes", make=matrix(COUNTS.astype(np.uint8))),
    Case(name="counts of foreign byte order", make=matrix(COUNTS.astype(">f4"))),
    Case(name="counts stored by gene", make=matrix(sparse.csc_matrix(COUNTS.astype(np.float32)))),
    Case(name="counts with genes in any order", make=matrix(unsorted())),
    Case(name="64-bit indices", make=edited(_wide_indices)),
    Case(name="packed with gzip", make=matrix(sparse.csr_matrix(WIDE), compression="gzip")),
    Case(name="packed with lzf", make=matrix(sparse.csr_matrix(WIDE), compression="lzf", shuffle=True)),
    Case(name="chunks of whole columns", make=matrix(WIDE, chunks=(N_CELLS, 1))),
    Case(name="chunks of one value", make=matrix(WIDE, chunks=(1, 1))),
    Case(
        name="counts in a layer",
        make=edited(as_it_is, layered(counts=COUNTS)),
        said=("from layers/counts",),
    ),
    Case(name="counts in raw", make=edited(as_it_is, with_raw()), said=("from raw/X",)),
    Case(
        name="no X, counts in a layer",
        make=edited(_no_matrix, layered(umi=COUNTS)),
        said=("from layers/umi",),
    ),
    Case(name="X is empty, counts in a layer", make=edited(_null_matrix, layered(counts=COUNTS))),
    Case(
        name="a matrix of a newer kind",
        make=edited(_newer_matrix),
        counts=None,
        said=("block_sparse_matrix", "newer than what is known here"),
    ),
    Case(
        name="no matrix at all", make=edited(_no_matrix), counts=None, said=("no matrix of cells and genes",)
    ),
    Case(
        name="codes without a category",
        make=edited(_damaged_codes),
        said=("not known were left out: cell_type",),
    ),
)
