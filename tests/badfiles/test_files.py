"""Every odd file has its exact outcome."""

from __future__ import annotations

from pathlib import Path

import pytest

from scviz.workspace import Workspace
from tests.badfiles import broken, encodings, formats, values, writers
from tests.badfiles.case import Case

CASES = (*encodings.CASES, *values.CASES, *broken.CASES, *formats.CASES, *writers.CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_odd_file_has_its_outcome(case: Case, tmp_path: Path) -> None:
    folder = tmp_path / "file"
    folder.mkdir()
    case.check(folder, Workspace(tmp_path / "home"))


def test_no_two_cases_have_one_name() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
