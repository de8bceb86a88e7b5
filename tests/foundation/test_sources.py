"""Downloads from a place that answers like huggingface.co: whole, cut off, changed, unreachable."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scviz.errors import CheckpointError, JobCancelledError
from scviz.foundation.card import ReleasedCheckpoint
from scviz.foundation.sources import download
from scviz.models.geneformer.model import Geneformer
from scviz.progress import Progress, silent
from tests.foundation.hub import COMMIT, GENES, Hub, published_files, release, serving

WEIGHTS = "Tiny/model.safetensors"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with serving(published_files(tmp_path)) as place:
        yield place


@pytest.fixture
def released(hub: Hub) -> ReleasedCheckpoint:
    return release(hub.files)


def test_only_the_files_named_are_fetched_and_they_are_a_checkpoint(
    hub: Hub, released: ReleasedCheckpoint, tmp_path: Path
) -> None:
    heard: list[Progress] = []
    download(released, tmp_path / "here", endpoint=hub.endpoint, report=heard.append)
    model = Geneformer.from_checkpoint(tmp_path / "here")
    assert model.vocab.genes == tuple(GENES)
    assert not any("not_needed" in request for request in hub.asked)
    assert heard[-1].done == heard[-1].total == sum(file.size for file in released.files)
    gets = [request for request in hub.asked if request.startswith("GET") and "/storage/" not in request]
    assert all(COMMIT in request for request in gets)  # all files are of one version


def test_what_is_here_is_not_fetched_again(hub: Hub, released: ReleasedCheckpoint, tmp_path: Path) -> None:
    download(released, tmp_path / "here", endpoint=hub.endpoint, report=silent)
    hub.asked.clear()
    download(released, tmp_path / "here", endpoint=hub.endpoint, report=silent)
    assert hub.asked == []


def test_a_stopped_download_goes_on_where_it_ended(
    hub: Hub, released: ReleasedCheckpoint, tmp_path: Path
) -> None:
    content = hub.files[WEIGHTS]
    with pytest.raises(JobCancelledError):
        download(released, tmp_path / "here", endpoint=hub.endpoint, report=_stopping_at("model.safetensors"))
    (part,) = (tmp_path / "here" / ".parts").rglob("model.safetensors")
    part.write_bytes(content[:1000])  # as a disk has it after a part of the file
    hub.asked.clear()
    download(released, tmp_path / "here", endpoint=hub.endpoint, report=silent)
    assert f"GET /storage/{WEIGHTS} bytes=1000-" in hub.asked
    assert (tmp_path / "here" / "model.safetensors").read_bytes() == content


def test_a_connection_that_breaks_off_is_taken_up_again(
    hub: Hub, released: ReleasedCheckpoint, tmp_path: Path
) -> None:
    hub.cut_after = 1500
    download(released, tmp_path / "here", endpoint=hub.endpoint, report=silent)
    assert hub.asked.count(f"GET /storage/{WEIGHTS}") == 2
    assert (tmp_path / "here" / "model.safetensors").read_bytes() == hub.files[WEIGHTS]


def test_a_file_with_another_hash_is_refused_and_not_kept(
    hub: Hub, released: ReleasedCheckpoint, tmp_path: Path
) -> None:
    hub.files[WEIGHTS] = hub.files[WEIGHTS][:-1] + b"?"
    with pytest.raises(CheckpointError, match="not the file that was published") as refusal:
        download(released, tmp_path / "here", endpoint=hub.endpoint, report=silent)
    assert "Try once more" in refusal.value.hint
    assert not list((tmp_path / "here").rglob("model.safetensors"))


def test_a_placeholder_of_git_is_refused(hub: Hub, released: ReleasedCheckpoint, tmp_path: Path) -> None:
    hub.files[WEIGHTS] = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
    with pytest.raises(CheckpointError, match="placeholder"):
        download(released, tmp_path / "here", endpoint=hub.endpoint, report=silent)


def test_a_file_that_is_gone_is_a_sentence(hub: Hub, released: ReleasedCheckpoint, tmp_path: Path) -> None:
    del hub.files["Tiny/config.json"]
    with pytest.raises(CheckpointError, match="lacks a file of Tiny") as refusal:
        download(released, tmp_path / "here", endpoint=hub.endpoint, report=silent)
    assert refusal.value.hint


def test_without_a_connection_there_is_a_sentence_with_a_way_on(
    hub: Hub, released: ReleasedCheckpoint, tmp_path: Path
) -> None:
    with serving({}) as gone:
        nowhere = gone.endpoint
    with pytest.raises(
        CheckpointError, match="Tiny could not be downloaded from someone/Geneformer"
    ) as refusal:
        download(released, tmp_path / "here", endpoint=nowhere, report=silent)
    assert "copy the files into a folder" in refusal.value.hint
    assert str(refusal.value).endswith("This server has no connection to 127.0.0.1.")
    assert "Errno" not in str(refusal.value)


def _stopping_at(name: str):
    def report(progress: Progress) -> None:
        if name in progress.stage:
            raise JobCancelledError("stopped")

    return report
