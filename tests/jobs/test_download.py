"""Weights fetched by `python -m scviz models fetch`, with its engine and worker, from a place like huggingface.co."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from scviz.models.geneformer.model import Geneformer
from scviz.settings import ROOT
from scviz.workspace import Workspace
from tests.foundation.hub import GENES, published_files, release, serving
from tests.jobs.conftest import end_engine

WEIGHTS = "Tiny/model.safetensors"


@dataclass(frozen=True)
class Place:
    """A copy of the project whose card of Geneformer names two small releases, and what is published of them."""

    project: Path
    files: dict[str, bytes]

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.project / "home")

    def download(
        self, name: str, *options: str, files: dict[str, bytes] | None = None
    ) -> tuple[subprocess.CompletedProcess[str], list[str]]:
        """Run the command while the files are served; return how it ended and what was asked for."""
        with serving(self.files if files is None else files) as hub:
            environment = {
                **os.environ,
                "PYTHONPATH": str(self.project),
                "SCVIZ_HOME": str(self.workspace.home),
                "HF_ENDPOINT": hub.endpoint,
            }
            command = [sys.executable, "-P", "-m", "scviz", "models", "fetch", name, *options]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr
        return done, hub.asked


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("download")
    files = published_files(folder)
    project = folder / "project"
    shutil.copytree(ROOT / "scviz", project / "scviz")
    shutil.copytree(ROOT / "assets" / "genes", project / "assets" / "genes")
    small = release(files)
    added = (small, dataclasses.replace(small, name="Tiny, later"))
    with (project / "scviz" / "models" / "geneformer" / "__init__.py").open("a", encoding="utf-8") as front:
        front.write(
            f"\nimport dataclasses\nCARD = dataclasses.replace(CARD, released=({added!r} + CARD.released))\n"
        )
    place = Place(project, files)
    yield place
    end_engine(place.workspace.home)


def test_without_the_licence_the_command_says_what_to_accept_and_asks_for_nothing(place: Place) -> None:
    done, asked = place.download("Tiny")
    assert done.returncode == 1
    assert "I have read the license (Apache-2.0)" in done.stderr
    assert "--accept-license" in done.stderr
    assert asked == []
    assert not place.workspace.home.exists()


@pytest.mark.slow
def test_with_it_the_weights_are_here_and_each_file_is_the_published_one(place: Place) -> None:
    done, _ = place.download("Tiny", "--accept-license")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["missing"] == said["unexpected"] == []
    assert {file["name"]: file["published"] for file in said["known_files"]} == {
        "config.json": True,
        "model.safetensors": True,
        "token_dictionary_gc30M.pkl": True,
        "gene_median_dictionary_gc30M.pkl": True,
    }
    assert place.workspace.checkpoint(said["checkpoint"]).released == "Tiny"
    kept = Geneformer.from_checkpoint(place.workspace.checkpoint_folder(said["checkpoint"]))
    assert kept.vocab.genes == tuple(GENES)

    again, asked = place.download("Tiny", "--accept-license")
    assert again.returncode == 0
    assert "answered by run" in again.stderr
    assert json.loads(again.stdout) == said
    assert asked == []


@pytest.mark.slow
def test_a_file_that_is_not_the_published_one_is_told_and_not_kept(place: Place) -> None:
    """Whoever asks names the place: an engine that was started with another one asks this one all the same."""
    before = place.workspace.checkpoints()
    changed = {**place.files, WEIGHTS: place.files[WEIGHTS][:-1] + b"?"}
    done, asked = place.download("Tiny, later", "--accept-license", files=changed)
    assert done.returncode == 1
    assert "model.safetensors is not the file that was published" in done.stderr
    assert "Try once more" in done.stderr
    assert f"GET /storage/{WEIGHTS}" in asked
    assert place.workspace.checkpoints() == before
    assert not list(place.workspace.home.rglob("model.safetensors"))
