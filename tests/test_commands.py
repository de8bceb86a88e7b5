"""What commands say while they wait, and of files that are not there."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from scviz import cli
from scviz.cli import running
from scviz.cli.running import text_of, wait, write_csv
from scviz.errors import JobError, RequestError
from scviz.jobs.queue import RunQueue
from scviz.settings import ROOT, Settings
from scviz.workspace.database import Run, State


class Told:
    """A queue with one run, which goes through some states."""

    def __init__(self, *states: dict[str, Any]) -> None:
        self._runs = [Run(id="a", task="annotation", **fields) for fields in states]

    def get(self, run: str) -> Run:
        return self._runs.pop(0)


def of(state: State, stage: str = "", **fields: Any) -> dict[str, Any]:
    return {"state": state, "stage": stage, **fields}


def said_of(*states: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> list[str]:
    wait(cast(RunQueue, Told(*states)), "a")
    return capsys.readouterr().err.splitlines()


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running.time, "sleep", lambda _seconds: None)


def test_a_stage_without_a_count_shows_none(capsys: pytest.CaptureFixture[str]) -> None:
    states = [
        of("queued"),
        of("queued"),
        of("running", "Training", done=2, total=8),
        of("running", "Baselines"),
    ]
    wanted = ["annotation: queued", "annotation: Training 2/8", "annotation: Baselines"]
    assert said_of(*states, of("done"), capsys=capsys) == wanted


def test_a_note_is_told_once_and_no_line_twice(capsys: pytest.CaptureFixture[str]) -> None:
    stage = of("running", "Training", note="Memory ran short.\nBatches are halved.")
    wanted = ["Memory ran short.", "Batches are halved.", "Training", "Drawing"]
    found = said_of(stage, stage, stage, {**stage, "stage": "Drawing"}, of("done"), capsys=capsys)
    assert found == [f"annotation: {line}" for line in wanted]


def test_a_run_that_fails_says_why() -> None:
    with pytest.raises(JobError, match="No cell is left"):
        wait(cast(RunQueue, Told(of("failed", message="No cell is left."))), "a")


def test_a_file_that_is_not_there_or_no_text_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    for name in ("nothing", "bytes"):
        with pytest.raises(RequestError, match=f"{name} cannot be read"):
            text_of(tmp_path / name)


def test_a_result_that_cannot_be_written_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def write(options: argparse.Namespace, settings: Settings) -> None:
        (tmp_path / "no folder" / "cells.csv").write_text("cell\n")

    monkeypatch.setattr(cli, "parser", argparse.ArgumentParser)
    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", lambda *_: argparse.Namespace(command=write))
    assert cli.main([]) == 1
    assert "cells.csv cannot be read or written: No such file" in capsys.readouterr().err


def test_a_table_of_cells_without_columns_has_a_row_for_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scviz.datasets.columns.cell_names", lambda _folder: ("a", "b"))
    settings = Settings.from_env({"SCVIZ_HOME": str(tmp_path)})
    write_csv(tmp_path / "cells.csv", "dataset", settings, columns=[], rows=zip())
    assert (tmp_path / "cells.csv").read_text().split() == ["cell", "a", "b"]


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_command_ends_without_a_word_when_nobody_reads_its_output_any_more(
    tmp_path: Path, unbuffered: str
) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    surroundings = os.environ | {"SCVIZ_HOME": str(tmp_path), "PYTHONUNBUFFERED": unbuffered}
    command = [sys.executable, "-m", "scviz", "models", "list"]
    found = subprocess.run(
        command, stdout=writes, stderr=subprocess.PIPE, env=surroundings, cwd=ROOT, check=False
    )
    os.close(writes)
    assert found.stderr == b""
    assert found.returncode == cli.OUTPUT_CLOSED
