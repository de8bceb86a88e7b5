"""Published folders of scFoundation, whole and broken."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from anndata import AnnData
from scipy import sparse

from scviz.errors import CheckpointError
from scviz.foundation.classifier import CellTypeClassifier
from scviz.foundation.weights import read_nested
from scviz.models.scfoundation.checkpoint import our_name
from scviz.models.scfoundation.config import published, tiny
from scviz.models.scfoundation.model import ScFoundation
from scviz.models.scfoundation.network import Network

TINY = Path(__file__).parents[1] / "goldens" / "data" / "scfoundation" / "tiny_checkpoint"
GENES = [f"GENE{i}" for i in range(110)]
LIST = "OS_scRNA_gene_index.19264.tsv"
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 41183536\n"


def write_list(folder: Path, genes: list[str]) -> None:
    lines = ["gene_name\tindex", *(f"{gene}\t{i}" for i, gene in enumerate(genes))]
    (folder / LIST).write_text("\n".join(lines))


def cells() -> AnnData:
    counts = np.random.default_rng(0).poisson(1.0, size=(6, 110)).astype(np.float32)
    return AnnData(counts, var=pd.DataFrame(index=GENES))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three small members in the nesting and with the names of the published file."""
    shutil.copy(TINY / "models.ckpt", tmp_path / "models.ckpt")
    write_list(tmp_path, GENES)
    return tmp_path


def change(folder: Path, how: Callable[[dict[str, Any]], object]) -> None:
    """Write the weights again with something changed."""
    content = dict(read_nested(folder / "models.ckpt"))
    how(content)
    torch.save(content, folder / "models.ckpt")


def test_a_published_folder_is_read(folder: Path) -> None:
    model = ScFoundation.from_checkpoint(folder)
    n_tensors = len(read_nested(folder / "models.ckpt")["cell"]["state_dict"])
    assert model.vocab.genes == tuple(GENES)
    assert model.member == "cell"
    assert len(model.load_report.loaded) == n_tensors
    assert model.load_report.missing == model.load_report.unexpected == ()


@pytest.mark.parametrize(
    ("task", "member"),
    [
        ("embedding", "cell"),
        ("enhancement", "rde"),
        ("annotation", "gene"),
        ("modules", "gene"),
        ("x", "cell"),
    ],
)
def test_each_task_reads_the_weights_that_the_authors_use(folder: Path, task: str, member: str) -> None:
    model = ScFoundation.for_task(folder, task)
    assert model.member == member
    theirs = read_nested(folder / "models.ckpt")[member]["state_dict"]["model.pos_emb.weight"]
    assert torch.equal(model.network.position_embedding.weight, theirs)


def test_cells_are_annotated_without_depth(folder: Path) -> None:
    tokens = ScFoundation.for_task(folder, "annotation").tokenize(cells())
    assert tokens.gene_ids[tokens.mask].max() < len(GENES)


def test_saving_a_whole_checkpoint_keeps_every_member(folder: Path) -> None:
    ScFoundation.from_checkpoint(folder).save(folder / "ours")
    for task in ("embedding", "enhancement", "modules"):
        wanted = ScFoundation.for_task(folder, task).embed(cells())
        found = ScFoundation.for_task(folder / "ours", task)
        np.testing.assert_array_equal(found.embed(cells()), wanted)
        assert found.load_report.missing == found.load_report.unexpected == ()


def test_saving_what_was_read_for_a_task_keeps_that_alone(folder: Path) -> None:
    gene = ScFoundation.for_task(folder, "modules")
    gene.save(folder / "ours")
    again = ScFoundation.from_checkpoint(folder / "ours")
    assert again.member == "gene"
    assert not again.others
    assert ScFoundation.for_task(folder / "ours", "embedding").member == "gene"
    np.testing.assert_array_equal(again.embed(cells()), gene.embed(cells()))


def test_a_classifier_made_for_annotation_is_read_again(folder: Path) -> None:
    encoder = ScFoundation.for_task(folder, "annotation")
    classifier = CellTypeClassifier(encoder, encoder.classifier(2), ("B cell", "T cell")).eval()
    classifier.save(folder / "classifier")
    again = CellTypeClassifier.load(folder / "classifier", ScFoundation)
    tokens = encoder.tokenize(cells())
    assert np.array_equal(again.encoder.tokenize(cells()).gene_ids, tokens.gene_ids)
    with torch.no_grad():
        assert torch.equal(again(tokens), classifier(tokens))


