"""Odd folders of Matrix Market, those that are refused, and those of Cell Ranger as scanpy reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from scviz.errors import UnreadableFileError, UnsafeFileError
from scviz.settings import ROOT
from tests.datasets.market_files import equal, made, read, write, write_10x, write_mtx

COUNTS = made(1)
FORMATS = ROOT.parent / "shared" / "data" / "formats"


def test_a_matrix_beside_its_compressed_self_is_read_once(tmp_path: Path) -> None:
    write_10x(tmp_path, COUNTS)
    write_mtx(tmp_path / "matrix.mtx", COUNTS.T)
    incoming = read(tmp_path)
    assert equal(incoming, COUNTS)
    assert incoming.arrival.parts == ()


def test_lists_that_lie_outside_the_folder_are_not_read(tmp_path: Path) -> None:
    folder = write_10x(tmp_path / "sample", COUNTS, gz=False)
    (folder / "barcodes.tsv").rename(tmp_path / "secret.tsv")
    (folder / "barcodes.tsv").symlink_to(tmp_path / "secret.tsv")
    with pytest.raises(UnreadableFileError, match="names of the cells"):
        read(folder)


def test_a_folder_without_counts_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "notes.txt", "nothing")
    with pytest.raises(UnreadableFileError, match="holds no counts") as caught:
        read(tmp_path)
    assert "matrix.mtx" in caught.value.hint


def test_a_folder_of_too_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scviz.datasets.formats.MOST_FILES", 2)
    with pytest.raises(UnsafeFileError, match="more than 2 files"):
        read(write_10x(tmp_path, COUNTS))


@pytest.mark.skipif(not FORMATS.exists(), reason="the files of other writers are not here")
@pytest.mark.parametrize("name", ["10x_v2_mtx", "10x_v3_mtx"])
def test_scanpy_reads_the_same_from_files_of_cell_ranger(name: str) -> None:
    import scanpy

    expected = scanpy.read_10x_mtx(FORMATS / name, var_names="gene_ids")
    incoming = read(FORMATS / name)
    assert equal(incoming, expected.X.toarray())
    assert incoming.cells.index.tolist() == expected.obs_names.tolist()
    assert incoming.genes.index.tolist() == expected.var_names.tolist()
