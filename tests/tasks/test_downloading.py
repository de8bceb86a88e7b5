"""Published weights fetched and taken in, and what is refused before anything is fetched."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from scviz.errors import RequestError, UnknownModelError
from scviz.foundation.published import FoundFolder, checkpoint_folders, recognize
from scviz.models import cards, geneformer, model_class
from scviz.tasks.context import Context
from scviz.tasks.downloading import Request
from scviz.tasks.downloading.run import run
from scviz.workspace import Workspace
from tests.foundation.hub import published_files, release, serving


def laid_out(files: dict[str, bytes], folder: Path) -> Path:
    """Write published files into one folder."""
    folder.mkdir()
    for path, content in files.items():
        (folder / Path(path).name).write_bytes(content)
    return folder


def test_weights_are_fetched_taken_in_and_known_by_their_name(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = published_files(tmp_path)
    card = dataclasses.replace(geneformer.CARD, released=(release(files),))
    monkeypatch.setattr(geneformer, "CARD", card)
    heard = []
    context = Context(workspace=workspace, report=heard.append, folder=workspace.run_folder("one"))
    with serving(files) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        result = run(Request(model="geneformer", released="Tiny", accepted_licence=True), context)
    assert result.missing == result.unexpected == ()
    assert all(file.published for file in result.known_files)
    info = workspace.checkpoint(result.checkpoint)
    assert info.released == info.name == "Tiny"
    kept = model_class("geneformer").from_checkpoint(workspace.checkpoint_folder(result.checkpoint))
    source = model_class("geneformer").from_checkpoint(laid_out(files, tmp_path / "source"))
    assert np.array_equal(kept.gene_embeddings(), source.gene_embeddings())
    assert not (context.state / "download").exists()
    assert "Downloading model.safetensors" in {progress.stage for progress in heard}


@pytest.mark.parametrize("model", ["geneformer", "scfoundation"])
def test_nothing_is_asked_for_before_the_licence_is_accepted(model: str) -> None:
    card = cards()[model]
    with pytest.raises(RequestError) as refusal:
        Request(model=model, released=card.released[0].name)
    assert card.agreement in str(refusal.value)
    assert "--accept-license" in refusal.value.hint


def test_the_terms_of_scfoundation_are_research_only() -> None:
    assert "research only" in cards()["scfoundation"].agreement
    assert "Apache-2.0" in cards()["geneformer"].agreement


def test_weights_without_a_repository_come_with_the_steps_by_hand() -> None:
    with pytest.raises(RequestError, match="by hand only") as refusal:
        Request(model="scgpt", released="scGPT-whole-human", accepted_licence=True)
    assert "1oWh_-ZRdhtoGQ2Fw24HP41FgLoomVo-y" in refusal.value.hint


def test_files_that_the_repository_lacks_must_be_here(tmp_path: Path) -> None:
    request = {"model": "scfoundation", "released": "models.ckpt", "accepted_licence": True}
    with pytest.raises(RequestError, match="lacks OS_scRNA_gene_index"):
        Request(**request, beside=str(tmp_path))
    (tmp_path / "OS_scRNA_gene_index.19264.tsv").write_text("gene_name\tindex\n")
    assert Request(**request, beside=str(tmp_path)).beside


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    with pytest.raises(RequestError, match="no published weights 'V9'") as refusal:
        Request(model="geneformer", released="V9", accepted_licence=True)
    assert "Geneformer-V2-104M" in refusal.value.hint
    with pytest.raises(UnknownModelError):
        Request(model="bert", released="x", accepted_licence=True)


@pytest.mark.parametrize("model", list(cards()))
def test_whatever_is_published_can_be_had_somehow(model: str) -> None:
    for released in cards()[model].released:
        assert released.files
        assert released.hub or released.steps
        assert released.steps or not released.beside


def test_a_changed_file_is_told_from_the_published_one(tmp_path: Path) -> None:
    files = published_files(tmp_path)
    card = dataclasses.replace(geneformer.CARD, released=(release(files),))
    folder = laid_out(files, tmp_path / "folder")
    assert recognize(card, folder).released == "Tiny"
    (folder / "model.safetensors").write_bytes(b"other weights")
    changed = recognize(card, folder)
    assert changed.released == ""
    assert {file.name: file.published for file in changed.files}["model.safetensors"] is False
    assert {file.name: file.published for file in changed.files}["config.json"] is True


def test_folders_of_weights_are_found_by_their_files(tmp_path: Path) -> None:
    published = laid_out(published_files(tmp_path), tmp_path / "published")
    ours = tmp_path / "below" / "ours"
    model_class("geneformer").from_checkpoint(published).save(ours)
    scgpt = tmp_path / "scgpt"
    scgpt.mkdir()
    for name in ("args.json", "vocab.json", "best_model.pt"):
        (scgpt / name).touch()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "config.json").write_text("[]")
    found = checkpoint_folders(cards().values(), [tmp_path])
    assert sorted(found, key=lambda item: item.folder) == [
        FoundFolder(folder=ours.resolve(), model="geneformer"),
        FoundFolder(folder=published.resolve(), model="geneformer"),
        FoundFolder(folder=scgpt.resolve(), model="scgpt"),
    ]
    left = checkpoint_folders(cards().values(), [tmp_path], besides=[tmp_path / "below", scgpt])
    assert [item.folder for item in left] == [published.resolve()]
