"""Objects of R of every version and package give their cells, genes and counts; the rest is refused in words."""

from __future__ import annotations

import gzip
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import vstack

from scviz.datasets.arriving import r_values
from scviz.datasets.arriving.contract import Choices, Incoming
from scviz.datasets.arriving.rds import read_rds
from scviz.errors import UnreadableFileError, UnsafeFileError
from scviz.progress import silent
from scviz.settings import ROOT
from tests.datasets import r_writer as r

FILES = ROOT.parent / "shared" / "data" / "formats"
GENES = ["CD3E", "ACTB", "RPL3", "MT-ND1", "GAPDH"]
CELLS = [f"AAACCTGAGAAACCA{c}-1" for c in "ACGT"]
COUNTS = np.random.default_rng(0).poisson(1.5, (5, 4)).astype(float)
"""Genes x cells."""
LOGGED = np.log1p(COUNTS)
META = {"nCount": r.reals(COUNTS.sum(0)), "type": r.factor([1, 2, r.NA, 1], ["T cell", "B cell"])}


def read(path: Path, **choices: object) -> Incoming:
    return read_rds(path, Choices(**choices), limit=10**9, report=silent)


def values(incoming: Incoming, name: str = "X") -> np.ndarray:
    return vstack(list(incoming.matrices[name]())).toarray()


def seurat(assays: dict[str, bytes], **slots: bytes) -> bytes:
    version = r.vector([r.integers([5, 0, 1])])
    own = {"assays": r.named(assays), "meta.data": r.frame(META, CELLS), "version": version, **slots}
    return r.s4("Seurat", "SeuratObject", **own)


def assay(**slots: bytes) -> bytes:
    return r.s4("Assay", "SeuratObject", **{"meta.features": r.frame({}, GENES), **slots})


def members(names: list[str], layers: dict[str, list[int]]) -> bytes:
    table = np.concatenate([np.isin(range(len(names)), rows) for rows in layers.values()]).astype(int)
    return r.logicals(
        table,
        dim=r.integers([len(names), len(layers)]),
        dimnames=r.vector([r.strings(names), r.strings(list(layers))]),
        **{"class": r.strings(["LogMap"], package=r.strings(["SeuratObject"]))},
    )


def assay5(layers: dict[str, tuple[bytes, list[int], list[int]]]) -> bytes:
    """Make an assay of version 5 whose layers hold some genes and cells each."""
    return r.s4(
        "Assay5",
        "SeuratObject",
        layers=r.named({name: one[0] for name, one in layers.items()}),
        features=members(GENES, {name: one[1] for name, one in layers.items()}),
        cells=members(CELLS, {name: one[2] for name, one in layers.items()}),
        **{"meta.data": r.frame({"gene_type": r.strings(["a"] * 5)}, GENES)},
    )


def test_seurat_3_gives_counts_logarithms_and_what_is_known_of_cells(tmp_path: Path) -> None:
    umap = r.s4(
        "DimReduc", "SeuratObject", **{"cell.embeddings": r.matrix(np.arange(8.0).reshape(4, 2), CELLS)}
    )
    rna = assay(counts=r.sparse(COUNTS, GENES, CELLS), data=r.sparse(LOGGED, GENES, CELLS))
    value = seurat({"RNA": rna}, reductions=r.named({"umap": umap}))
    found = read(r.save_rds(tmp_path / "x.rds", value))
    assert np.array_equal(values(found), COUNTS.T)
    assert np.array_equal(values(found, "layers/data"), LOGGED.T)
    assert (list(found.cells.index), list(found.genes.index)) == (CELLS, GENES)
    assert found.cells["type"].tolist()[:2] == ["T cell", "B cell"]
    assert pd.isna(found.cells["type"].iloc[2])
    assert np.array_equal(found.embeddings["X_umap"], np.arange(8.0).reshape(4, 2))
    assert found.arrival.format == "a Seurat object (SeuratObject 5.0.1)"


def test_layers_of_seurat_5_that_were_split_by_sample_are_joined(tmp_path: Path) -> None:
    first, second, every = [0, 2], [1, 3], list(range(5))
    layers = {
        "counts.1": (r.sparse(COUNTS[:, first]), every, first),
        "counts.2": (r.sparse(COUNTS[:4, second]), every[:4], second),
        "data.1": (r.sparse(LOGGED[:, first]), every, first),
        "scale.data": (r.matrix(LOGGED), every, list(range(4))),
    }
    found = read(r.save_rds(tmp_path / "x.rds", seurat({"RNA": assay5(layers)})))
    expected = COUNTS.copy()
    expected[4, second] = 0
    assert np.array_equal(values(found), expected.T)
    assert list(found.matrices) == ["X"]
    assert found.arrival.notes == (
        "Scaled values (scale.data) were left out: they can be made anew.",
        "2 layers counts.* were joined: each holds some of the cells.",
        "The layer data was left out: it has 2 of 4 cells.",
    )
    assert list(found.genes["gene_type"]) == ["a"] * 5


