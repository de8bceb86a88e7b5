"""The list of files that can be opened, and what is typed into it."""

from __future__ import annotations

from pathlib import Path

import pytest

from scviz.datasets.listing import file_meant
from scviz.errors import UnreadableFileError

LISTED = {
    "/data/spleen.h5ad": "spleen.h5ad",
    "/data/old/spleen.h5ad": "old/spleen.h5ad",
    "/data/t.loom": "t.loom",
}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("/data/t.loom", "/data/t.loom"),
        ("T.Lo", "/data/t.loom"),
        (" old", "/data/old/spleen.h5ad"),
        ("spleen.h5ad", "/data/spleen.h5ad"),
        ("/elsewhere/t.loom", "/elsewhere/t.loom"),
        ("OLD/spl", "/data/old/spleen.h5ad"),
        ("~/t.loom", "~/t.loom"),
    ],
)
def test_a_part_of_a_name_finds_the_file(typed: str, meant: str) -> None:
    assert file_meant(typed, LISTED, []) == meant


def test_a_path_within_a_data_folder_finds_a_file_that_is_not_listed(tmp_path: Path) -> None:
    (tmp_path / "b" / "old").mkdir(parents=True)
    (tmp_path / "b" / "old" / "counts.txt").write_text("gene\tcell\n", encoding="utf-8")
    found = file_meant("old/counts.txt", LISTED, [tmp_path / "a", tmp_path / "b"])
    assert Path(found) == tmp_path / "b" / "old" / "counts.txt"


@pytest.mark.parametrize("typed", ["liver.h5ad", "../liver.h5ad", "../secret.h5ad", "\0"])
def test_a_name_that_no_file_has_is_said_to_be_unknown_and_not_to_lie_elsewhere(
    typed: str, tmp_path: Path
) -> None:
    (tmp_path / "secret.h5ad").touch()
    root = tmp_path / "data"
    root.mkdir()
    with pytest.raises(UnreadableFileError, match="No file of the data folders is called") as found:
        file_meant(typed, LISTED, [root])
    assert str(root) in found.value.hint


def test_a_part_of_two_names_is_answered_with_both() -> None:
    with pytest.raises(
        UnreadableFileError, match=r"2 files have 'spleen' in their names, such as spleen\.h5ad and old"
    ):
        file_meant("spleen", LISTED, [])
