"""Published folders of Geneformer, whole and broken."""

from __future__ import annotations

import json
import pickle  # noqa: TID251 - the published dictionaries are pickles
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from scviz.errors import CheckpointError
from scviz.foundation.classifier import CellTypeClassifier
from scviz.foundation.weights import n_parameters
from scviz.models.geneformer.checkpoint import read_checkpoint
from scviz.models.geneformer.config import SHAPES, tiny
from scviz.models.geneformer.model import Geneformer
from scviz.models.geneformer.network import TIED, Network

GENES = [f"ENSG{i:011d}" for i in range(8)]
V1_TOKENS = {"<pad>": 0, "<mask>": 1} | {gene: i + 2 for i, gene in enumerate(GENES)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A V1 checkpoint as published, with pickled dictionaries of numpy numbers."""
    config = tiny(len(V1_TOKENS))
    (tmp_path / "config.json").write_text(json.dumps(config.to_bert() | {"model_type": "bert"}))
    torch.manual_seed(0)
    weights = Network(config).lm.state_dict()
    save_file({name: weights[name] for name in weights if name not in TIED}, tmp_path / "model.safetensors")
    write_pickle(tmp_path / "token_dictionary_gc30M.pkl", {k: np.int16(v) for k, v in V1_TOKENS.items()})
    write_pickle(tmp_path / "gene_median_dictionary_gc30M.pkl", {gene: np.float64(1.5) for gene in GENES})
    write_pickle(tmp_path / "gene_name_id_dict_gc30M.pkl", {"TP53": GENES[0], "XYZ": "ENSG99999999999"})
    return tmp_path


def write_pickle(path: Path, content: dict) -> None:
    path.write_bytes(pickle.dumps(content))


def test_a_published_folder_is_read(folder: Path) -> None:
    model = Geneformer.from_checkpoint(folder)
    assert model.vocab.genes == tuple(GENES)
    assert model.vocab.values["median"].tolist() == [1.5] * 8
    assert model.vocab.aliases == {"TP53": GENES[0]}
    assert model.load_report.missing == model.load_report.unexpected == ()


def test_dictionaries_are_found_in_folders_below(folder: Path) -> None:
    below = folder / "geneformer" / "gene_dictionaries_30m"
    below.mkdir(parents=True)
    for path in folder.glob("*.pkl"):
        path.rename(below / path.name)
    write_pickle(folder / "geneformer" / "token_dictionary_gc104M.pkl", {"<pad>": 0, "<mask>": 1})
    assert Geneformer.from_checkpoint(folder).vocab.genes == tuple(GENES)


def test_weights_of_torch_are_read_with_their_repeated_output(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights |= {
        "cls.predictions.decoder.weight": weights["bert.embeddings.word_embeddings.weight"],
        "cls.predictions.decoder.bias": weights["cls.predictions.bias"],
        "bert.embeddings.position_ids": torch.arange(64)[None],
    }
    torch.save(weights, folder / "pytorch_model.bin")
    first = Geneformer.from_checkpoint(folder)
    (folder / "model.safetensors").unlink()
    again = Geneformer.from_checkpoint(folder)
    assert again.load_report.unexpected == ()
    assert np.array_equal(first.gene_embeddings(), again.gene_embeddings())


def test_the_output_is_tied_to_the_token_embedding(folder: Path) -> None:
    lm = Geneformer.from_checkpoint(folder).network.lm
    assert lm.cls.predictions.decoder.weight is lm.bert.embeddings.word_embeddings.weight
    assert lm.cls.predictions.decoder.bias is lm.cls.predictions.bias


def test_an_output_of_its_own_is_refused(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["cls.predictions.decoder.weight"] = weights["bert.embeddings.word_embeddings.weight"] + 1
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(CheckpointError, match="which Geneformer never has"):
        Geneformer.from_checkpoint(folder)


def test_a_dictionary_of_another_size_is_refused(folder: Path) -> None:
    tokens = V1_TOKENS | {"ENSG00000000099": 10}
    write_pickle(folder / "token_dictionary_gc30M.pkl", tokens)
    with pytest.raises(
        CheckpointError, match=r"knows 10 tokens, but token_dictionary_gc30M\.pkl has 11"
    ) as error:
        Geneformer.from_checkpoint(folder)
    assert "V1 and V2" in error.value.hint


def test_a_dictionary_with_a_hole_is_refused(folder: Path) -> None:
    write_pickle(folder / "token_dictionary_gc30M.pkl", V1_TOKENS | {GENES[0]: 44})
    with pytest.raises(CheckpointError, match="ids from 0 to 44"):
        Geneformer.from_checkpoint(folder)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("config.json", "no config.json"),
        ("model.safetensors", "no weights"),
        ("token_dictionary_gc30M.pkl", "token dictionary is missing"),
        ("gene_median_dictionary_gc30M.pkl", "medians is missing"),
    ],
)
def test_a_missing_file_is_named_with_a_hint(folder: Path, file: str, words: str) -> None:
    (folder / file).unlink()
    with pytest.raises(CheckpointError, match=words) as error:
        Geneformer.from_checkpoint(folder)
    assert error.value.hint


def test_a_gene_without_a_median_is_named(folder: Path) -> None:
    write_pickle(folder / "gene_median_dictionary_gc30M.pkl", dict.fromkeys(GENES[1:], 1.0))
    with pytest.raises(CheckpointError, match="1 of 8 genes have no median, ENSG00000000000"):
        Geneformer.from_checkpoint(folder)


def test_a_missing_encoder_tensor_is_named(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights["bert.encoder.layer.1.output.dense.weight"]
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"bert\.encoder\.layer\.1\.output\.dense\.weight"):
        Geneformer.from_checkpoint(folder)


def test_another_network_is_refused(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"model_type": "roberta"}))
    with pytest.raises(CheckpointError, match="'roberta' network"):
        Geneformer.from_checkpoint(folder)


def test_our_own_checkpoint_of_another_model_is_refused(folder: Path) -> None:
    Geneformer.from_checkpoint(folder).save(folder / "ours")
    (folder / "ours" / "config.json").write_text(json.dumps({"model": "scgpt"}))
    with pytest.raises(CheckpointError, match="a checkpoint of 'scgpt'"):
        Geneformer.from_checkpoint(folder / "ours")


def test_the_classes_of_a_fine_tuned_folder_keep_their_order(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights = {name: tensor for name, tensor in weights.items() if name.startswith("bert.")}
    weights |= {
        "bert.pooler.dense.weight": torch.eye(32),
        "bert.pooler.dense.bias": torch.zeros(32),
        "classifier.weight": torch.zeros(2, 32),
        "classifier.bias": torch.tensor([1.0, 2.0]),
    }
    save_file(weights, folder / "model.safetensors")
    values = json.loads((folder / "config.json").read_text()) | {"id2label": {"0": "dilated", "1": "control"}}
    (folder / "config.json").write_text(json.dumps(values))
    assert CellTypeClassifier.load(folder, Geneformer).types == ("dilated", "control")
    assert all(name.startswith("cls.") for name in Geneformer.from_checkpoint(folder).load_report.missing)


def test_a_folder_without_a_head_is_no_classifier(folder: Path) -> None:
    assert read_checkpoint(folder).head == {}
    with pytest.raises(CheckpointError, match="no head for cell types"):
        CellTypeClassifier.load(folder, Geneformer)


@pytest.mark.parametrize(("shape", "parameters"), [("v1-10m", 10_288_722), ("v2-104m", 104_386_867)])
def test_the_published_sizes_have_their_published_number_of_weights(shape: str, parameters: int) -> None:
    n_tokens = 25_426 if shape == "v1-10m" else 20_275
    assert n_parameters(Network(SHAPES[shape](n_tokens), initialize=False)) == parameters
