"""Matrices of every layout, read by cell in bounded memory, whichever way round they lie."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy import sparse

from scviz.datasets import streaming, turning
from scviz.datasets.streaming import blocks_of, matrix_blocks
from scviz.datasets.turning import turn
from scviz.errors import DataError

COUNTS = np.random.default_rng(0).poisson(0.4, (37, 23)).astype(np.float32)


def write(file: h5py.File, name: str, matrix: object) -> h5py.Group | h5py.Dataset:
    """Store a matrix as AnnData does."""
    if isinstance(matrix, np.ndarray):
        return file.create_dataset(name, data=matrix, chunks=(10, 5))
    node = file.create_group(name)
    node.attrs["encoding-type"], node.attrs["shape"] = f"{matrix.format}_matrix", matrix.shape
    for part in ("data", "indices", "indptr"):
        node[part] = getattr(matrix, part)
    return node


def together(blocks: object) -> np.ndarray:
    return sparse.vstack(list(blocks)).toarray()


@pytest.fixture(params=["csr", "csc", "dense", "dense float16", "csr big-endian", "dense bool"])
def stored(request: pytest.FixtureRequest) -> object:
    if request.param.startswith("dense"):
        kinds = {"dense": np.float32, "dense float16": np.float16, "dense bool": bool}
        return COUNTS.astype(kinds[request.param])
    matrix = sparse.csr_matrix(COUNTS)
    if request.param == "csc":
        return matrix.tocsc()
    if "big" in request.param:
        matrix.data = matrix.data.astype(">f4")
    return matrix


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("few", [False, True])
def test_every_layout_gives_the_same_cells(
    stored: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, turned: bool, few: bool
) -> None:
    if few:  # many small blocks, and files that wait
        monkeypatch.setattr(streaming, "BLOCK_VALUES", 20)
        monkeypatch.setattr(streaming, "BLOCK_BYTES", 400)
        monkeypatch.setattr(turning, "BUCKET_VALUES", 50)
        monkeypatch.setattr(turning, "MEMORY_VALUES", 0)
    expected = COUNTS if not (isinstance(stored, np.ndarray) and stored.dtype == bool) else COUNTS > 0
    with h5py.File(tmp_path / "m.h5", "w") as file:
        node = write(file, "X", stored)
        found = together(blocks_of(node, tmp_path, turned=turned))
    assert np.array_equal(found, expected.T if turned else expected)
    assert [path.name for path in tmp_path.iterdir()] == ["m.h5"]


def test_the_sum_of_two_matrices_is_that_of_each_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "BLOCK_VALUES", 20)
    other = np.random.default_rng(1).poisson(2.0, COUNTS.shape).astype(np.float32)
    with h5py.File(tmp_path / "m.h5", "w") as file:
        write(file, "layers/a", sparse.csr_matrix(COUNTS))
        write(file, "layers/b", sparse.csr_matrix(other))
        assert np.array_equal(together(matrix_blocks(file, "layers/a + layers/b", tmp_path)), COUNTS + other)


def test_columns_of_known_weight_are_shared_out_evenly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turning, "BUCKET_VALUES", 30)
    skewed = np.zeros((50, 40), dtype=np.float32)
    skewed[:, 3] = 1
    skewed[::5, 20:] = 2
    matrix = sparse.csr_matrix(skewed)
    spread = np.count_nonzero(skewed, axis=0)
    parts = list(turn(iter([matrix]), 40, n_values=matrix.nnz, folder=tmp_path, spread=spread))
    assert np.array_equal(together(parts), skewed.T)
    assert max(part.nnz for part in parts) <= 50 + 30  # the heaviest column alone has 50


@pytest.mark.parametrize(
    ("part", "value", "said"),
    [("indices", 23, "outside"), ("indices", -1, "outside"), ("indptr", 10**6, "does not fit")],
)
def test_a_damaged_matrix_is_refused(tmp_path: Path, part: str, value: int, said: str) -> None:
    with h5py.File(tmp_path / "m.h5", "w") as file:
        node = write(file, "X", sparse.csr_matrix(COUNTS))
        node[part][3] = value
        with pytest.raises(DataError, match=said):
            list(blocks_of(node, tmp_path))


def test_stored_zeros_and_repeated_places_are_one_value(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.h5", "w") as file:
        node = file.create_group("X")
        node.attrs["encoding-type"], node.attrs["shape"] = "csr_matrix", (2, 3)
        node["data"], node["indices"] = np.array([1.0, 2.0, 0.0, 5.0]), np.array([1, 1, 2, 0])
        node["indptr"] = np.array([0, 3, 4])
        (block,) = blocks_of(node, tmp_path)
    assert block.toarray().tolist() == [[0, 3, 0], [5, 0, 0]]
    assert block.nnz == 2
