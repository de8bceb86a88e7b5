"""Folders of weights as the authors lay them out, at their real size, with random numbers.

The names and shapes of tensors are written down here, and not taken from the networks of this project, so that
reading such a folder says whether a published one would be read. The vocabularies hold the genes of a dataset
first and are filled up to their real size with made-up names: numbers from these weights mean nothing.
"""

from __future__ import annotations

import json
import pickle  # noqa: TID251 - the published dictionaries are pickles
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from scviz.datasets.genes import GeneIdentifiers

Shapes = dict[str, tuple[int, ...]]

SCGPT_TOKENS, SCBERT_GENES, SCFOUNDATION_GENES = 60_697, 16_906, 19_264


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """What tells one Geneformer from another."""

    n_tokens: int
    n_layers: int
    width: int
    n_heads: int
    ffn: int
    n_positions: int
    special: tuple[str, ...]
    dictionaries: str
    """How the names of its dictionaries end."""
    keeps_positions: bool
    """Whether the file also counts the positions, 0, 1, 2, ..."""


V1_10M = Generation(
    n_tokens=25_426,
    n_layers=6,
    width=256,
    n_heads=4,
    ffn=512,
    n_positions=2048,
    special=("<pad>", "<mask>"),
    dictionaries="gc30M",
    keeps_positions=True,
)
V2_104M = Generation(
    n_tokens=20_275,
    n_layers=12,
    width=768,
    n_heads=12,
    ffn=3072,
    n_positions=4096,
    special=("<pad>", "<mask>", "<cls>", "<eos>"),
    dictionaries="gc104M",
    keeps_positions=False,
)


def write_geneformer_v1(folder: Path, ids: GeneIdentifiers) -> None:
    """Write Geneformer-V1-10M: config, weights and four dictionaries."""
    _write_geneformer(folder, ids, V1_10M)


def write_geneformer_v2(folder: Path, ids: GeneIdentifiers) -> None:
    """Write Geneformer-V2-104M: config, weights and four dictionaries."""
    _write_geneformer(folder, ids, V2_104M)


def write_scgpt(folder: Path, ids: GeneIdentifiers) -> None:
    """Write scGPT's whole-human checkpoint: `args.json`, `vocab.json` and `best_model.pt`."""
    special = ("<pad>", "<cls>", "<eoc>")
    genes = filled(ids.symbol, SCGPT_TOKENS - len(special), "MADEUP")
    tokens = {name: token for token, name in enumerate([*genes, *special])}
    args = {"embsize": 512, "d_hid": 512, "nlayers": 12, "nheads": 8, "n_layers_cls": 3, "dropout": 0.2}
    args |= {"n_bins": 51, "max_seq_len": 1200, "pad_token": "<pad>", "pad_value": -2, "mask_value": -1}
    args |= {"input_style": "binned", "input_emb_style": "continuous", "fast_transformer": True}
    (folder / "args.json").write_text(json.dumps(args), encoding="utf-8")
    (folder / "vocab.json").write_text(json.dumps(tokens), encoding="utf-8")
    torch.save(random_tensors(_scgpt(512, 12)), folder / "best_model.pt")


def write_scbert(folder: Path, ids: GeneIdentifiers) -> None:
    """Write scBERT's pre-trained file with the state of its optimizer, gene2vec, and the gene list."""
    genes = filled(ids.symbol, SCBERT_GENES, "MADEUP")
    tensors = random_tensors(_scbert(200, 6))
    tensors["performer.calls_since_last_redraw"] = torch.tensor(0)
    gene2vec = torch.randn(SCBERT_GENES, 200, dtype=torch.float64)
    tensors["pos_emb.emb.weight"] = torch.cat([gene2vec, torch.zeros(1, 200)])
    moments = {
        number: {"step": 1, "exp_avg": torch.zeros_like(tensor), "exp_avg_sq": torch.zeros_like(tensor)}
        for number, tensor in enumerate(tensors.values())
        if tensor.dtype == torch.float32
    }
    content = {"epoch": 1, "model_state_dict": tensors, "losses": 1.0, "scheduler_state_dict": {"cycle": 0}}
    content["optimizer_state_dict"] = {"state": moments, "param_groups": [{"lr": 1e-4}]}
    torch.save(content, folder / "panglao_pretrain.pth")
    np.save(folder / "gene2vec_16906.npy", gene2vec.numpy())
    (folder / "genes.txt").write_text("\n".join(genes), encoding="utf-8")


