"""Files are fetched whole, go on where they ended, and are unpacked within limits."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from scviz.datasets.fetching import fetch, unpack_member
from scviz.errors import DataError, UnreadableFileError, UnsafeFileError
from scviz.progress import Progress
from tests.datasets.server import Place, place, zipped

CONTENT = bytes(range(256)) * 4096  # 1 MB


def get(held: Place, target: Path, path: str = "/one", reports: list[Progress] | None = None) -> None:
    kept: list[Progress] = [] if reports is None else reports
    fetch(
        f"{held.address}{path}",
        target,
        most_bytes=2_000_000,
        stage="Downloading",
        by_hand="Copy it.",
        report=kept.append,
    )


def test_a_file_is_fetched_with_its_progress(tmp_path: Path) -> None:
    reports: list[Progress] = []
    with place({"/one": CONTENT}) as held:
        get(held, tmp_path / "one", reports=reports)
    assert (tmp_path / "one").read_bytes() == CONTENT
    assert reports[-1].done == reports[-1].total == len(CONTENT)
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_what_was_cut_off_is_whole_after_the_next_try(tmp_path: Path, *, knows_ranges: bool) -> None:
    with place({"/one": CONTENT}) as held:
        held.cut_after, held.knows_ranges = 600_000, knows_ranges
        with pytest.raises(DataError, match="could not be downloaded") as refusal:
            get(held, tmp_path / "one")
        assert "what is here is kept" in refusal.value.hint
        assert "Copy it." in refusal.value.hint
        assert not (tmp_path / "one").exists()
        here = (tmp_path / "one.part").stat().st_size
        assert 0 < here <= 600_000
        get(held, tmp_path / "one")
        assert (tmp_path / "one").read_bytes() == CONTENT
        assert held.asked == ["/one", f"/one bytes={here}-" if knows_ranges else "/one"]


def test_a_part_that_is_all_is_taken(tmp_path: Path) -> None:
    (tmp_path / "one.part").write_bytes(CONTENT)
    with place({"/one": CONTENT}) as held:
        get(held, tmp_path / "one")
    assert (tmp_path / "one").read_bytes() == CONTENT


def test_a_part_of_something_longer_is_thrown_away(tmp_path: Path) -> None:
    (tmp_path / "one.part").write_bytes(CONTENT + b"more")
    with place({"/one": CONTENT}) as held:
        with pytest.raises(DataError, match="answered 416"):
            get(held, tmp_path / "one")
        get(held, tmp_path / "one")
    assert (tmp_path / "one").read_bytes() == CONTENT


def test_a_file_that_is_here_is_not_asked_for(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"here")
    with place({}) as held:
        get(held, tmp_path / "one")
        assert held.asked == []


def test_a_place_that_lacks_the_file_is_told_with_the_way_by_hand(tmp_path: Path) -> None:
    with place({}) as held, pytest.raises(DataError, match="answered 404") as refusal:
        get(held, tmp_path / "one")
    assert refusal.value.hint == "Copy it."


def test_a_place_that_cannot_be_reached_is_told_with_the_way_by_hand(tmp_path: Path) -> None:
    with place({}) as held:
        pass
    with pytest.raises(DataError, match="could not be downloaded") as refusal:
        get(held, tmp_path / "one")
    assert "Copy it." in refusal.value.hint


def test_a_file_that_is_too_large_is_refused_before_it_is_here(tmp_path: Path) -> None:
    with place({"/one": CONTENT * 3}) as held, pytest.raises(UnsafeFileError, match="larger than 2 MB"):
        get(held, tmp_path / "one")
    assert (tmp_path / "one.part").stat().st_size == 0


def test_one_member_is_unpacked_and_its_folder_means_nothing(tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("../../norman/perturb_processed.h5ad", b"cells")
        archive.writestr("norman/readme.txt", b"words")
    (tmp_path / "in.zip").write_bytes(content.getvalue())
    unpack_member(tmp_path / "in.zip", "perturb_processed.h5ad", tmp_path / "out", most_bytes=10)
    assert (tmp_path / "out").read_bytes() == b"cells"
    assert {path.name for path in tmp_path.iterdir()} == {"in.zip", "out"}


def test_what_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in.zip").write_bytes(zipped(**{"a__x.h5ad": bytes(10_000_000)}))
    assert (tmp_path / "in.zip").stat().st_size < 20_000
    with pytest.raises(UnsafeFileError, match="unpacks to more"):
        unpack_member(tmp_path / "in.zip", "x.h5ad", tmp_path / "out", most_bytes=1_000_000)
    assert (tmp_path / "out").stat().st_size <= 1_000_000


@pytest.mark.parametrize(
    ("members", "match"),
    [({"b.txt": b""}, "holds 0 files"), ({"a__x.h5ad": b"", "b__x.h5ad": b""}, "holds 2")],
)
def test_another_content_is_refused(tmp_path: Path, members: dict[str, bytes], match: str) -> None:
    (tmp_path / "in.zip").write_bytes(zipped(**members))
    with pytest.raises(UnreadableFileError, match=match):
        unpack_member(tmp_path / "in.zip", "x.h5ad", tmp_path / "out", most_bytes=10)


def test_no_archive_and_a_damaged_one_are_refused(tmp_path: Path) -> None:
    (tmp_path / "in.zip").write_bytes(b"<html>")
    with pytest.raises(UnreadableFileError, match="no zip archive"):
        unpack_member(tmp_path / "in.zip", "x.h5ad", tmp_path / "out", most_bytes=10)
    whole = zipped(**{"a__x.h5ad": bytes(range(256)) * 40})
    damaged = bytearray(whole)
    damaged[60:70] = b"0" * 10
    (tmp_path / "in.zip").write_bytes(damaged)
    with pytest.raises(UnreadableFileError, match="damaged"):
        unpack_member(tmp_path / "in.zip", "x.h5ad", tmp_path / "out", most_bytes=20_000)
