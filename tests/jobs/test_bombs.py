"""A hostile small file costs the check little, the web process nothing, and is refused in words."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from scviz.jobs.endings import TOO_LONG, Circumstances
from scviz.jobs.engine import importable
from scviz.memory import Room
from scviz.tasks import checking, front, gene_terms
from scviz.tasks.bounds import Bounds, bounds_of, tightened, unpack_limit
from scviz.workspace.records import to_json
from tests.badfiles.bombs import BOMBS, MEGABYTE, TERM_BOMBS

SMALL_MB = 13
CHECK_GB = 0.8


def looked_into(path: Path, home: Path, *, task: str = "checking", **env: str) -> tuple[dict, str]:
    """Look into a file as the engine does, in a child; its last word and its log."""
    folder = home / "runs" / "look"
    folder.mkdir(parents=True)
    request = {"task": task, "request": to_json(front(task).Request(path=str(path)))}
    (folder / "request.json").write_text(json.dumps(request))
    open_end, other_end = os.pipe()
    done = subprocess.run(
        [sys.executable, "-P", "-m", "scviz.jobs.worker", "look"],
        env=importable({"OMP_NUM_THREADS": "1", "SCVIZ_HOME": str(home), "SCVIZ_UNPACK_GB": "0.2", **env}),
        stdin=open_end,
        capture_output=True,
        text=True,
    )
    os.close(open_end)
    os.close(other_end)
    return json.loads(done.stdout.splitlines()[-1]), done.stderr


def refused_in_words(said: dict, log: str, words: str) -> None:
    """Look at the end of a check: it says why, and took little memory."""
    assert said["state"] == "failed"
    assert re.search(words, said["message"]), said
    assert "inside scviz" not in said["message"]
    assert said["hint"]
    peak = re.search(r"peak memory ([\d.]+) GB", log)
    assert peak is not None
    assert float(peak[1]) < CHECK_GB


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_file_that_unpacks_to_much_is_refused_in_words(name: str, tmp_path: Path) -> None:
    path = BOMBS[name](tmp_path)
    assert path.stat().st_size < SMALL_MB * MEGABYTE
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    said, log = looked_into(path, tmp_path / "home")
    refused_in_words(said, log, r"unpack|read here|longer than|vector")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000, "kilobytes, in this process"


@pytest.mark.parametrize("name", TERM_BOMBS)
def test_small_gene_terms_that_unpack_to_much_are_refused_in_words(name: str, tmp_path: Path) -> None:
    path = TERM_BOMBS[name](tmp_path)
    assert path.stat().st_size < MEGABYTE
    said, log = looked_into(path, tmp_path / "home", task="gene_terms", SCVIZ_MEMORY_GB="0.8")
    refused_in_words(said, log, r"holds more than|Memory ran out|brackets|deep")
    assert list((tmp_path / "home").glob("terms/*")) == []


def test_reading_gene_terms_has_the_bounds_of_a_check_and_published_ones_have_none(tmp_path: Path) -> None:
    file = tmp_path / "sets.gmt"
    file.write_bytes(b"heme\tabout\tKLF1\n")
    asked = gene_terms.Request(path=str(file))
    assert bounds_of("gene_terms", asked) == bounds_of("checking", checking.Request(path=str(file)))
    assert bounds_of("gene_terms", gene_terms.Request(download=True)) is None


def test_what_a_file_may_unpack_to_goes_with_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCVIZ_HOME", str(tmp_path))
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(b"x")
    with large.open("wb") as file:
        file.truncate(100 * MEGABYTE)
    assert (unpack_limit(small), unpack_limit(large)) == (10**9, 30 * 10**9)
    monkeypatch.setenv("SCVIZ_UNPACK_GB", "2")
    assert unpack_limit(large) == 2 * 10**9


def test_memory_and_time_of_a_check_go_with_the_size_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "cells.h5ad"
    with file.open("wb") as target:
        target.truncate(200 * MEGABYTE)
    bounds = bounds_of("checking", checking.Request(path=str(file)))
    assert bounds == Bounds(size=200 * MEGABYTE, gigabytes=8.0, seconds=620)
    server = Room(gigabytes=6.0, why="that is a test")
    assert tightened(server, bounds) == server
    roomy = tightened(Room(gigabytes=60.0, why="that is a test"), bounds)
    assert (roomy.gigabytes, roomy.why) == (8.0, "that is what looking into 200.0 MB may take")


def test_a_check_that_takes_too_long_is_ended_and_says_so(tmp_path: Path) -> None:
    code = "from scviz.jobs.endings import limit_time; limit_time(1); import re; re.match('(a*)*b', 'a' * 60)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=importable({}), timeout=60
    )  # it heeds nothing else
    ending = Circumstances(Room(gigabytes=9.0, why=""), tmp_path / "log").ending(
        done.returncode, stopped=False
    )
    assert (ending["state"], ending["hint"]) == ("failed", TOO_LONG)
    assert ending["message"] == "It took longer than it may, and was ended."