def write_scfoundation(folder: Path, ids: GeneIdentifiers) -> None:
    """Write scFoundation's `models.ckpt` with its three members, and the gene list."""
    genes = filled(ids.symbol, SCFOUNDATION_GENES, "MADEUP")
    encoder = {"hidden_dim": 768, "depth": 12, "heads": 12, "dim_head": 64, "module_type": "transformer"}
    decoder = {"hidden_dim": 512, "depth": 6, "heads": 8, "dim_head": 64, "module_type": "performer"}
    shape = {"encoder": encoder, "decoder": decoder, "seq_len": 19_266, "gene_num": 19_266, "n_class": 104}
    shape |= {"pad_token_id": 103, "mask_token_id": 102, "bin_num": 100, "bin_alpha": 1.0}
    config = {"model": "mae_autobin", "model_config": {"mae_autobin": shape}}
    config["dataset_config"] = {"rnaseq": {"value_mask_prob": 0.3, "zero_mask_prob": 0.03}}
    members = {name: {"config": config, "state_dict": _member()} for name in ("gene", "cell", "rde")}
    torch.save(members, folder / "models.ckpt")
    lines = ["gene_name\tindex", *(f"{gene}\t{place}" for place, gene in enumerate(genes))]
    (folder / "OS_scRNA_gene_index.19264.tsv").write_text("\n".join(lines), encoding="utf-8")


WRITERS = {
    "geneformer-v1-10m": write_geneformer_v1,
    "geneformer-v2-104m": write_geneformer_v2,
    "scgpt": write_scgpt,
    "scbert": write_scbert,
    "scfoundation": write_scfoundation,
}
"""What writes the folder of a model; its name up to the first "-" is that of the model."""


def filled(names: Sequence[str] | None, size: int, made_up: str) -> list[str]:
    """Take the different names that there are, and fill them up with made-up ones.

    Parameters
    ----------
    names
        Of genes, "" where there is none.
    size
        How many are needed; further ones are cut off.
    made_up
        How the made-up names begin.
    """
    real = list(dict.fromkeys(name for name in names or () if name))[:size]
    return [*real, *(f"{made_up}{number:010d}" for number in range(size - len(real)))]


def random_tensors(shapes: Shapes) -> dict[str, Tensor]:
    """Draw tensors that keep numbers in bounds: norms do nothing, and other weights are small."""
    return {name: _random(name, shape) for name, shape in shapes.items()}


def _random(name: str, shape: tuple[int, ...]) -> Tensor:
    if "norm" in name.lower():
        return torch.ones(shape) if name.endswith("weight") else torch.zeros(shape)
    return torch.randn(shape) * (1.0 if name.endswith("projection_matrix") else 0.02)


def _write_geneformer(folder: Path, ids: GeneIdentifiers, made: Generation) -> None:
    from safetensors.torch import save_file

    tensors = random_tensors(_geneformer(made))
    if made.keeps_positions:
        tensors["bert.embeddings.position_ids"] = torch.arange(made.n_positions)[None]
    save_file(tensors, folder / "model.safetensors")
    config = {"architectures": ["BertForMaskedLM"], "model_type": "bert", "vocab_size": made.n_tokens}
    config |= {"num_hidden_layers": made.n_layers, "hidden_size": made.width, "hidden_act": "relu"}
    config |= {"num_attention_heads": made.n_heads, "intermediate_size": made.ffn, "type_vocab_size": 2}
    config |= {"max_position_embeddings": made.n_positions, "layer_norm_eps": 1e-12, "pad_token_id": 0}
    config |= {"hidden_dropout_prob": 0.02, "attention_probs_dropout_prob": 0.02}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    genes = filled(ids.ensembl, made.n_tokens - len(made.special), "ENSG9")
    symbols = dict(zip(ids.symbol or (), ids.ensembl or (), strict=False))
    dictionaries = {
        "token_dictionary": {name: np.int16(token) for token, name in enumerate([*made.special, *genes])},
        "gene_median_dictionary": {gene: np.float64(1.5) for gene in genes},
        "gene_name_id_dict": {symbol: gene for symbol, gene in symbols.items() if symbol and gene},
        "ensembl_mapping_dict": {gene: gene for gene in genes},
    }
    for name, content in dictionaries.items():
        (folder / f"{name}_{made.dictionaries}.pkl").write_bytes(pickle.dumps(content))


def _dense(name: str, n_out: int, n_in: int) -> Shapes:
    return {f"{name}.weight": (n_out, n_in), f"{name}.bias": (n_out,)}