def test_the_index_decides_the_order_of_genes(folder: Path) -> None:
    lines = [f"{gene}\t{i}" for i, gene in enumerate(GENES)]
    (folder / LIST).write_text("\n".join(["gene_name\tindex", *lines[::-1]]))
    assert ScFoundation.from_checkpoint(folder).vocab.genes == tuple(GENES)


def test_other_names_of_genes_are_taken_from_a_file(folder: Path) -> None:
    (folder / "gene_aliases.json").write_text(json.dumps({"old7": "GENE7"}))
    model = ScFoundation.from_checkpoint(folder)
    assert model.vocab.positions(["OLD7", "GENE7", "old8"]).tolist() == [7, 7, -1]


def test_other_names_that_lead_nowhere_are_refused(folder: Path) -> None:
    (folder / "gene_aliases.json").write_text(json.dumps({"old7": "GENE777"}))
    with pytest.raises(CheckpointError, match="leads to 1 genes that are not in the list, GENE777"):
        ScFoundation.from_checkpoint(folder)


@pytest.mark.parametrize(
    ("file", "words"), [("models.ckpt", "no scFoundation checkpoint"), (LIST, "0 gene lists")]
)
def test_a_missing_file_is_named_with_a_hint(folder: Path, file: str, words: str) -> None:
    (folder / file).unlink()
    with pytest.raises(CheckpointError, match=words) as error:
        ScFoundation.from_checkpoint(folder)
    assert LIST in error.value.hint


@pytest.mark.parametrize("file", ["models.ckpt", LIST])
def test_a_placeholder_of_git_is_named_as_such(folder: Path, file: str) -> None:
    (folder / file).write_text(POINTER)
    with pytest.raises(CheckpointError, match="placeholder"):
        ScFoundation.from_checkpoint(folder)


def test_a_list_of_another_length_is_refused(folder: Path) -> None:
    write_list(folder, GENES[:-1])
    with pytest.raises(CheckpointError, match="'cell' know 110 genes, and the gene list has 109"):
        ScFoundation.from_checkpoint(folder)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gene_name\tindex\nA\t0\nA\t1\n", "repeats a gene or leaves an index out"),
        ("gene_name\tindex\nA\t0\nB\t2\n", "repeats a gene or leaves an index out"),
        ("name\tindex\nA\t0\n", "no table of gene_name and index"),
        ("gene_name\tindex\nA\tfirst\n", "no table of gene_name and index"),
        ("gene_name\tindex\nA\n", "no table of gene_name and index"),
    ],
)
def test_a_damaged_list_is_refused(folder: Path, text: str, words: str) -> None:
    (folder / LIST).write_text(text)
    with pytest.raises(CheckpointError, match=words):
        ScFoundation.from_checkpoint(folder)


def test_a_missing_tensor_is_named(folder: Path) -> None:
    change(folder, lambda content: content["cell"]["state_dict"].pop("model.to_final.bias"))
    with pytest.raises(CheckpointError, match=r"lacks 1 of \d+ tensors: to_expression\.bias"):
        ScFoundation.from_checkpoint(folder)


def test_a_tensor_too_many_is_reported(folder: Path) -> None:
    change(folder, lambda content: content["cell"]["state_dict"].update({"model.extra": torch.zeros(1)}))
    assert ScFoundation.from_checkpoint(folder).load_report.unexpected == ("extra",)


def test_a_tensor_of_another_shape_is_refused(folder: Path) -> None:
    tensors = {"model.to_final.bias": torch.zeros(2)}
    change(folder, lambda content: content["cell"]["state_dict"].update(tensors))
    with pytest.raises(CheckpointError, match=r"to_expression\.bias is \(2,\)"):
        ScFoundation.from_checkpoint(folder)


def test_weights_for_a_task_that_are_not_there_are_named(folder: Path) -> None:
    change(folder, lambda content: content.pop("rde"))
    with pytest.raises(CheckpointError, match="no weights 'rde'; it has cell, gene"):
        ScFoundation.for_task(folder, "enhancement")