def test_rna_is_taken_of_several_assays_unless_another_is_asked_for(tmp_path: Path) -> None:
    tags = assay(
        counts=r.sparse(COUNTS[:2] + 7, ["CD3", "CD19"], CELLS),
        **{"meta.features": r.frame({}, ["CD3", "CD19"])},
    )
    path = r.save_rds(
        tmp_path / "x.rds", seurat({"ADT": tags, "RNA": assay(counts=r.sparse(COUNTS, GENES, CELLS))})
    )
    assert read(path).arrival.parts == ("RNA", "ADT")
    other = read(path, part="ADT")
    assert other.arrival.parts == ("ADT", "RNA")
    assert np.array_equal(values(other), COUNTS[:2].T + 7)


def test_cells_of_the_table_may_stand_in_another_order(tmp_path: Path) -> None:
    turned = CELLS[::-1]
    value = seurat({"RNA": assay(counts=r.sparse(COUNTS[:, ::-1], GENES, turned))})
    found = read(r.save_rds(tmp_path / "x.rds", value))
    assert list(found.cells.index) == CELLS
    assert np.array_equal(values(found), COUNTS.T)


def test_seurat_2_is_read(tmp_path: Path) -> None:
    slots = {"raw.data": r.sparse(COUNTS, GENES, CELLS), "meta.data": r.frame(META, CELLS)}
    found = read(r.save_rds(tmp_path / "x.rds", r.s4("seurat", "Seurat", **slots)))
    assert np.array_equal(values(found), COUNTS.T)


def test_an_experiment_of_bioconductor_is_read(tmp_path: Path) -> None:
    assays = {"counts": r.sparse(COUNTS), "logcounts": r.matrix(LOGGED)}
    listed = r.s4("SimpleList", "S4Vectors", listData=r.named(assays))
    reduced = r.data_frame({"PCA": r.matrix(np.ones((4, 3)))}, [], 4)
    value = r.s4(
        "SingleCellExperiment",
        "SingleCellExperiment",
        assays=r.s4("SimpleAssays", "SummarizedExperiment", data=listed),
        colData=r.data_frame(META, CELLS, 4),
        int_colData=r.data_frame({"reducedDims": reduced}, [], 4),
        NAMES=r.strings(GENES),
        elementMetadata=r.data_frame({"ID": r.strings([f"ENSG{i:011d}" for i in range(5)])}, [], 5),
    )
    found = read(r.save_rds(tmp_path / "x.rds", value))
    assert np.array_equal(values(found), COUNTS.T)
    assert np.allclose(values(found, "layers/logcounts"), LOGGED.T)
    assert found.genes["gene_ids"].tolist() == [f"ENSG{i:011d}" for i in range(5)]
    assert found.embeddings["X_pca"].shape == (4, 3)
    assert list(found.cells.index) == CELLS


@pytest.mark.parametrize("make", [r.sparse, r.matrix])
@pytest.mark.parametrize("rows", ["genes", "cells"])
def test_a_bare_matrix_is_turned_by_its_names(tmp_path: Path, make: Callable[..., bytes], rows: str) -> None:
    value = make(COUNTS, GENES, CELLS) if rows == "genes" else make(COUNTS.T, CELLS, GENES)
    found = read(r.save_rds(tmp_path / "x.rds", value))
    assert found.arrival.turned is (rows == "genes")
    assert np.array_equal(values(found), COUNTS.T)
    assert (list(found.cells.index), list(found.genes.index)) == (CELLS, GENES)


def test_a_table_of_counts_is_read(tmp_path: Path) -> None:
    columns = {name: r.integers(COUNTS[:, i].astype(int)) for i, name in enumerate(CELLS)}
    found = read(r.save_rds(tmp_path / "x.rds", r.frame(columns, GENES)))
    assert np.array_equal(values(found), COUNTS.T)


def test_of_several_objects_the_one_with_cells_is_taken_and_said(tmp_path: Path) -> None:
    objects = {
        "note": r.strings(["x"]),
        "about": r.frame(META, CELLS),
        "counts": r.sparse(COUNTS, GENES, CELLS),
    }
    found = read(r.save_rdata(tmp_path / "x.RData", objects))
    assert np.array_equal(values(found), COUNTS.T)
    assert list(found.cells) == ["nCount", "type"]
    assert found.arrival.notes[0] == "Of 2 objects, counts was taken; the others: about."


