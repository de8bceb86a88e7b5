"""Published folders of scGPT, whole and broken."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from scviz.errors import CheckpointError
from scviz.foundation.classifier import CellTypeClassifier
from scviz.foundation.weights import n_parameters
from scviz.models.scgpt.config import Config, tiny, whole_human
from scviz.models.scgpt.model import ScGPT
from scviz.models.scgpt.network import CellHead, Network
from tests.models.cells import planted_cells

GENES = [f"GENE{i}" for i in range(200)]
TOKENS = {gene: i for i, gene in enumerate(GENES)} | {"<pad>": 200, "<cls>": 201, "<eoc>": 202}


def write_folder(folder: Path, config: Config | None = None, *, n_types: int = 0) -> Path:
    """Write random weights as the authors publish them."""
    config = config or tiny(len(TOKENS))
    torch.manual_seed(0)
    weights = dict(Network(config).state_dict())
    if n_types:
        weights |= CellHead(config, n_types, pooling="published").state_dict()
    (folder / "args.json").write_text(json.dumps(config.to_published()))
    (folder / "vocab.json").write_text(json.dumps(TOKENS))
    torch.save(weights, folder / "best_model.pt")
    return folder


def change_weights(folder: Path, change: dict[str, torch.Tensor | None]) -> None:
    """Replace tensors, or with None leave them out."""
    weights = torch.load(folder / "best_model.pt", weights_only=True) | change  # noqa: TID251 - made above
    torch.save(
        {name: tensor for name, tensor in weights.items() if tensor is not None}, folder / "best_model.pt"
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path)


def test_a_published_folder_is_read(folder: Path) -> None:
    model = ScGPT.from_checkpoint(folder)
    assert model.vocab.genes == tuple(GENES)
    assert model.vocab.special == {"<pad>": 200, "<cls>": 201, "<eoc>": 202}
    assert model.load_report.missing == model.load_report.unexpected == ()
    assert model.embed(planted_cells()[:3].copy()).shape == (3, 32)
    assert model.rules.cls_value == -2


@pytest.mark.parametrize("style", ["plain", "wrapped", "parallel"])
def test_every_way_to_name_the_weights_of_attention_gives_the_same_model(folder: Path, style: str) -> None:
    wanted = ScGPT.from_checkpoint(folder).embed(planted_cells()[:4].copy())
    weights = torch.load(folder / "best_model.pt", weights_only=True)  # noqa: TID251 - made above
    plain = {"Wqkv.weight": "in_proj_weight", "Wqkv.bias": "in_proj_bias"}

    def named(name: str) -> str:
        if style == "parallel":
            return f"module.{name}"
        if style == "wrapped":
            return name.replace(".self_attn.", ".self_attn._impl.")
        for ours, theirs in plain.items():
            name = name.replace(ours, theirs)
        return name

    torch.save({named(name): tensor for name, tensor in weights.items()}, folder / "best_model.pt")
    again = ScGPT.from_checkpoint(folder)
    assert again.load_report.missing == again.load_report.unexpected == ()
    np.testing.assert_array_equal(again.embed(planted_cells()[:4].copy()), wanted)


def test_special_tokens_that_are_lacking_come_behind_the_genes(folder: Path) -> None:
    (folder / "vocab.json").write_text(json.dumps(dict(zip(GENES, range(200), strict=True))))
    assert ScGPT.from_checkpoint(folder).vocab.special == {"<pad>": 200, "<cls>": 201, "<eoc>": 202}


def test_a_missing_decoder_is_reported_and_an_unknown_tensor_too(folder: Path) -> None:
    change_weights(folder, {"mvc_decoder.W.weight": None, "flag_encoder.weight": None, "new": torch.ones(1)})
    report = ScGPT.from_checkpoint(folder).load_report
    assert set(report.missing) == {"mvc_decoder.W.weight", "flag_encoder.weight"}
    assert report.unexpected == ("new",)


@pytest.mark.parametrize(
    "name",
    [
        "encoder.enc_norm.weight",
        "value_encoder.linear2.bias",
        "transformer_encoder.layers.1.self_attn.Wqkv.weight",
    ],
)
def test_a_missing_tensor_of_the_encoder_is_named(folder: Path, name: str) -> None:
    change_weights(folder, {name: None})
    with pytest.raises(CheckpointError, match=name.replace(".", r"\.")):
        ScGPT.from_checkpoint(folder)


def test_weights_of_another_model_are_refused(folder: Path) -> None:
    torch.save({"bert.weight": torch.ones(2)}, folder / "best_model.pt")
    with pytest.raises(CheckpointError, match="not of scGPT"):
        ScGPT.from_checkpoint(folder)


def test_a_vocabulary_of_another_size_is_refused(folder: Path) -> None:
    (folder / "vocab.json").write_text(json.dumps(TOKENS | {"MORE": 203}))
    with pytest.raises(CheckpointError, match="knows 203 tokens, and the vocabulary 204") as error:
        ScGPT.from_checkpoint(folder)
    assert "same checkpoint" in error.value.hint


def test_a_vocabulary_with_a_hole_is_refused(folder: Path) -> None:
    (folder / "vocab.json").write_text(json.dumps(TOKENS | {"GENE0": 999}))
    with pytest.raises(CheckpointError, match="ids from 1 to 999"):
        ScGPT.from_checkpoint(folder)


def test_a_vocabulary_without_numbers_is_refused(folder: Path) -> None:
    (folder / "vocab.json").write_text(json.dumps({"genes": GENES}))
    with pytest.raises(CheckpointError, match="number of its vector"):
        ScGPT.from_checkpoint(folder)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("args.json", r"no args\.json"),
        ("vocab.json", r"no file vocab\.json"),
        ("best_model.pt", "no weights"),
    ],
)
def test_a_missing_file_is_named_with_a_hint(folder: Path, file: str, words: str) -> None:
    (folder / file).unlink()
    with pytest.raises(CheckpointError, match=words) as error:
        ScGPT.from_checkpoint(folder)
    assert error.value.hint


@pytest.mark.parametrize("file", ["args.json", "vocab.json", "best_model.pt"])
def test_a_placeholder_of_git_is_named_as_such(folder: Path, file: str) -> None:
    (folder / file).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    with pytest.raises(CheckpointError, match="placeholder"):
        ScGPT.from_checkpoint(folder)


@pytest.mark.parametrize(
    ("args", "words"),
    [({"embsize": 32}, "lacks nheads, d_hid, nlayers"), ({"nheads": 3}, "cannot be divided among 3")],
)
def test_sizes_that_are_lacking_or_do_not_fit_are_named(folder: Path, args: dict, words: str) -> None:
    whole = {} if "embsize" in args else json.loads((folder / "args.json").read_text())
    (folder / "args.json").write_text(json.dumps(whole | args))
    with pytest.raises(CheckpointError, match=words):
        ScGPT.from_checkpoint(folder)


def test_another_way_to_encode_values_is_refused(folder: Path) -> None:
    args = json.loads((folder / "args.json").read_text()) | {"input_emb_style": "category"}
    (folder / "args.json").write_text(json.dumps(args))
    with pytest.raises(CheckpointError, match="style 'category'"):
        ScGPT.from_checkpoint(folder)


def test_our_own_checkpoint_of_another_model_is_refused(folder: Path) -> None:
    ScGPT.from_checkpoint(folder).save(folder / "ours")
    (folder / "ours" / "config.json").write_text(json.dumps({"model": "geneformer"}))
    with pytest.raises(CheckpointError, match="a checkpoint of 'geneformer'"):
        ScGPT.from_checkpoint(folder / "ours")


def test_our_own_checkpoint_without_its_vocabulary_is_refused(folder: Path) -> None:
    ScGPT.from_checkpoint(folder).save(folder / "ours")
    (folder / "ours" / "vocab.json").unlink()
    with pytest.raises(CheckpointError, match=r"no file vocab\.json"):
        ScGPT.from_checkpoint(folder / "ours")


def test_a_fine_tuned_folder_is_a_classifier(tmp_path: Path) -> None:
    write_folder(tmp_path, n_types=3)
    assert CellTypeClassifier.load(tmp_path, ScGPT).types == ("type 0", "type 1", "type 2")
    (tmp_path / "labels.json").write_text('["B", "A", "C"]')
    classifier = CellTypeClassifier.load(tmp_path, ScGPT)
    assert classifier.types == ("B", "A", "C")
    assert classifier(classifier.encoder.tokenize(planted_cells()[:2])).shape == (2, 3)
    assert classifier.encoder.tokenize(planted_cells()[:2]).values[:, 0].tolist() == [
        0,
        0,
    ]  # <cls> in fine-tuning
    (tmp_path / "labels.json").write_text('["A", "B"]')
    with pytest.raises(CheckpointError, match="does not list 3 different"):
        CellTypeClassifier.load(tmp_path, ScGPT)


def test_a_folder_without_a_head_is_no_classifier(folder: Path) -> None:
    with pytest.raises(CheckpointError, match="no head for cell types"):
        CellTypeClassifier.load(folder, ScGPT)


def test_parts_for_batches_of_cells_are_found_in_the_file_and_kept(tmp_path: Path) -> None:
    config = Config(
        **{
            name: getattr(tiny(len(TOKENS)), name)
            for name in ("n_tokens", "n_layers", "width", "n_heads", "ffn")
        },
        input_norm="domain",
        n_domains=3,
        domain_labels=True,
        domain_head=True,
        zero_probability=True,
    )
    model = ScGPT.from_checkpoint(write_folder(tmp_path, config))
    assert model.load_report.missing == model.load_report.unexpected == ()
    assert model.config == config
    model.save(tmp_path / "ours")
    assert ScGPT.from_checkpoint(tmp_path / "ours").config == config


def test_parts_for_different_numbers_of_batches_are_refused(tmp_path: Path) -> None:
    write_folder(tmp_path)
    change_weights(
        tmp_path,
        {
            "batch_encoder.embedding.weight": torch.ones(3, 32),
            "grad_reverse_discriminator.out_layer.weight": torch.ones(2, 32),
        },
    )
    with pytest.raises(CheckpointError, match="0, 3, 2 batches"):
        ScGPT.from_checkpoint(tmp_path)


def test_the_published_size_has_its_published_number_of_weights() -> None:
    with torch.device("meta"):
        network = Network(whole_human())
        annotation = CellHead(whole_human(), 18, pooling="published")
    assert n_parameters(network) == 51_330_049
    flags, mvc = network.flag_encoder, network.mvc_decoder
    old_norm = 2 * 512
    assert n_parameters(network) - n_parameters(flags) - n_parameters(mvc) + n_parameters(
        annotation
    ) + old_norm == (51_341_843)
