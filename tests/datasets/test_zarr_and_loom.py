"""Zarr of both versions is copied as it is; loom is read; what is unsafe in either is refused."""

from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import zarr
from scipy.sparse import csr_matrix, vstack

from scviz.datasets import tables
from scviz.datasets.arriving.contract import Arrival, Choices
from scviz.datasets.arriving.loom import read_loom
from scviz.datasets.arriving.zarr_copy import copy_zarr
from scviz.errors import UnreadableFileError, UnsafeFileError
from scviz.progress import silent

COUNTS = np.random.default_rng(0).poisson(0.7, (30, 20)).astype(np.float32)
CELLS = [f"cell {i}" for i in range(30)]
GENES = [f"GENE{i}" for i in range(20)]


def copied(path: Path, target: Path, *, limit: int = 10**9, **choices: Any) -> Arrival:
    return copy_zarr(path, Choices(**choices), limit=limit, report=silent, target=target)


def _table(group: zarr.Group, names: list[str]) -> None:
    group.attrs.update({"encoding-type": "dataframe", "_index": "_index", "column-order": ["n"]})
    index = group.create_array("_index", shape=(len(names),), dtype=str, chunks=(7,))
    index[:] = np.array(names, dtype=object)
    group.create_array("n", data=np.arange(len(names)), chunks=(4,))


def made(path: Path, version: int, **options: Any) -> Path:
    root = zarr.open_group(path, mode="w", zarr_format=version)
    root.attrs["encoding-type"] = "anndata"
    _table(root.create_group("obs"), CELLS)
    _table(root.create_group("var"), GENES)
    root.create_array("layers/dense", data=COUNTS, **{"chunks": (8, 5), **options})
    sparse, group = csr_matrix(COUNTS), root.create_group("X")
    group.attrs.update({"encoding-type": "csr_matrix", "shape": [30, 20]})
    for part in ("data", "indices", "indptr"):
        group.create_array(part, data=getattr(sparse, part), chunks=(50,))
    return path


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    ("version", "options"),
    [
        (2, {}),
        (2, {"order": "F"}),
        (3, {}),
        (3, {"shards": (16, 10)}),
        (3, {"compressors": zarr.codecs.BloscCodec()}),
        (3, {"compressors": zarr.codecs.GzipCodec()}),
    ],
)
def test_values_are_those_of_the_store(tmp_path: Path, version: int, options: dict, *, zipped: bool) -> None:
    path = made(tmp_path / "x.zarr", version, **options)
    if zipped:
        path = Path(shutil.make_archive(str(tmp_path / "x"), "zip", tmp_path, "x.zarr"))
    arrival = copied(path, tmp_path / "x.h5ad")
    assert arrival.format == f"an AnnData in zarr {version} ({'zip' if zipped else 'folder'})"
    with h5py.File(tmp_path / "x.h5ad") as file:
        assert np.array_equal(file["layers/dense"][:], COUNTS)
        x = [file["X"][part][:] for part in ("data", "indices", "indptr")]
        assert np.array_equal(csr_matrix(tuple(x), shape=tuple(file["X"].attrs["shape"])).toarray(), COUNTS)
        assert tables.row_names(file["obs"]) == CELLS
        assert tables.row_names(file["var"]) == GENES
        assert tables.column_names(file["obs"]) == ("n",)


