"""Published folders of scBERT, whole and broken."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
import torch

from scviz.errors import CheckpointError
from scviz.foundation.classifier import CellTypeClassifier
from scviz.foundation.weights import n_parameters
from scviz.models.scbert.checkpoint import PUBLISHED_GENES, read_checkpoint
from scviz.models.scbert.config import Config, panglao, tiny
from scviz.models.scbert.model import ScBert
from scviz.models.scbert.network import Network, TypeHead

GENES = [f"GENE{i}" for i in range(12)]
WEIGHTS = "panglao_pretrain.pth"
CONFIG = dataclasses.replace(tiny(len(GENES)), gene_table="gene2vec", min_genes=200)


def weights(config: Config = CONFIG) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return Network(config).state_dict()


def write_weights(folder: Path, tensors: dict[str, torch.Tensor]) -> None:
    torch.save({"epoch": 3, "model_state_dict": tensors, "losses": 0.7}, folder / WEIGHTS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint as published, with the gene list beside it."""
    write_weights(tmp_path, weights())
    (tmp_path / "genes.txt").write_text("\n".join(GENES) + "\n")
    return tmp_path


def test_a_published_folder_is_read_by_its_tensors(folder: Path) -> None:
    model = ScBert.from_checkpoint(folder)
    assert model.vocab.genes == tuple(GENES)
    assert dataclasses.replace(model.config, head_widths=CONFIG.head_widths) == CONFIG
    assert len(model.load_report.loaded) == len(weights())
    assert model.load_report.missing == model.load_report.unexpected == ()
    assert np.array_equal(model.gene_embeddings(), weights()["pos_emb.emb.weight"][:-1].float())


def test_a_bare_state_dict_of_several_machines_is_read(folder: Path) -> None:
    torch.save({f"module.{name}": tensor for name, tensor in weights().items()}, folder / WEIGHTS)
    assert ScBert.from_checkpoint(folder).load_report.missing == ()


def test_the_gene_list_may_be_json_or_a_dataset(folder: Path) -> None:
    (folder / "genes.txt").unlink()
    (folder / "vocab_of_scbert.json").write_text(json.dumps({gene: i for i, gene in enumerate(GENES)}))
    assert ScBert.from_checkpoint(folder).vocab.genes == tuple(GENES)
    (folder / "vocab_of_scbert.json").unlink()
    table = pd.DataFrame(index=GENES)
    anndata.AnnData(np.zeros((1, 12), dtype=np.float32), var=table).write_h5ad(folder / "panglao_10000.h5ad")
    assert ScBert.from_checkpoint(folder).vocab.genes == tuple(GENES)


def test_without_the_gene_list_the_weights_are_refused(folder: Path) -> None:
    (folder / "genes.txt").unlink()
    with pytest.raises(CheckpointError, match="gene list is missing") as error:
        ScBert.from_checkpoint(folder)
    assert "genes.txt" in error.value.hint


@pytest.mark.parametrize("genes", [GENES[:-1], [*GENES[:-1], GENES[0]]])
def test_a_gene_list_of_another_length_or_with_repeats_is_refused(folder: Path, genes: list[str]) -> None:
    (folder / "genes.txt").write_text("\n".join(genes))
    with pytest.raises(CheckpointError, match=r"reads 12 genes, but genes\.txt has"):
        ScBert.from_checkpoint(folder)


def test_a_list_that_cannot_be_the_published_one_is_told(folder: Path) -> None:
    write_weights(folder, weights(dataclasses.replace(CONFIG, n_genes=PUBLISHED_GENES)))
    (folder / "genes.txt").write_text("\n".join(f"G{i}" for i in range(PUBLISHED_GENES)))
    assert "not the same or in another order" in ScBert.from_checkpoint(folder).notes[0]


def test_gene2vec_fills_what_the_weights_lack(folder: Path) -> None:
    tensors = weights()
    table = tensors.pop("pos_emb.emb.weight")
    write_weights(folder, tensors)
    with pytest.raises(CheckpointError, match=r"lacks pos_emb\.emb\.weight") as error:
        ScBert.from_checkpoint(folder)
    assert "gene2vec_16906.npy" in error.value.hint
    np.save(folder / "gene2vec_16906.npy", table[:-1].numpy())
    assert torch.equal(ScBert.from_checkpoint(folder).network.pos_emb.emb.weight, table)


def test_gene2vec_that_differs_from_the_weights_is_refused(folder: Path) -> None:
    np.save(folder / "gene2vec_16906.npy", weights()["pos_emb.emb.weight"][:-1].numpy() + 1)
    with pytest.raises(CheckpointError, match="not those in the weights"):
        ScBert.from_checkpoint(folder)


