"""Files that point elsewhere or unpack to too much are refused before anything reads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from anndata import AnnData

from scviz.datasets.doctor import check_file
from scviz.datasets.safety import allowed, inspect_h5
from scviz.errors import FileNotAllowedError, UnreadableFileError, UnsafeFileError


@pytest.fixture
def path(adata: AnnData, save: Callable[[AnnData], Path]) -> Path:
    return save(adata)


def test_an_ordinary_file_passes(path: Path) -> None:
    inspect_h5(path)


def test_a_file_of_2020_with_references_to_categories_passes(file_of_2020: Path) -> None:
    inspect_h5(file_of_2020)


def test_values_in_another_file_are_refused(path: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_bytes(b"password")
    with h5py.File(path, "r+") as file:
        file.create_dataset("uns/x", (8,), "u1", external=[(str(secret), 0, 8)])
    with pytest.raises(UnsafeFileError, match="/uns/x keeps its values in another file") as caught:
        check_file(path)
    assert "write_h5ad" in caught.value.hint


def test_virtual_values_are_refused(path: Path) -> None:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (4,))
    with h5py.File(path, "r+") as file:
        file.create_virtual_dataset("uns/x", layout)
    with pytest.raises(UnsafeFileError, match="another file"):
        inspect_h5(path)


@pytest.mark.parametrize("link", [h5py.SoftLink("/X"), h5py.ExternalLink("other.h5", "/X")])
def test_links_are_refused(path: Path, link: h5py.SoftLink) -> None:
    with h5py.File(path, "r+") as file:
        file["uns/x"] = link
    with pytest.raises(UnsafeFileError, match="/uns/x is a link"):
        inspect_h5(path)


def test_a_small_file_that_declares_twenty_gigabytes_is_refused(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file.create_dataset("layers/x", (50_000, 100_000), "f4", chunks=(100, 100))
    assert path.stat().st_size < 10**6
    with pytest.raises(UnsafeFileError, match="unpacks to more than 10 GB"):
        inspect_h5(path, limit=10 * 10**9)


def test_a_chunk_of_gigabytes_is_refused(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file.create_dataset("layers/x", (8, 8), "f8", chunks=(20_000, 20_000), maxshape=(None, None))
    with pytest.raises(UnsafeFileError, match="in pieces"):
        inspect_h5(path)


def test_groups_that_contain_themselves_come_to_an_end(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file["uns/again"] = file["/"]
        file["uns/self"] = file["uns"]
    inspect_h5(path)


def test_references_are_refused(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file.create_dataset("uns/x", data=np.array([file["X"].ref], dtype=h5py.ref_dtype))
    with pytest.raises(UnsafeFileError, match="references"):
        inspect_h5(path)


def test_references_inside_compound_values_are_refused(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file.create_dataset("uns/x", (2,), np.dtype([("a", "i4"), ("b", h5py.ref_dtype)]))
    with pytest.raises(UnsafeFileError, match="references"):
        inspect_h5(path)


def test_a_name_that_is_no_text_is_refused(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file["uns"].create_group(b"\xff\xfe")
    with pytest.raises(UnsafeFileError, match="no text"):
        inspect_h5(path)


def test_very_many_objects_are_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scviz.datasets.safety.OBJECT_LIMIT", 10)
    with pytest.raises(UnsafeFileError, match="more than 10 objects"):
        inspect_h5(path)


def test_a_file_below_a_root_is_allowed(path: Path, tmp_path: Path) -> None:
    assert allowed(path, [tmp_path]) == path.resolve()


def test_a_file_outside_the_roots_is_not_allowed(path: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotAllowedError, match="outside") as caught:
        allowed(tmp_path / "data" / ".." / "cells.h5ad", [tmp_path / "data"])
    assert "Copy the file" in caught.value.hint


def test_a_link_that_leads_outside_is_not_allowed(path: Path, tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    (root / "link.h5ad").symlink_to(path)
    with pytest.raises(FileNotAllowedError):
        allowed(root / "link.h5ad", [root])


def test_what_lies_outside_and_is_missing_looks_like_what_is_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotAllowedError):
        allowed("/no/such/file", [tmp_path])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"no file .*gone\.h5ad"):
        allowed(tmp_path / "gone.h5ad", [tmp_path])