def test_a_file_with_other_weights_is_refused(folder: Path) -> None:
    torch.save({"state_dict": {"a": torch.zeros(1)}}, folder / "models.ckpt")
    with pytest.raises(CheckpointError, match="none of the weights cell, rde, gene"):
        ScFoundation.from_checkpoint(folder)


def test_a_member_without_config_is_refused(folder: Path) -> None:
    change(folder, lambda content: content["gene"].pop("config"))
    with pytest.raises(CheckpointError, match=r"'gene' in models\.ckpt lack a config"):
        ScFoundation.from_checkpoint(folder)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("model",), "mae", "describes a 'mae' network"),
        (("model_config", "mae_autobin", "mask_token_id"), 5, "mask_token_id 5, where scFoundation has 102"),
        (("model_config", "mae_autobin", "decoder", "module_type"), "mlp", "decoder.module_type 'mlp'"),
        (("model_config", "mae_autobin", "bin_num"), None, "lacks bin_num"),
        (("model_config", "mae_autobin", "encoder", "heads"), 3, "cannot be divided among 3"),
    ],
)
def test_the_config_of_another_network_is_refused(
    folder: Path, path: tuple[str, ...], value: object, words: str
) -> None:
    def spoil(content: dict[str, Any]) -> None:
        place = content["cell"]["config"]
        for name in path[:-1]:
            place = place[name]
        if value is None:
            del place[path[-1]]
        else:
            place[path[-1]] = value

    change(folder, spoil)
    with pytest.raises(CheckpointError, match=words):
        ScFoundation.from_checkpoint(folder)


class Command:
    """Runs when it is read."""

    def __reduce__(self) -> tuple:
        return (Path.touch, (Path("was-here"),))


def test_weights_with_code_are_refused_and_do_not_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    change(folder, lambda content: content["cell"].update(config=Command()))
    with pytest.raises(CheckpointError, match="more than tensors") as error:
        ScFoundation.from_checkpoint(folder)
    assert "OmegaConf.to_container" in error.value.hint
    assert not (folder / "was-here").exists()


def test_our_own_checkpoint_of_another_model_is_refused(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"model": "scgpt"}))
    with pytest.raises(CheckpointError, match="a checkpoint of 'scgpt'"):
        ScFoundation.from_checkpoint(folder)


def authors_name(name: str) -> str:
    """Translate our name of a tensor back, with the names of the small file for the layer in question."""
    theirs = {our_name(known): known for known in read_nested(TINY / "models.ckpt")["cell"]["state_dict"]}
    layer = re.match(r"(?:encoder_layers|decoder_blocks)\.(\d+)\.", name)
    if layer is None:
        return theirs[name]
    first = theirs[name.replace(f".{layer[1]}.", ".0.", 1)]
    return re.sub(r"(transformer_encoder|layers)\.0\.", rf"\g<1>.{layer[1]}.", first, count=1)


def test_names_are_translated_there_and_back() -> None:
    names = list(Network(dataclasses.replace(tiny(9), n_layers=3, n_decoder_layers=2)).state_dict())
    assert [our_name(authors_name(name)) for name in names] == names


@pytest.mark.slow
def test_weights_of_the_published_size_embed_real_cells(shared: Path, tmp_path: Path) -> None:
    data = shared / "data" / "scfoundation"
    shutil.copy(data / LIST, tmp_path / LIST)
    torch.manual_seed(0)
    state = {authors_name(name): tensor for name, tensor in Network(published()).state_dict().items()}
    config = published().to_authors()
    members = {name: {"config": config, "state_dict": state} for name in ("gene", "cell", "rde")}
    torch.save(members, tmp_path / "models.ckpt")
    model = ScFoundation.from_checkpoint(tmp_path)
    assert len(model.load_report.loaded) == 265
    assert model.load_report.missing == model.load_report.unexpected == ()
    with np.load(data / "baron_human_samp_19264_demo.npz") as file:
        counts = sparse.csr_matrix((file["data"], file["indices"], file["indptr"]), shape=file["shape"])
        adata = AnnData(counts[:8].astype(np.float32), var=pd.DataFrame(index=file["gene_names"].tolist()))
    assert model.n_genes_seen(adata) == 19_264
    embedding = model.embed(adata)
    assert embedding.shape == (8, 3072)
    assert np.isfinite(embedding).all()
    np.testing.assert_allclose(model.embed(adata[:2].copy(), batch_size=1), embedding[:2], atol=1e-4)