def test_gene2vec_with_code_in_it_is_refused(folder: Path) -> None:
    np.save(folder / "gene2vec_16906.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(CheckpointError, match="cannot be read as a table"):
        ScBert.from_checkpoint(folder)


def test_a_network_said_to_have_no_gene_vectors_is_read_without_them(folder: Path) -> None:
    write_weights(folder, weights(dataclasses.replace(CONFIG, gene_table="none")))
    (folder / "scviz.json").write_text('{"gene2vec": false}')
    model = ScBert.from_checkpoint(folder)
    assert model.network.pos_emb is None
    assert model.config.n_genes == 12


@pytest.mark.parametrize(
    "name",
    [
        "token_emb.weight",
        "performer.net.layers.0.0.fn.to_q.weight",
        "performer.net.layers.1.0.fn.to_out.bias",
        "performer.net.layers.1.0.fn.fast_attention.projection_matrix",
        "norm.bias",
        "to_out.weight",
    ],
)
def test_a_missing_tensor_is_named(folder: Path, name: str) -> None:
    tensors = weights()
    del tensors[name]
    write_weights(folder, tensors)
    with pytest.raises(CheckpointError, match=name.replace(".", r"\.")):
        ScBert.from_checkpoint(folder)


def test_an_unexpected_tensor_is_reported(folder: Path) -> None:
    write_weights(folder, weights() | {"extra.weight": torch.ones(1)})
    assert ScBert.from_checkpoint(folder).load_report.unexpected == ("extra.weight",)


def test_two_files_with_weights_are_not_guessed_between(folder: Path) -> None:
    (folder / "finetune_best.pth").write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"finetune_best\.pth, panglao_pretrain\.pth"):
        ScBert.from_checkpoint(folder)


def test_a_placeholder_of_git_is_named_as_such(folder: Path) -> None:
    (folder / WEIGHTS).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4\n")
    with pytest.raises(CheckpointError, match="placeholder"):
        ScBert.from_checkpoint(folder)


def test_weights_with_code_in_them_are_refused(folder: Path) -> None:
    torch.save({"model_state_dict": weights(), "scheduler": Path("x")}, folder / WEIGHTS)
    with pytest.raises(CheckpointError, match="more than tensors"):
        ScBert.from_checkpoint(folder)


def test_our_own_checkpoint_of_another_model_is_refused(folder: Path) -> None:
    (folder / "config.json").write_text('{"model": "scgpt"}')
    with pytest.raises(CheckpointError, match="a checkpoint of 'scgpt'"):
        ScBert.from_checkpoint(folder)


def write_fine_tuned(folder: Path, n_types: int) -> TypeHead:
    """Write a fine-tuned file, whose head for cell types replaces that for levels."""
    head = TypeHead(CONFIG, n_types, pooling="published")
    body = {name: tensor for name, tensor in weights().items() if not name.startswith("to_out.")}
    write_weights(folder, body | {f"to_out.{name}": tensor for name, tensor in head.state_dict().items()})
    return head


def test_a_fine_tuned_folder_is_a_classifier_with_its_types_in_order(folder: Path) -> None:
    head = write_fine_tuned(folder, 3)
    (folder / "labels.json").write_text('["T cell", "B cell", "NK cell"]')
    classifier = CellTypeClassifier.load(folder, ScBert)
    assert classifier.types == ("T cell", "B cell", "NK cell")
    assert classifier.encoder.config.head_widths == CONFIG.head_widths
    assert torch.equal(classifier.head.fc1.weight, head.fc1.weight)
    assert ScBert.from_checkpoint(folder).load_report.missing == ("to_out.weight", "to_out.bias")


def test_names_of_types_that_do_not_fit_the_head_are_refused(folder: Path) -> None:
    write_fine_tuned(folder, 3)
    assert CellTypeClassifier.load(folder, ScBert).types == ("type 0", "type 1", "type 2")
    (folder / "labels.json").write_text('["T cell", "B cell"]')
    with pytest.raises(CheckpointError, match="list 3 different"):
        CellTypeClassifier.load(folder, ScBert)


def test_a_folder_without_a_head_is_no_classifier(folder: Path) -> None:
    assert read_checkpoint(folder).head == {}
    with pytest.raises(CheckpointError, match="no head for cell types"):
        CellTypeClassifier.load(folder, ScBert)


def test_the_published_size_has_its_published_number_of_weights() -> None:
    config = dataclasses.replace(panglao(), gene_table="gene2vec")
    assert n_parameters(Network(config)) == 8_388_607
    assert len(Network(config).state_dict()) == 91
    assert n_parameters(TypeHead(config, 11, pooling="published")) == 8_724_180
