"""The list of files that can be opened, and what is typed into it."""

from __future__ import annotations

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
        ("liver", "liver"),
    ],
)
def test_a_part_of_a_name_finds_the_file(typed: str, meant: str) -> None:
    assert file_meant(typed, LISTED) == meant


def test_a_part_of_two_names_is_answered_with_both() -> None:
    with pytest.raises(
        UnreadableFileError, match=r"2 files have 'spleen' in their names, such as spleen\.h5ad and old"
    ):
        file_meant("spleen", LISTED)
