"""Archives: what lies in them is unpacked and nothing else, never outside, never more than allowed."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from scviz.datasets.arriving.packed import unpack
from scviz.datasets.formats import format_of, inside
from scviz.errors import UnreadableFileError, UnsafeFileError
from scviz.progress import Progress, silent
from tests.datasets.market_files import LIMIT, equal, made, read, write_10x

COUNTS, OTHER = made(1), made(2)
Pack = Callable[[Path, Mapping[str, bytes]], Path]


def zipped(path: Path, files: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, files: Mapping[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def _tar(mode: str) -> Pack:
    return lambda path, files: tarred(path, files, mode)


PACKS: dict[str, Pack] = {
    "zip": zipped,
    "tar": tarred,
    "tar.gz": _tar("w:gz"),
    "tar.bz2": _tar("w:bz2"),
    "tar.xz": _tar("w:xz"),
}


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def unpacked(path: Path, *, limit: int = LIMIT) -> Path:
    folder = path.parent / "unpacked"
    folder.mkdir()
    unpack(path, folder, limit=limit, report=silent)
    return folder


@pytest.fixture
def triple(tmp_path: Path) -> dict[str, bytes]:
    """Files of Cell Ranger, by name."""
    return files_of(write_10x(tmp_path / "made", COUNTS))


@pytest.mark.parametrize("kind", PACKS)
def test_counts_are_read_from_every_kind_of_archive(
    kind: str, triple: dict[str, bytes], tmp_path: Path
) -> None:
    members = {
        f"./sample/deep/{name}" if kind != "zip" else f"sample/{name}": content
        for name, content in triple.items()
    }
    path = PACKS[kind](tmp_path / "cells.h5ad", members)
    assert format_of(path) == "archive"
    assert equal(read(unpacked(path)), COUNTS)


@pytest.mark.parametrize("kind", PACKS)
def test_archives_within_an_archive_are_samples(kind: str, triple: dict[str, bytes], tmp_path: Path) -> None:
    other = files_of(write_10x(tmp_path / "other", OTHER))
    inner = {
        f"{name}.{kind}": PACKS[kind](tmp_path / name, files).read_bytes()
        for name, files in {"GSM1_a": triple, "GSM2_b": other}.items()
    }
    incoming = read(unpacked(tarred(tmp_path / "GSE1_RAW.tar", inner)))
    assert equal(incoming, np.vstack([COUNTS, OTHER]))
    assert incoming.cells["sample"].cat.categories.tolist() == ["GSM1_a", "GSM2_b"]


def test_what_is_hidden_of_macos_or_no_counts_is_not_written(
    triple: dict[str, bytes], tmp_path: Path
) -> None:
    more = {
        "__MACOSX/s/._matrix.mtx.gz": b"\x00",
        "s/.DS_Store": b"\x00",
        "s/possorted_genome_bam.bam": b"BAM",
        "s/web_summary.html": b"<html>",
        "s/cloupe.cloupe": b"x",
        "s/fragments.tsv.gz": b"x",
    }
    folder = unpacked(zipped(tmp_path / "cells.zip", {**{f"s/{k}": v for k, v in triple.items()}, **more}))
    assert sorted(files_of(folder)) == sorted(f"s/{name}" for name in triple)


def test_the_hidden_files_of_zarr_are_written(tmp_path: Path) -> None:
    names = ["cells.zarr/.zgroup", "cells.zarr/X/.zarray", "cells.zarr/X/0.0"]
    folder = unpacked(tarred(tmp_path / "cells.tar", dict.fromkeys(names, b"{}")))
    assert sorted(files_of(folder)) == sorted(names)
    assert format_of(folder) == "zarr"


OUTSIDE = [
    "../evil.txt",
    "/etc/evil.txt",
    "a/../../evil.txt",
    "..\\evil.txt",
    "C:\\evil.txt",
    "a/b/../../../evil",
]


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_a_name_that_leads_outside_is_refused(
    kind: str, name: str, triple: dict[str, bytes], tmp_path: Path
) -> None:
    path = PACKS[kind](tmp_path / "cells", {**triple, name: b"evil"})
    before = set(tmp_path.rglob("evil*"))
    with pytest.raises(UnsafeFileError, match="leads outside"):
        unpacked(path)
    assert set(tmp_path.rglob("evil*")) == before


def test_links_devices_and_folders_of_a_tar_are_not_made(triple: dict[str, bytes], tmp_path: Path) -> None:
    path = tarred(tmp_path / "cells.tar", triple)
    with tarfile.open(path, "a") as archive:
        for name, kind in {
            "link": tarfile.SYMTYPE,
            "hard": tarfile.LNKTYPE,
            "pipe": tarfile.FIFOTYPE,
        }.items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
    folder = unpacked(path)
    assert sorted(item.name for item in folder.iterdir()) == sorted(triple)


@pytest.mark.parametrize("kind", PACKS)
def test_an_archive_that_unpacks_to_too_much_is_refused(kind: str, tmp_path: Path) -> None:
    path = PACKS[kind](tmp_path / "cells", {f"{i}.txt": b"0" * 300_000 for i in range(5)})
    with pytest.raises(UnsafeFileError, match="unpacks to more than"):
        unpacked(path, limit=1_000_000)
    assert sum(map(len, files_of(tmp_path / "unpacked").values())) <= 1_000_000


def test_a_zip_that_lies_about_its_sizes_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "cells.zip", {"a.txt": b"0" * 1_000_000})
    content = path.read_bytes()
    path.write_bytes(content.replace((1_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    with pytest.raises((UnsafeFileError, UnreadableFileError)):
        unpacked(path, limit=100_000)
    assert sum(map(len, files_of(tmp_path / "unpacked").values())) <= 100_000


def test_a_bomb_within_an_archive_is_counted_too(tmp_path: Path) -> None:
    content = gzip.compress(tarred(tmp_path / "inner", {"a.txt": b"0" * 2_000_000}).read_bytes())
    with pytest.raises(UnsafeFileError, match="unpacks to more than"):
        unpacked(zipped(tmp_path / "cells.zip", {"inner.tar.gz": content}), limit=1_000_000)


def test_archives_that_are_nested_too_deep_are_refused(tmp_path: Path) -> None:
    content = b"x"
    for i in range(6):
        content = zipped(tmp_path / f"{i}", {f"{i}.zip" if i else "a.txt": content}).read_bytes()
    (tmp_path / "cells.zip").write_bytes(content)
    with pytest.raises(UnsafeFileError, match="archives within archives"):
        unpacked(tmp_path / "cells.zip")


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scviz.datasets.arriving.packed.MOST_MEMBERS", 3)
    with pytest.raises(UnsafeFileError, match="more than 3 files"):
        unpacked(zipped(tmp_path / "cells.zip", {f"{i}.txt": b"" for i in range(5)}))


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("kind", ["tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_an_archive_that_was_cut_off_is_said_to_be_so(kind: str, share: float, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).bytes(200_000)
    path = PACKS[kind](tmp_path / "cells", {"matrix.mtx": noise[:100_000], "more.txt": noise[100_000:]})
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(UnreadableFileError, match=r"cells is (cut off|damaged)"):
        unpacked(path)


def test_a_locked_zip_says_so(tmp_path: Path) -> None:
    path = zipped(tmp_path / "cells.zip", {"a.txt": b"secret"})
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match="password"):
        unpacked(path)


def test_a_damaged_zip_is_refused_in_words(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).bytes(1000)
    path = zipped(tmp_path / "cells.zip", {"a.txt": noise})
    content = bytearray(path.read_bytes())
    content[200:220] = b"\x00" * 20
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match="damaged"):
        unpacked(path)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_file_that_is_compressed_as_a_whole_is_unpacked(
    pack: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    (tmp_path / "cells.h5ad.gz").write_bytes(pack(b"\x89HDF\r\n\x1a\n0123"))
    assert files_of(unpacked(tmp_path / "cells.h5ad.gz")) == {"cells.h5ad": b"\x89HDF\r\n\x1a\n0123"}


def test_a_compressed_file_within_an_archive_is_unpacked_where_it_must_be(tmp_path: Path) -> None:
    members = {
        "deep/cells.h5ad.gz": gzip.compress(b"\x89HDF\r\n\x1a\n0123"),
        "deep/cells.rds.gz": gzip.compress(gzip.compress(b"RDX3\nX\n")),
        "deep/cells.csv.gz": gzip.compress(b"a,b\n"),
    }
    files = files_of(unpacked(tarred(tmp_path / "cells.tar", members)))
    assert files["deep/cells.h5ad"] == b"\x89HDF\r\n\x1a\n0123"
    assert gzip.decompress(files["deep/cells.rds"]) == b"RDX3\nX\n"
    assert files["deep/cells.csv.gz"] == members["deep/cells.csv.gz"]
    assert len(files) == 3


@pytest.mark.parametrize("name", ["cells.rds", "cells.csv"])
def test_the_only_file_of_another_format_is_handed_on(name: str, tmp_path: Path) -> None:
    content = b"RDX3\nX\n" if name.endswith("rds") else b"gene,cell\nA,1\n"
    folder = unpacked(zipped(tmp_path / "cells.zip", {f"deep/{name}": content, "README.md": b"words"}))
    assert inside(folder) == folder / "deep" / name


def test_a_full_name_that_no_disk_takes_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="cannot be unpacked") as caught:
        unpacked(zipped(tmp_path / "cells.zip", {"x" * 300: b"1"}))
    assert caught.value.hint


def test_progress_is_told(triple: dict[str, bytes], tmp_path: Path) -> None:
    told: list[Progress] = []
    (tmp_path / "to").mkdir()
    unpack(zipped(tmp_path / "cells.zip", triple), tmp_path / "to", limit=LIMIT, report=told.append)
    assert told[-1].done == sum(map(len, triple.values()))
