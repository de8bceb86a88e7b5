"""Texts are counted by the lengths that they declare; nothing is unpacked to know what it unpacks to."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from anndata import AnnData

from scviz.datasets import packing, safety
from scviz.datasets.heap import AttributeBytes, UncountableError, dataset_bytes
from scviz.datasets.packing import first_missing_filter, missing_filter
from scviz.datasets.safety import inspect_h5
from scviz.errors import UnsafeFileError

TEXTS = ["abc", "", "defgh"]
LONG = "A" * 12_000_000
MIXED = np.dtype([("a", "i4"), ("s", h5py.string_dtype()), ("v", h5py.vlen_dtype("f8")), ("n", "f8")])


@pytest.fixture
def path(adata: AnnData, save: Callable[[AnnData], Path]) -> Path:
    return save(adata)


@pytest.mark.parametrize("user_block", [0, 512])
@pytest.mark.parametrize("writer", ["earliest", "latest"])
@pytest.mark.parametrize(
    "packed", [{}, {"chunks": (2,)}, {"compression": "gzip"}, {"compression": "lzf", "shuffle": True}]
)
def test_texts_are_counted_in_every_layout(
    tmp_path: Path, packed: dict, writer: str, user_block: int
) -> None:
    path = tmp_path / "x.h5"
    with h5py.File(path, "w", libver=writer, userblock_size=user_block) as file:
        file.create_dataset("texts", data=TEXTS * 7, dtype=h5py.string_dtype(), **packed)
        mixed = file.create_dataset("mixed", (3,), dtype=MIXED, **packed)
        mixed[1] = (1, "hello", np.arange(3.0), 2.0)
    with h5py.File(path) as file, path.open("rb") as raw:
        assert dataset_bytes(file["texts"], raw) == 7 * 8
        assert dataset_bytes(file["mixed"], raw) == 5 + 3 * 8


@pytest.mark.parametrize("user_block", [0, 512])
@pytest.mark.parametrize("tracked", [True, False])
def test_texts_of_attributes_are_counted(tmp_path: Path, *, tracked: bool, user_block: int) -> None:
    path = tmp_path / "x.h5"
    with h5py.File(path, "w", userblock_size=user_block) as file:
        group = file.create_group("g", track_order=tracked)
        for i in range(7):
            group.attrs[f"a{i}"] = ["q" * i, "rr"]
        group.attrs["one"] = "hello"
    with h5py.File(path) as file, path.open("rb") as raw:
        count = AttributeBytes(raw, file.userblock_size)
        address = h5py.h5o.get_info(file["g"].id).addr
        assert [count.count(file["g"], address, f"a{i}") for i in range(7)] == [2, 3, 4, 5, 6, 7, 8]
        assert count.count(file["g"], address, "one") == 5


def _share(path: Path, offset: int, n: int) -> None:
    """Let n references point to where the first one does."""
    with path.open("r+b") as raw:
        raw.seek(offset)
        reference = raw.read(16)
        raw.seek(offset)
        raw.write(reference * n)


@pytest.mark.parametrize("kind", [h5py.string_dtype(), h5py.string_dtype("ascii"), h5py.vlen_dtype(np.uint8)])
def test_a_column_whose_values_share_one_long_text_is_refused(path: Path, kind: np.dtype) -> None:
    with h5py.File(path, "r+") as file:
        column = file["obs"].create_dataset("bomb", (180,), dtype=kind)
        column[0] = LONG if h5py.check_string_dtype(kind) else np.zeros(len(LONG), np.uint8)
        offset = column.id.get_offset()
    _share(path, offset, 180)
    with pytest.raises(
        UnsafeFileError, match=r"up to those of /obs/bomb, unpack to 2.2 GB, more than the file itself"
    ):
        inspect_h5(path)


def test_a_table_of_2019_with_shared_texts_is_refused(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        table = file.create_dataset("uns/old", (50,), dtype=np.dtype([("s", h5py.string_dtype())]))
        table[0] = (LONG,)
        offset = table.id.get_offset()
    _share(path, offset, 50)
    with pytest.raises(UnsafeFileError, match=r"those of /uns/old, unpack to 0.6 GB"):
        inspect_h5(path)


def test_an_attribute_with_shared_texts_is_refused(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file["obs"].attrs["bomb"] = [LONG, *["x"] * 99]
    with h5py.File(path) as file, path.open("rb") as raw:
        count = AttributeBytes(raw)
        address = h5py.h5o.get_info(file["obs"].id).addr
        place, size = dict(count._attributes(address))[b"bomb"]
        assert size >= 1_600
    _share(path, place, 100)
    with pytest.raises(UnsafeFileError, match=r"the attribute 'bomb' of /obs, unpack to 1.2 GB"):
        inspect_h5(path)


def test_texts_whose_lengths_cannot_be_known_are_refused(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file.create_dataset("uns/x", (4,), dtype=h5py.vlen_dtype(h5py.vlen_dtype(np.int32)))
    with pytest.raises(UnsafeFileError, match="/uns/x holds texts whose size cannot be known beforehand"):
        inspect_h5(path)


def test_a_long_text_that_stands_for_none_is_refused(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file.create_dataset(
            "uns/x", (1_000_000,), dtype=h5py.string_dtype(), chunks=(100,), fillvalue="A" * 1_000
        )
    with pytest.raises(UnsafeFileError, match="/uns/x"):
        inspect_h5(path)


def test_texts_in_the_header_of_a_dataset_are_not_counted(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_layout(h5py.h5d.COMPACT)
        kind = h5py.h5t.py_create(h5py.string_dtype(), logical=True)
        h5py.h5d.create(file.id, b"x", kind, h5py.h5s.create_simple((2,)), plan)
    with h5py.File(path) as file, path.open("rb") as raw, pytest.raises(UncountableError):
        dataset_bytes(file["x"], raw)


def test_a_piece_that_inflates_beyond_its_size_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "SUSPECT", 20_000)
    packed = zlib.compress(bytes(40_000_000), 1)
    with h5py.File(path, "r+") as file:
        column = file.create_dataset("uns/x", (1_000_000,), "f8", chunks=(1_000_000,), compression="gzip")
        column.id.write_direct_chunk((0,), packed)
    with pytest.raises(UnsafeFileError, match="/uns/x unpacks to more than it declares"):
        inspect_h5(path)


def test_a_large_piece_of_random_numbers_passes(path: Path) -> None:
    values = np.random.default_rng(0).random(500_000)
    with h5py.File(path, "r+") as file:
        file.create_dataset("uns/x", data=values, chunks=values.shape, compression="gzip", shuffle=True)
        file.create_dataset("uns/y", data=values, chunks=values.shape, compression="gzip", fletcher32=True)
    inspect_h5(path)


def test_a_dictionary_of_very_many_entries_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety, "OBJECT_LIMIT", 1_000)
    with h5py.File(path, "r+") as file:
        many = file.create_group("uns/many")
        one = many.create_dataset("0", data=1)
        for i in range(1, 1_001):
            many[str(i)] = one
    with pytest.raises(UnsafeFileError, match="more than 1,000 objects"):
        inspect_h5(path)


def test_a_filter_that_is_not_installed_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("plain", data=np.arange(4), chunks=(4,), compression="gzip")
    named = {}
    for code in (32001, 32015, 65_000):
        with h5py.File(tmp_path / f"{code}.h5", "w") as file:
            plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            plan.set_chunk((4,))
            plan.set_filter(code, h5py.h5z.FLAG_OPTIONAL)
            kind = h5py.h5t.py_create(np.dtype("i4"))
            h5py.h5d.create(file.id, b"X", kind, h5py.h5s.create_simple((4,)), plan)
        with h5py.File(tmp_path / f"{code}.h5") as file:
            named[code] = first_missing_filter(file)
    assert named == {
        32001: "/X is compressed by blosc, which needs hdf5plugin",
        32015: "/X is compressed by zstd, which needs hdf5plugin",
        65_000: "/X is compressed by a filter of number 65000, which is not known here",
    }
    with h5py.File(path) as file:
        assert missing_filter(file["plain"]) == first_missing_filter(file) == ""