def _norm(name: str, width: int) -> Shapes:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def _geneformer(made: Generation) -> Shapes:
    width, embeddings = made.width, "bert.embeddings"
    shapes: Shapes = {
        f"{embeddings}.word_embeddings.weight": (made.n_tokens, width),
        f"{embeddings}.position_embeddings.weight": (made.n_positions, width),
        f"{embeddings}.token_type_embeddings.weight": (2, width),
    }
    shapes |= _norm(f"{embeddings}.LayerNorm", width)
    for number in range(made.n_layers):
        layer = f"bert.encoder.layer.{number}"
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            shapes |= _dense(f"{layer}.attention.{part}", width, width)
        shapes |= _norm(f"{layer}.attention.output.LayerNorm", width)
        shapes |= _dense(f"{layer}.intermediate.dense", made.ffn, width)
        shapes |= _dense(f"{layer}.output.dense", width, made.ffn)
        shapes |= _norm(f"{layer}.output.LayerNorm", width)
    shapes |= _dense("cls.predictions.transform.dense", width, width)
    shapes |= _norm("cls.predictions.transform.LayerNorm", width)
    return shapes | {"cls.predictions.bias": (made.n_tokens,)}


def _scgpt(width: int, n_layers: int) -> Shapes:
    shapes: Shapes = {
        "encoder.embedding.weight": (SCGPT_TOKENS, width),
        "flag_encoder.weight": (2, width),
        "mvc_decoder.W.weight": (width, width),
    }
    shapes |= _norm("encoder.enc_norm", width)
    shapes |= _dense("value_encoder.linear1", width, 1) | _dense("value_encoder.linear2", width, width)
    shapes |= _norm("value_encoder.norm", width)
    for number in range(n_layers):
        layer = f"transformer_encoder.layers.{number}"
        shapes |= _dense(f"{layer}.self_attn.Wqkv", 3 * width, width)
        for part in ("self_attn.out_proj", "linear1", "linear2"):
            shapes |= _dense(f"{layer}.{part}", width, width)
        shapes |= _norm(f"{layer}.norm1", width) | _norm(f"{layer}.norm2", width)
    shapes |= _dense("decoder.fc.0", width, width) | _dense("decoder.fc.2", width, width)
    return shapes | _dense("decoder.fc.4", 1, width) | _dense("mvc_decoder.gene2query", width, width)


def _scbert(width: int, n_layers: int) -> Shapes:
    shapes: Shapes = {"token_emb.weight": (7, width)}
    for number in range(n_layers):
        shapes |= _performer_layer(f"performer.net.layers.{number}", width, 640, bias=False)
    return shapes | _norm("norm", width) | _dense("to_out", 7, width)


def _performer_layer(layer: str, width: int, inner: int, *, bias: bool) -> Shapes:
    """List the tensors of a layer of the package performer-pytorch with heads of width 64."""
    attention, forward = f"{layer}.0.fn", f"{layer}.1.fn.fn"
    shapes = _norm(f"{layer}.0.norm", width) | _norm(f"{layer}.1.norm", width)
    shapes |= {f"{attention}.fast_attention.projection_matrix": (266, 64)}
    for part in ("to_q", "to_k", "to_v"):
        dense = _dense(f"{attention}.{part}", inner, width)
        shapes |= {name: shape for name, shape in dense.items() if bias or name.endswith("weight")}
    shapes |= _dense(f"{attention}.to_out", width, inner)
    return shapes | _dense(f"{forward}.w1", 4 * width, width) | _dense(f"{forward}.w2", width, 4 * width)


def _member() -> dict[str, Tensor]:
    """Draw one of scFoundation's three sets of weights."""
    tensors = random_tensors({f"model.{name}": shape for name, shape in _scfoundation(768, 512).items()})
    return {**tensors, "model.decoder.performer.calls_since_last_redraw": torch.tensor(0)}


def _scfoundation(width: int, decoder_width: int) -> Shapes:
    shapes: Shapes = {
        "token_emb.emb.weight": (100, width),
        "token_emb.emb_mask.weight": (1, width),
        "token_emb.emb_pad.weight": (1, width),
        "pos_emb.weight": (SCFOUNDATION_GENES + 3, width),
    }
    shapes |= _dense("token_emb.mlp", 100, 1) | _dense("token_emb.mlp2", 100, 100)
    for number in range(12):
        layer = f"encoder.transformer_encoder.{number}"
        attention = f"{layer}.self_attn"
        shapes |= {
            f"{attention}.in_proj_weight": (3 * width, width),
            f"{attention}.in_proj_bias": (3 * width,),
        }
        shapes |= _dense(f"{attention}.out_proj", width, width)
        shapes |= _dense(f"{layer}.linear1", 4 * width, width) | _dense(f"{layer}.linear2", width, 4 * width)
        shapes |= _norm(f"{layer}.norm1", width) | _norm(f"{layer}.norm2", width)
    shapes |= _norm("encoder.norm", width) | _dense("decoder_embed", decoder_width, width)
    for number in range(6):
        layer = f"decoder.performer.net.layers.{number}"
        shapes |= _performer_layer(layer, decoder_width, decoder_width, bias=True)
    shapes |= _norm("decoder.norm", decoder_width) | _norm("norm", decoder_width)
    return shapes | _dense("to_final", 1, decoder_width)
