"""Screens and gene terms by `python -m scviz`, with its engine and worker."""

from __future__ import annotations

import json
import os
import pickle  # noqa: TID251 - the published file is one
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from scviz.settings import ROOT
from scviz.workspace import Workspace
from tests.datasets.server import place
from tests.jobs.conftest import end_engine


@dataclass(frozen=True)
class Terminal:
    """Where commands are typed."""

    workspace: Workspace

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        variables = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "SCVIZ_HOME": str(self.workspace.home),
            **environment,
        }
        command = [sys.executable, "-P", "-m", "scviz", *words]
        done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr
        return done


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    workspace = Workspace(tmp_path_factory.mktemp("screens") / "home")
    yield Terminal(workspace)
    end_engine(workspace.home)


@pytest.mark.slow
def test_a_simulated_screen_is_opened_by_its_word(terminal: Terminal) -> None:
    done = terminal.run("open", "simulated:tiny")
    assert done.returncode == 0, done.stderr
    assert terminal.workspace.dataset(done.stdout.strip()).simulated == "tiny"
    again = terminal.run("open", "simulated:tiny")
    assert again.stdout == done.stdout
    assert "answered by run" in again.stderr


def test_an_unknown_size_or_screen_is_refused_with_the_known_ones(terminal: Terminal) -> None:
    for words, known in (("simulated:huge", "clean"), ("public:mine", "norman")):
        done = terminal.run("open", words)
        assert done.returncode == 1
        assert known in done.stderr


@pytest.mark.slow
def test_terms_are_downloaded_from_the_place_that_the_command_names(terminal: Terminal) -> None:
    terms = {"KLF1": {"GO:1", "GO:2"}, "GATA1": {"GO:1"}}
    with place({"/api/access/datafile/6153417": pickle.dumps(terms)}) as held:
        done = terminal.run("terms", "--download", SCVIZ_DATAVERSE=held.address)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["n_genes"], said["n_terms"]) == (2, 2)
    assert terminal.workspace.terms()[0].id == said["terms"]


@pytest.mark.slow
def test_a_file_of_terms_is_taken_in(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "mine.gmt").write_text("GO:1\t\tKLF1\tGATA1\n", encoding="utf-8")
    done = terminal.run("terms", str(tmp_path / "mine.gmt"), "--name", "Blood")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["terms"].startswith("blood-")


def test_without_a_file_terms_says_what_to_give(terminal: Terminal) -> None:
    done = terminal.run("terms")
    assert done.returncode == 1
    assert ".gmt" in done.stderr


@pytest.mark.slow
def test_a_screen_that_cannot_be_fetched_is_told_in_one_line_with_the_way_by_hand(terminal: Terminal) -> None:
    with place({}) as held:
        done = terminal.run("open", "public:dixit", SCVIZ_DATAVERSE=held.address)
    assert done.returncode == 1
    assert "answered 404" in done.stderr
    assert "through a browser" in done.stderr
