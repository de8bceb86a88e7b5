"""The key of a cluster of one's own."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from scviz.cli import main
from scviz.jobs.keys import KEY


@pytest.fixture(autouse=True)
def own_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCVIZ_HOME", str(tmp_path / "home"))


def test_it_is_made_for_its_user_alone_and_says_what_to_do_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "deep" / "key"
    assert main(["cluster-key", str(folder)]) == 0
    said = capsys.readouterr().out
    assert f"--tls-key {folder / KEY}" in said
    assert f"SCVIZ_SCHEDULER_KEY={folder}" in said
    if os.name == "posix":
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / KEY).stat().st_mode) == 0o600


def test_one_that_is_in_use_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["cluster-key", str(tmp_path / "key")])
    before = (tmp_path / "key" / KEY).read_bytes()
    assert main(["cluster-key", str(tmp_path / "key")]) == 1
    assert "There is a key in" in capsys.readouterr().err
    assert (tmp_path / "key" / KEY).read_bytes() == before
