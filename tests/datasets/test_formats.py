"""A wrong file gets one sentence: what it is, and what would work."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest
from anndata import AnnData

from scviz.datasets.doctor import check_file
from scviz.datasets.formats import NOT_READ, format_of, refuse_other
from scviz.errors import UnreadableFileError

BYTES = {
    "table": b"gene,cell1,cell2\nA,0,1\n",
    "rds": b"RDX3\nX\n",
    "mtx": b"%%MatrixMarket matrix coordinate integer general\n",
    "compressed": b"PK\x03\x04rest",
    "page": b"<!DOCTYPE html><html></html>",
    "pointer": b"version https://git-lfs.github.com/spec/v1\n",
    "empty": b"",
    "unknown": b"\x00\x01\x02",
}
GROUPS = {
    "10x": ("matrix/barcodes", "matrix/indptr"),
    "loom": ("matrix", "row_attrs/Gene", "col_attrs/CellID"),
    "h5mu": ("mod/rna",),
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


def test_a_compressed_table_is_a_table(tmp_path: Path) -> None:
    path = tmp_path / "cells.h5ad"
    path.write_bytes(gzip.compress(BYTES["table"]))
    assert format_of(path) == "table"


def test_a_compressed_file_of_anything_else_is_to_be_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "cells.h5ad.gz"
    path.write_bytes(gzip.compress(b"\x89HDF\r\n\x1a\n"))
    assert format_of(path) == "gzip"


def test_a_folder_of_cell_ranger_is_known(tmp_path: Path) -> None:
    (tmp_path / "matrix.mtx.gz").touch()
    assert format_of(tmp_path) == "mtx"


def test_the_refusal_names_what_was_found_and_what_would_work(tmp_path: Path) -> None:
    path = tmp_path / "cells.h5ad"
    path.write_bytes(BYTES["table"])
    with pytest.raises(UnreadableFileError, match=r"cells\.h5ad is a table of text") as caught:
        check_file(path)
    assert "write_h5ad" in caught.value.hint


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