def test_counts_that_lie_on_disk_are_refused_in_words(tmp_path: Path) -> None:
    for name, package in (
        ("MatrixDir", "BPCells"),
        ("HDF5Matrix", "HDF5Array"),
        ("DelayedMatrix", "DelayedArray"),
    ):
        elsewhere = r.s4(name, package, dim=r.integers([5, 4]), seed=r.s4("HDF5ArraySeed", "HDF5Array"))
        layers = {"counts": (elsewhere, list(range(5)), list(range(4)))}
        path = r.save_rds(tmp_path / "x.rds", seurat({"RNA": assay5(layers)}))
        with pytest.raises(
            UnreadableFileError, match=rf"lie in other files .* counts \({package}\)"
        ) as caught:
            read(path)
        assert "dgCMatrix" in caught.value.hint


@pytest.mark.parametrize(
    "value",
    [
        struct.pack(">ii", 14, 2_000_000_000),
        struct.pack(">iiii", 14, -1, 1 << 20, 0),
        struct.pack(">ii", 16, 2_000_000_000),
        struct.pack(">ii", 19, 1 << 30),
        struct.pack(">iii", 16, 1, 9) + struct.pack(">i", 1 << 30),
        struct.pack(">i", 99),
        struct.pack(">ii", 19, 1) * 100_000,
        r.sparse(COUNTS, GENES, CELLS)[:-150],
        b"",
    ],
)
def test_what_declares_more_than_is_there_is_refused(tmp_path: Path, value: bytes) -> None:
    with pytest.raises(UnreadableFileError, match="cut off or damaged"):
        read(r.save_rds(tmp_path / "x.rds", value))


def test_columns_of_a_sparse_matrix_that_do_not_add_up_are_refused(tmp_path: Path) -> None:
    broken = r.sparse(COUNTS, GENES, CELLS).replace(r.integers([5, 4]), r.integers([5, 9]))
    with pytest.raises(UnreadableFileError, match="do not add up"):
        read(r.save_rds(tmp_path / "x.rds", broken))


def test_a_file_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.rds"
    path.write_bytes(gzip.compress(r.HEADER + bytes(3_000_000)))
    with pytest.raises(UnsafeFileError, match="unpacks to more than"):
        read_rds(path, Choices(), limit=2_000_000, report=silent)


def test_many_small_values_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(r_values, "MOST_ITEMS", 100)
    with pytest.raises(UnsafeFileError, match="more than 100 values"):
        read(r.save_rds(tmp_path / "x.rds", r.vector([r.reals([])] * 200)))


def test_an_object_without_cells_says_what_it_is(tmp_path: Path) -> None:
    value = r.named({"model": r.s4("lm", "stats"), "words": r.strings(["a"])})
    with pytest.raises(
        UnreadableFileError, match=r"holds a list and no cells: model \(lm\), words \(strings\)"
    ):
        read(r.save_rds(tmp_path / "x.rds", value))


def test_functions_and_compact_values_are_passed_over(tmp_path: Path) -> None:
    counted = (
        struct.pack(">i", 238)
        + struct.pack(">i", 2) + symbol_of("compact_intseq")
        + struct.pack(">i", 2) + symbol_of("base")
        + struct.pack(">i", 2) + r.integers([13]) + r.NULL
        + r.reals([4, 1, 1]) + r.NULL
    )  # fmt: skip
    closure = struct.pack(">i", 3 | 0x400) + struct.pack(">i", 253) + r.NULL + r.NULL
    value = seurat({"RNA": assay(counts=r.sparse(COUNTS, GENES, CELLS))}, misc=r.vector([closure, counted]))
    found = read(r.save_rds(tmp_path / "x.rds", value))
    assert np.array_equal(values(found), COUNTS.T)


def symbol_of(name: str) -> bytes:
    return r.symbol(name)


@pytest.mark.parametrize("name", ["seurat_v4.rds", "seurat_v4.RData", "sce.rds", "count_matrix.rds"])
def test_objects_of_r_itself_have_their_true_counts(name: str, tmp_path: Path) -> None:
    if not (FILES / name).exists():
        pytest.skip(f"{name} is not here")
    truth = pd.read_csv(FILES / "seurat_v4.truth.csv", index_col="cell")
    shutil.copy(FILES / name, tmp_path)
    found = read(tmp_path / name)
    totals = pd.Series(values(found).sum(axis=1), index=found.cells.index)
    assert totals.loc[truth.index].tolist() == truth["total"].tolist()
    if "cell_type" in found.cells:
        assert found.cells["cell_type"].astype(str).loc[truth.index].tolist() == truth["cell_type"].tolist()