@pytest.mark.filterwarnings("ignore")
def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    path = made(tmp_path / "x.zarr", 3)
    (tmp_path / "secret").mkdir()
    (path / "uns").symlink_to(tmp_path / "secret")
    with pytest.raises(UnsafeFileError, match="uns is a link"):
        copied(path, tmp_path / "x.h5ad")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"shape": [10**6, 10**6]}, UnsafeFileError, "unpacks to more than|stored in more than"),
        ({"chunks": [10**6, 10**6]}, UnsafeFileError, "pieces of more than"),
        ({"compressor": {"id": "pickle"}}, UnreadableFileError, "packed by pickle"),
        ({"dtype": "|O", "filters": [{"id": "pickle"}], "compressor": None}, UnreadableFileError, "pickle"),
        ({"shape": "x"}, UnreadableFileError, "not known here"),
        ({"chunks": [4, 5]}, (UnsafeFileError, UnreadableFileError), "declares|damaged"),
    ],
)
def test_what_declares_other_than_it_is_is_refused(
    tmp_path: Path, change: dict, error: type[Exception], words: str
) -> None:
    path = made(tmp_path / "x.zarr", 2)
    about = path / "layers" / "dense" / ".zarray"
    about.write_text(json.dumps(json.loads(about.read_text()) | change))
    with pytest.raises(error, match=words):
        copied(path, tmp_path / "x.h5ad")


@pytest.mark.filterwarnings("ignore")
def test_a_piece_of_texts_that_declares_a_billion_is_refused(tmp_path: Path) -> None:
    path = made(tmp_path / "x.zarr", 2)
    about = path / "obs" / "_index" / ".zarray"
    about.write_text(json.dumps(json.loads(about.read_text()) | {"compressor": None}))
    (path / "obs" / "_index" / "0").write_bytes(struct.pack("<I", 10**9))
    with pytest.raises(UnsafeFileError, match="declares 1,000,000,000 texts"):
        copied(path, tmp_path / "x.h5ad")


def _loom(path: Path, **more: Any) -> Path:
    with h5py.File(path, "w") as file:
        file.create_dataset("matrix", data=COUNTS.T, chunks=(7, 8), compression="gzip")
        file["layers/spliced"] = COUNTS.T * 2
        file["layers/odd"] = COUNTS
        file["row_attrs/Gene"] = GENES
        file["row_attrs/Accession"] = [f"ENSG{i:011d}" for i in range(20)]
        file["col_attrs/CellID"] = CELLS
        file["col_attrs/Clusters"] = np.arange(30)
        file["col_attrs/X"], file["col_attrs/Y"] = np.arange(30.0), -np.arange(30.0)
        file["col_attrs/umap"] = np.ones((30, 2))
        file.attrs["LOOM_SPEC_VERSION"] = "2.0.1"
        for name, value in more.items():
            file[name] = value
    return path


def test_loom_gives_cells_genes_layers_and_coordinates(tmp_path: Path) -> None:
    found = read_loom(_loom(tmp_path / "x.loom"), Choices(), limit=10**9, report=silent)
    assert np.array_equal(vstack(list(found.matrices["X"]())).toarray(), COUNTS)
    assert np.array_equal(vstack(list(found.matrices["layers/spliced"]())).toarray(), COUNTS * 2)
    assert (list(found.cells.index), list(found.genes.index)) == (CELLS, GENES)
    assert list(found.cells) == ["Clusters"]
    assert list(found.genes) == ["gene_ids"]
    assert {key: one.shape for key, one in found.embeddings.items()} == {
        "X_umap": (30, 2),
        "X_embedding": (30, 2),
    }
    assert found.arrival.notes == ("Layers that are no matrix of these genes and cells were left out: odd.",)
    assert found.arrival.format == "a loom file (version 2.0.1)"


def test_loom_without_names_numbers_them_and_says_so(tmp_path: Path) -> None:
    path = _loom(tmp_path / "x.loom")
    with h5py.File(path, "r+") as file:
        del file["col_attrs/CellID"]
    found = read_loom(path, Choices(), limit=10**9, report=silent)
    assert found.cells.index[0] == "cell 1"
    assert "The file does not name its cells; they were numbered." in found.arrival.notes


def test_loom_without_its_matrix_is_refused(tmp_path: Path) -> None:
    path = _loom(tmp_path / "x.loom")
    with h5py.File(path, "r+") as file:
        del file["matrix"]
    with pytest.raises(UnreadableFileError, match="without its matrix"):
        read_loom(path, Choices(), limit=10**9, report=silent)
