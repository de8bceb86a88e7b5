"""HDF5 files of Cell Ranger 2 and 3 and of CellBender: the true counts, one genome, or a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.sparse import csr_matrix

from scviz.datasets.arriving.contract import Choices, Incoming
from scviz.datasets.arriving.tenx import read_10x
from scviz.datasets.formats import format_of
from scviz.errors import UnreadableFileError, UnsafeFileError
from scviz.progress import silent
from scviz.settings import ROOT
from tests.datasets.market_files import CELLS, GENES, LIMIT, barcodes, equal, ids, made, read, write_10x

COUNTS, OTHER = made(1), made(2)
FORMATS = ROOT.parent / "shared" / "data" / "formats"
SYMBOLS = [f"GENE{i + 1}" for i in range(GENES)]


def _bytes(texts: list[str]) -> np.ndarray:
    return np.array(texts, dtype="S")


def write_matrix(
    group: h5py.Group, counts: np.ndarray, *, sparse: csr_matrix | None = None, kind: str = "<i4"
) -> None:
    """Write what versions 2 and 3 have in common."""
    sparse = csr_matrix(counts) if sparse is None else sparse
    group["barcodes"] = _bytes(barcodes(len(counts)))
    group["data"] = sparse.data.astype(kind)
    group["indices"] = sparse.indices.astype(np.int64)
    group["indptr"] = sparse.indptr.astype(np.int64)
    group["shape"] = np.array(counts.shape[::-1], dtype=np.int32)


def write_v3(
    path: Path,
    counts: np.ndarray = COUNTS,
    *,
    columns: Mapping[str, list[str]] | None = None,
    kind: str = "<i4",
) -> Path:
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix")
        write_matrix(group, counts, kind=kind)
        features = {
            "id": ids(counts.shape[1]),
            "name": SYMBOLS[: counts.shape[1]],
            "feature_type": ["Gene Expression"] * counts.shape[1],
            "genome": ["GRCh38"] * counts.shape[1],
        }
        for name, values in {**features, **(columns or {})}.items():
            group[f"features/{name}"] = _bytes(values)
        group["features/_all_tag_keys"] = _bytes(["genome"])
    return path


def write_v2(path: Path, genomes: Mapping[str, np.ndarray]) -> Path:
    with h5py.File(path, "w") as file:
        for genome, counts in genomes.items():
            write_matrix(file.create_group(genome), counts)
            file[genome]["genes"] = _bytes(ids(counts.shape[1]))
            file[genome]["gene_names"] = _bytes(SYMBOLS[: counts.shape[1]])
    return path


def opened(path: Path, choices: Choices | None = None, *, limit: int = LIMIT) -> Incoming:
    assert format_of(path) == "10x"
    return read_10x(path, choices or Choices(), limit=limit, report=silent)


@pytest.mark.parametrize("kind", ["<i4", "<i8", "<f4", ">i4", "<u2"])
def test_version_3_with_values_of_any_type(kind: str, tmp_path: Path) -> None:
    incoming = opened(write_v3(tmp_path / "cells.h5", kind=kind))
    assert equal(incoming, COUNTS)
    assert next(incoming.matrices["X"]()).dtype == np.dtype(kind).newbyteorder("=")
    assert incoming.cells.index.tolist() == barcodes()
    assert incoming.genes.index.tolist() == ids()
    assert incoming.genes["gene_symbols"].tolist() == SYMBOLS
    assert set(incoming.genes["feature_types"]) == {"Gene Expression"}
    assert (incoming.arrival.notes, incoming.arrival.parts) == ((), ())


def test_features_of_all_kinds_and_their_columns_are_kept(tmp_path: Path) -> None:
    kinds = ["Gene Expression"] * 9 + ["Antibody Capture", "CRISPR Guide Capture"]
    columns = {
        "feature_type": kinds,
        "sequence": [""] * 9 + ["ACGT", "TTTT"],
        "genome": ["GRCh38"] * 9 + [""] * 2,
    }
    incoming = opened(write_v3(tmp_path / "cells.h5", columns=columns))
    assert equal(incoming, COUNTS)
    assert incoming.genes["feature_types"].tolist() == kinds
    assert incoming.genes["sequence"].tolist() == columns["sequence"]


def test_the_genome_with_the_most_counts_is_taken_and_another_may_be_chosen(tmp_path: Path) -> None:
    genomes = ["GRCh38"] * 4 + ["mm10"] * 6 + [""]
    kinds = ["Gene Expression"] * 10 + ["Antibody Capture"]
    path = write_v3(tmp_path / "cells.h5", columns={"genome": genomes, "feature_type": kinds})
    human, mouse = int(COUNTS[:, :4].sum()), int(COUNTS[:, 4:10].sum())
    assert mouse > human
    incoming = opened(path)
    assert equal(incoming, COUNTS[:, 4:])
    assert incoming.arrival.parts == ("mm10", "GRCh38")
    assert incoming.arrival.notes == (
        f"The file holds several genomes (counts: mm10 {mouse}, GRCh38 {human}); "
        "mm10 was taken, and 4 genes of the others left out.",
    )
    chosen = opened(path, Choices(part="GRCh38"))
    assert equal(chosen, COUNTS[:, [0, 1, 2, 3, 10]])
    assert chosen.arrival.parts == ("GRCh38", "mm10")


def test_version_2_with_several_genomes(tmp_path: Path) -> None:
    path = write_v2(tmp_path / "cells.h5", {"hg19": COUNTS * (COUNTS > 7), "mm10": OTHER})
    assert equal(opened(path), OTHER)
    assert opened(path).arrival.parts == ("mm10", "hg19")
    assert "mm10 was taken" in opened(path).arrival.notes[0]
    assert equal(opened(path, Choices(part="hg19")), COUNTS * (COUNTS > 7))


def test_attributes_without_a_value_as_pytables_writes_them_are_no_damage(tmp_path: Path) -> None:
    path = write_v2(tmp_path / "cells.h5", {"hg19": COUNTS})
    with h5py.File(path, "a") as file:
        file["hg19/data"].attrs["TITLE"] = h5py.Empty("S1")
    assert equal(opened(path), COUNTS)


def test_cell_bender_is_known_and_its_probabilities_are_kept(tmp_path: Path) -> None:
    path = write_v3(tmp_path / "cells.h5")
    with h5py.File(path, "a") as file:
        file["droplet_latents/cell_probability"] = np.array([0.9, 0.1, 0.5])
        file["droplet_latents/barcode_indices_for_latents"] = np.array([0, 2, 5])
        file["global_latents/ambient_expression"] = np.ones(GENES)
    incoming = opened(path)
    assert equal(incoming, COUNTS)
    assert "CellBender" in incoming.arrival.format
    assert incoming.cells["cell_probability"].dropna().tolist() == [0.9, 0.1, 0.5]
    assert incoming.cells["cell_probability"].notna().to_numpy().nonzero()[0].tolist() == [0, 2, 5]


def test_cell_bender_1_keeps_them_in_the_matrix(tmp_path: Path) -> None:
    path = write_v3(tmp_path / "cells.h5")
    with h5py.File(path, "a") as file:
        file["matrix/latent_cell_probability"] = np.linspace(0, 1, CELLS)
    assert opened(path).cells["cell_probability"].tolist() == np.linspace(0, 1, CELLS).tolist()


def test_genes_out_of_order_and_twice_in_a_cell_are_put_right(tmp_path: Path) -> None:
    sparse = csr_matrix((np.array([1, 2, 3]), np.array([5, 2, 5]), np.array([0, 3] + [3] * (CELLS - 1))))
    path = tmp_path / "cells.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("GRCh38")
        write_matrix(group, COUNTS, sparse=sparse)
        group["genes"] = _bytes(ids())
    expected = np.zeros_like(COUNTS)
    expected[0, [2, 5]] = 2, 4
    assert equal(opened(path), expected)


def test_several_files_become_samples(tmp_path: Path) -> None:
    write_v3(tmp_path / "GSM1_ctrl_filtered_feature_bc_matrix.h5")
    write_v3(tmp_path / "GSM2_stim_filtered_feature_bc_matrix.h5", OTHER)
    incoming = read(tmp_path)
    assert equal(incoming, np.vstack([COUNTS, OTHER]))
    assert incoming.cells["sample"].cat.categories.tolist() == ["GSM1_ctrl", "GSM2_stim"]


def test_the_outs_of_cell_ranger_are_read_once(tmp_path: Path) -> None:
    outs = tmp_path / "outs"
    write_10x(outs / "filtered_feature_bc_matrix", COUNTS)
    write_v3(outs / "filtered_feature_bc_matrix.h5")
    write_v3(outs / "raw_feature_bc_matrix.h5", OTHER)
    with h5py.File(outs / "molecule_info.h5", "w") as file:
        file["barcode_idx"], file["count"], file["umi"] = [1], [1], [1]
    incoming = read(tmp_path)
    assert equal(incoming, COUNTS)
    assert incoming.arrival.parts == ("filtered", "raw")
    assert equal(read(tmp_path, Choices(part="raw")), OTHER)


@pytest.mark.parametrize("part", ["data", "indices", "indptr", "barcodes"])
def test_parts_that_do_not_go_together_are_refused_in_words(part: str, tmp_path: Path) -> None:
    path = write_v3(tmp_path / "cells.h5")
    with h5py.File(path, "a") as file:
        values = file[f"matrix/{part}"][:-3]
        del file[f"matrix/{part}"]
        file[f"matrix/{part}"] = values
    with pytest.raises(UnreadableFileError, match="do not go with its") as caught:
        opened(path)
    assert "again" in caught.value.hint


def test_counts_of_genes_without_a_name_are_refused_in_words(tmp_path: Path) -> None:
    path = write_v3(tmp_path / "cells.h5")
    with h5py.File(path, "a") as file:
        file["matrix/indices"][0] = GENES
    with pytest.raises(UnreadableFileError, match="counts of gene 12, but names 11"):
        list(opened(path).matrices["X"]())


def test_a_matrix_without_names_of_genes_is_refused_in_words(tmp_path: Path) -> None:
    path = write_v2(tmp_path / "cells.h5", {"hg19": COUNTS})
    with h5py.File(path, "a") as file:
        del file["hg19/genes"]
    with pytest.raises(UnreadableFileError, match="no names of genes"):
        opened(path)


def test_a_file_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = write_v3(tmp_path / "cells.h5")
    with h5py.File(path, "a") as file:
        file.create_dataset("matrix/more", (10**9,), "u1", chunks=(10**6,), compression="gzip")
    with pytest.raises(UnsafeFileError, match="unpacks to more than"):
        opened(path, limit=10**8)


@pytest.mark.skipif(not FORMATS.exists(), reason="the files of other writers are not here")
@pytest.mark.parametrize("name", ["10x_v2.h5", "10x_v3.h5"])
def test_scanpy_reads_the_same_from_files_of_cell_ranger(name: str) -> None:
    import scanpy

    expected = scanpy.read_10x_h5(FORMATS / name)
    incoming = opened(FORMATS / name)
    assert equal(incoming, expected.X.toarray())
    assert incoming.cells.index.tolist() == expected.obs_names.tolist()
    assert incoming.genes.index.tolist() == expected.var["gene_ids"].tolist()
