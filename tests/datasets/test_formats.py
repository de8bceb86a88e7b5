"""A wrong file gets one sentence: what it is, and what would work."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest
from anndata import AnnData

from scviz.datasets.doctor import check_file
from scviz.datasets.formats import NOT_READ, format_of, inside, refuse_other
from scviz.errors import UnreadableFileError

BYTES = {
    "table": b"gene,cell1,cell2\nA,0,1\n",
    "rds": b"RDX3\nX\n",
    "mtx": b"%%MatrixMarket matrix coordinate integer general\n",
    "compressed": b"7z\xbc\xaf\x27\x1crest",
    "excel": b"\xd0\xcf\x11\xe0\xa1\xb1",
    "numpy": b"\x93NUMPY\x01\x00",
    "pickle": b"\x80\x04\x95",
    "reads": b"@read1\nACGT\n+\nFFFF\n",
    "geo": b'!Series_title\t"Cells"\n',
    "utf16": "gene,cell\n".encode("utf-16"),
    "pdf": b"%PDF-1.7",
    "page": b"<!DOCTYPE html><html></html>",
    "pointer": b"version https://git-lfs.github.com/spec/v1\n",
    "empty": b"",
    "unknown": b"\x00\x01\x02",
}
GROUPS = {
    "10x": ("matrix/barcodes", "matrix/indptr"),
    "loom": ("matrix", "row_attrs/Gene", "col_attrs/CellID"),
    "h5mu": ("mod/rna", "obs/_index", "var/_index"),
    "h5ad": ("obs/_index", "var/_index", "X"),
    "h5seurat": ("assays/RNA", "cell.names"),
    "molecules": ("barcode_idx", "count", "umi", "barcodes"),
    "hdf5": ("something",),
}


@pytest.mark.parametrize("name", BYTES)
def test_a_file_is_known_by_its_content_whatever_its_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / "cells.h5ad"
    path.write_bytes(BYTES[name])
    assert format_of(path) == name


@pytest.mark.parametrize("name", GROUPS)
def test_an_hdf5_file_is_known_by_its_groups(name: str, tmp_path: Path) -> None:
    path = tmp_path / "cells.h5ad"
    with h5py.File(path, "w") as file:
        for group in GROUPS[name]:
            file[group] = [1.0]
    assert format_of(path) == name


TABLES = {
    "spaces of R": b'"cell1" "cell2"\n"GENE1" 0 1\n',
    "spaces with a corner": b"gene cell1 cell2\nGENE1 0 1.5\n",
    "tabs": b"\tcell1\nGENE1\t1\n",
    "semicolons": b"gene;cell1\nGENE1;1\n",
    "a mark of bytes": b"\xef\xbb\xbfgene,cell1\nGENE1,1\n",
    "old Mac lines": b"gene,cell1\rGENE1,1\r",
}


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_a_table_is_a_table_however_it_is_written_or_compressed(
    kind: str, pack: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    path = tmp_path / "cells.h5ad"
    path.write_bytes(pack(TABLES[kind]))
    assert format_of(path) == "table"


@pytest.mark.parametrize("text", [b"Dear colleague,", b"one line of words\nand another one\n"])
def test_words_are_no_table_of_spaces(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "cells.txt"
    path.write_bytes(text.replace(b",", b""))
    assert format_of(path) == "unknown"


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("name", ["mtx", "rds", "table", "page"])
def test_what_a_compressed_file_holds_is_seen(
    name: str, pack: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    path = tmp_path / "cells"
    path.write_bytes(pack(BYTES[name]))
    assert format_of(path) == name


def test_a_compressed_file_of_hdf5_is_unpacked_as_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "cells.h5ad.gz"
    path.write_bytes(gzip.compress(b"\x89HDF\r\n\x1a\n"))
    assert format_of(path) == "archive"


MEMBERS = {
    "archive": ["sample/matrix.mtx", "sample/genes.tsv"],
    "zarr": ["cells.zarr/.zgroup", "cells.zarr/X/.zarray"],
    "excel": ["[Content_Types].xml", "xl/workbook.xml"],
    "numpy": ["data.npy", "indices.npy"],
}


@pytest.mark.parametrize("name", MEMBERS)
def test_a_zip_is_known_by_what_lies_in_it(name: str, tmp_path: Path) -> None:
    path = tmp_path / "cells.h5ad"
    with zipfile.ZipFile(path, "w") as archive:
        for member in MEMBERS[name]:
            archive.writestr(member, "1")
    assert format_of(path) == name


def test_a_zip_that_was_cut_off_is_said_to_be_so(tmp_path: Path) -> None:
    path = tmp_path / "cells.zip"
    path.write_bytes(b"PK\x03\x04rest")
    with pytest.raises(UnreadableFileError, match="cut off or damaged"):
        format_of(path)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_is_an_archive(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "cells"
    with tarfile.open(path, mode) as archive:
        archive.add(__file__, "matrix.mtx")
    assert format_of(path) == "archive"


def test_a_folder_is_of_the_format_of_the_only_file_of_cells(
    adata: AnnData, save: Callable[[AnnData], Path], tmp_path: Path
) -> None:
    folder = tmp_path / "download"
    (folder / "deep").mkdir(parents=True)
    path = save(adata).rename(folder / "deep" / "cells.h5ad")
    (folder / "README.txt").write_text("a, b, c")
    (folder / ".DS_Store").write_bytes(b"RDX3")
    (folder / "__MACOSX").mkdir()
    (folder / "__MACOSX" / "cells.rds").write_bytes(b"RDX3")
    assert (format_of(folder), inside(folder)) == ("h5ad", path)


def test_a_folder_of_several_files_of_cells_is_not_guessed_from(tmp_path: Path) -> None:
    for name in ("one.rds", "two.rds"):
        (tmp_path / name).write_bytes(b"RDX3")
    assert (format_of(tmp_path), inside(tmp_path)) == ("folder", tmp_path)


def test_a_table_is_taken_where_there_is_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "cells.csv").write_bytes(BYTES["table"])
    assert inside(tmp_path) == tmp_path / "cells.csv"
    (tmp_path / "more.csv").write_bytes(BYTES["table"])
    assert format_of(tmp_path) == "folder"


def test_a_folder_of_cell_ranger_is_known(tmp_path: Path) -> None:
    (tmp_path / "matrix.mtx.gz").touch()
    assert format_of(tmp_path) == "mtx_folder"


def test_a_zarr_folder_is_known(tmp_path: Path) -> None:
    (tmp_path / "deep" / "cells").mkdir(parents=True)
    (tmp_path / "deep" / "cells" / "zarr.json").touch()
    assert format_of(tmp_path / "deep" / "cells") == "zarr"
    assert inside(tmp_path) == tmp_path / "deep" / "cells"


def test_links_that_lead_out_of_a_folder_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside.rds").write_bytes(b"RDX3")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "cells.rds").symlink_to(tmp_path / "outside.rds")
    (folder / "up").symlink_to(tmp_path)
    assert format_of(folder) == "folder"


def test_a_link_to_another_file_is_not_followed_to_tell_the_format(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["barcodes"], file["indptr"] = [1], [1]
    with h5py.File(tmp_path / "cells.h5", "w") as file:
        file["matrix"] = h5py.ExternalLink("secret.h5", "/")
    assert format_of(tmp_path / "cells.h5") == "hdf5"


def test_the_refusal_names_what_was_found_and_what_would_work(tmp_path: Path) -> None:
    path = tmp_path / "cells.h5ad"
    path.write_bytes(BYTES["excel"])
    with pytest.raises(UnreadableFileError, match=r"cells\.h5ad is an Excel workbook") as caught:
        check_file(path)
    assert "CSV" in caught.value.hint


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_file_that_was_cut_off_is_said_to_be_so(
    share: float, adata: AnnData, save: Callable[[AnnData], Path]
) -> None:
    path = save(adata)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(UnreadableFileError, match="cut off or damaged") as caught:
        check_file(path)
    assert "again" in caught.value.hint


def test_every_format_that_is_not_read_has_a_way_out() -> None:
    assert all(what and hint.endswith(".") for what, hint in NOT_READ.values())


def test_a_format_that_is_read_passes(adata: AnnData, save: Callable[[AnnData], Path]) -> None:
    assert refuse_other(save(adata)) == "h5ad"
