"""Cases of scFoundation: rows of values, embeddings of values, cells and genes, classification."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from anndata import AnnData
from numpy.typing import NDArray
from safetensors.torch import load_file
from scipy import sparse
from torch import Tensor

from scviz.foundation.tokens import Tokens
from scviz.foundation.vocab import GeneVocab
from scviz.foundation.weights import load_tensors
from scviz.models.scfoundation.checkpoint import MEMBERS, list_vocab, our_name, our_names
from scviz.models.scfoundation.config import Config
from scviz.models.scfoundation.model import TASK_MEMBERS, ScFoundation
from scviz.models.scfoundation.network import Network, ValueEmbedding
from scviz.models.scfoundation.tokenizer import (
    Profiles,
    TargetDepth,
    profiles,
    profiles_of_logs,
    select_genes,
)
from tests.goldens.arrays import Expected, load
from tests.goldens.scfoundation_bulk import bulk_profiles, bulk_profiles_of_logs

GENE_LIST = Path("OS_scRNA_gene_index.19264.tsv")
SHARED_LIST = Path(__file__).resolve().parents[3] / "shared" / "data" / "scfoundation" / GENE_LIST

ROWS = 1e-6
ENCODER = 3e-5  # two ways to compute the same attention differ by about 5e-6
DECODER = 6e-5
CHECKSUM = 5e-7  # of sums over 19,264 genes, in parts of the sum of absolute values


def config_of(case: Path) -> Config:
    values = json.loads((case / "config.json").read_text())
    return Config.from_authors(values.get("config", values))


def published_folder(case: Path, folder: Path, genes: Sequence[str]) -> Path:
    """Lay a case out as the authors publish their weights.

    A member without a file of its own gets the weights of "cell", and parts of the network that a case leaves out
    get random ones.
    """
    if (case / "models.ckpt").is_file():
        shutil.copy(case / "models.ckpt", folder / "models.ckpt")
    else:
        config = json.loads((case / "config.json").read_text())
        content = {}
        for name in MEMBERS:
            path = case / f"weights_{name}.safetensors"
            tensors = load_file(path if path.is_file() else case / "weights.safetensors")
            given = our_names(tensors)
            rest = Network(config_of(case)).state_dict()
            tensors |= {key: tensor for key, tensor in rest.items() if key not in given}
            content[name] = {"config": config, "state_dict": tensors}
        torch.save(content, folder / "models.ckpt")
    lines = ["gene_name\tindex", *(f"{gene}\t{i}" for i, gene in enumerate(genes))]
    (folder / GENE_LIST).write_text("\n".join(lines) + "\n")
    return folder


def made_names(case: Path) -> list[str]:
    return [f"GENE{i}" for i in range(config_of(case).n_genes)]


def cells_of(counts: NDArray | sparse.sparray, genes: Sequence[str]) -> AnnData:
    return AnnData(sparse.csr_matrix(counts), var=pd.DataFrame(index=list(genes)))


def read_rows(rows: NDArray, *, depth_tokens: bool = True) -> Tokens:
    """Make tokens of rows that end with T and S, or that have none."""
    if not depth_tokens:
        rows = np.hstack([rows, np.ones((len(rows), 2))])
    genes = sparse.csr_matrix(rows[:, :-2].astype(np.float64))
    depth = rows[:, -2:].astype(np.float64)
    return Profiles(genes, depth[:, 0], depth[:, 1]).tokens(depth_tokens=depth_tokens)


def padded_to(tokens: Tokens, length: int, position: int) -> Tokens:
    """Add padding up to a length."""
    more = ((0, 0), (0, length - tokens.mask.shape[1]))
    return Tokens(
        gene_ids=np.pad(tokens.gene_ids, more, constant_values=position),
        values=np.pad(tokens.values, more, constant_values=103.0),
        mask=np.pad(tokens.mask, more),
    )


def check_preprocess(case: Path, folder: Path) -> None:
    inputs, expected = load(case / "inputs.npz"), Expected(case)
    genes = inputs["gene_list"].tolist()
    vocab = list_vocab(genes)
    positions = vocab.positions(inputs["var_names_sub"].tolist())
    counts = select_genes(inputs["counts_sub"], positions, len(genes))
    expected.equal("selected_counts", counts.toarray())
    expected.equal("missing_mask", ~np.isin(np.arange(len(genes)), positions))
    for name in [name for name in expected.arrays if name.startswith(("singlecell_", "bulk_"))]:
        expected.close(name, profiles_named(name, counts, inputs).rows(), atol=ROWS, rtol=ROWS)
    expected.all_compared()


def profiles_named(name: str, counts: sparse.csr_matrix, inputs: dict[str, NDArray]) -> Profiles:
    """Prepare cells as an output's name says: "singlecell_F_t4", "bulk_T"."""
    made_of, kind, *depth = name.split("_")
    logs, with_total = sparse.csr_matrix(inputs["lognorm"]), inputs["lognorm_with_total"]
    if made_of == "bulk":
        return {
            "F": lambda: bulk_profiles(sparse.csr_matrix(inputs["counts_full"])),
            "T": lambda: bulk_profiles_of_logs(logs),
        }[kind]()
    target = TargetDepth.parse(depth[0])
    return {
        "F": lambda: profiles(counts, target),
        "T": lambda: profiles_of_logs(logs, target),
        "A": lambda: profiles_of_logs(
            sparse.csr_matrix(with_total[:, :-1]), target, totals=with_total[:, -1]
        ),
    }[kind]()


def check_autodisc_embedding(case: Path, folder: Path) -> None:
    embedding = ValueEmbedding(config_of(case))
    prefix = "value_embedding."
    tensors = our_names(load_file(case / "weights.safetensors"))
    load_tensors(embedding, {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)})
    values, expected = torch.as_tensor(load(case / "inputs.npz")["values"]), Expected(case)
    with torch.no_grad():
        expected.close("bin_weight", embedding.bin_weights(values), atol=ENCODER)
        expected.close("embedding", embedding(values), atol=ENCODER)
    expected.all_compared()


def check_encoder_padding(case: Path, folder: Path) -> None:
    model = ScFoundation.from_checkpoint(published_folder(case, folder, made_names(case)))
    expected = Expected(case)
    tokens = read_rows(load(case / "inputs.npz")["model_input"])
    expected.equal("gathered_values", tokens.values)
    expected.equal("padding", ~tokens.mask)
    expected.equal("position_ids_forward", tokens.gene_ids)
    values, positions, mask = model._tensors(tokens)
    with torch.no_grad():
        expected.close("token_embedding", model.network.value_embedding(values), atol=ENCODER)
        expected.close("latent_forward", model.network.encode(values, positions, mask), atol=ENCODER)
        with captured(model.network.position_embedding) as read:
            encoding = model.published_encoding(tokens)
        expected.equal("position_ids_cell_path", read[0])
        expected.close("latent_cell_path", encoding.tokens, atol=ENCODER)
        real = torch.as_tensor(expected.take("latent_cell_path")) * mask[..., None]
        np.testing.assert_allclose(model(tokens).tokens, real, atol=ENCODER)
    expected.all_compared()


class captured:  # noqa: N801 - used like a function
    """Keep what a part of the network reads, or gives, while it runs."""

    def __init__(self, part: torch.nn.Module, *, output: bool = False) -> None:
        self.part, self.output, self.found = part, output, []

    def __enter__(self) -> list[Tensor]:
        self.hook = self.part.register_forward_hook(
            lambda _, read, given: self.found.append(given if self.output else read[0])
        )
        return self.found

    def __exit__(self, *error: object) -> None:
        self.hook.remove()


def with_pooling(model: ScFoundation, pooling: str) -> ScFoundation:
    model.config = dataclasses.replace(model.config, pooling=pooling)
    return model


def for_member(folder: Path, member: str) -> ScFoundation:
    """Read the weights of a member, for a task that uses them."""
    name = {"ce": "cell"}.get(member, member)
    task = next(task for task, chosen in TASK_MEMBERS.items() if chosen == name and task != "annotation")
    model = ScFoundation.for_task(folder, task)
    assert model.member == name
    return model


def check_cell_embedding(case: Path, folder: Path) -> None:
    inputs, expected = load(case / "inputs.npz"), Expected(case)
    genes = inputs["gene_list"].tolist()
    published_folder(case, folder, genes)
    shuffled = np.random.default_rng(0).permutation(len(genes))
    adata = cells_of(inputs["counts"][:, shuffled], [genes[i] for i in shuffled])
    for name in expected.arrays:
        member, pooling, depth = name.split("_")
        model = with_pooling(for_member(folder, member), pooling).at_depth(depth)
        expected.close(name, model.embed(adata), atol=ENCODER)
        expected.close(name, model.embed(adata, batch_size=1), atol=ENCODER)
    expected.all_compared()


def check_full_forward(case: Path, folder: Path) -> None:
    inputs, expected = load(case / "inputs.npz"), Expected(case)
    genes = inputs["gene_list"].tolist()
    model = for_member(published_folder(case, folder, genes), "gene").at_depth("f1")
    adata = cells_of(inputs["counts"], genes)
    np.testing.assert_allclose(model._profiles(adata).rows(), inputs["model_input"], atol=ROWS, rtol=ROWS)
    tokens = model.tokenize(adata)
    with torch.no_grad():
        expected.close("gene", model.gene_context(tokens), atol=DECODER)
        expected.close("gene_batch", model.gene_context(tokens, across_cells=True), atol=DECODER)
        expected.close("gene_expression", model.predicted_expression(tokens), atol=DECODER)
    means = model.context_gene_embeddings(adata, genes[::-1])
    np.testing.assert_allclose(means, expected.take("gene").mean(axis=0)[::-1], atol=DECODER)
    check_first_cell(model, tokens.take(slice(0, 1)), expected)
    expected.all_compared()


def check_first_cell(model: ScFoundation, tokens: Tokens, expected: Expected) -> None:
    """Compare what the parts of the network give for one cell."""
    network = model.network
    parts = {
        "encoder_out": network.encoder_norm,
        "decoder_embed_out": network.to_decoder,
        "decoder_out": network.decoder_norm,
        "final_norm_out": network.norm,
        **{f"decoder_attn_branch_{i}": block.attention for i, block in enumerate(network.decoder_blocks)},
    }
    captures = {name: captured(part, output=True) for name, part in parts.items()}
    found = {name: capture.__enter__() for name, capture in captures.items()}
    with torch.no_grad():
        decoded = model._decoded(tokens)
        expected.close("cell0_prediction_all_tokens", network.expression(decoded), atol=DECODER)
    for name, capture in captures.items():
        capture.__exit__()
        expected.close(f"cell0_{name}", found[name][0], atol=DECODER)


def check_annotation_head(case: Path, folder: Path) -> None:
    config = dataclasses.replace(config_of(case), depth_tokens=False)
    model = ScFoundation(config, GeneVocab(genes=(), ids=np.arange(0), special={}, kind="symbol")).eval()
    tensors = load_file(case / "weights.safetensors")
    n_types = len(tensors["fc1.2.bias"])
    head = model.classifier(n_types).eval()
    in_head = {"norm": "norm", "fc1.0": "hidden", "fc1.2": "classifier"}
    theirs = {
        f"{in_head[part]}.{kind}": tensors.pop(name)
        for name in list(tensors)
        for part, kind in [name.rsplit(".", 1)]
        if part in in_head
    }
    assert load_tensors(head, theirs).unexpected == ()
    decoder = ("to_decoder.", "decoder_", "norm.", "to_expression.", "n_calls")
    report = load_tensors(model.network, our_names(tensors), optional=decoder)
    assert report.unexpected == ()
    expected = Expected(case)
    tokens = read_rows(load(case / "inputs.npz")["x_lognorm"], depth_tokens=False)
    with torch.no_grad():
        pooled = head.select(model.published_encoding(tokens))
        expected.close("pooled", pooled, atol=ENCODER)
        expected.close("normed", head.normed(pooled), atol=ENCODER)
        expected.close("logits", head(pooled), atol=ENCODER)
        longest = [tokens.lengths().argmax()]  # a cell without padding is the same in our way
        np.testing.assert_allclose(head.select(model(tokens))[longest], pooled[longest], atol=ENCODER)
    check_trainable(model, head, json.loads((case / "config.json").read_text()))
    expected.all_compared()


def check_trainable(model: ScFoundation, head: torch.nn.Module, config: Mapping) -> None:
    """Compare which weights are trained."""
    model.network.freeze_for_annotation()
    ours = [name for name, p in model.network.named_parameters() if p.requires_grad]
    wanted = config["trainable_parameters"]
    assert sorted(ours) == sorted(our_name(name) for name in wanted if not name.startswith("fc1"))
    assert len(list(head.parameters())) == sum(name.startswith("fc1") for name in wanted)


def check_gears_context(case: Path, folder: Path) -> None:
    model = for_member(published_folder(case, folder, made_names(case)), "gene")
    cells, expected = load(case / "inputs.npz")["lognorm_with_total"], Expected(case)
    logs = sparse.csr_matrix(cells[:, :-1], dtype=np.float64)
    for name in [name for name in expected.arrays if name.startswith("token_row_highres")]:
        raised = name.removeprefix("token_row_highres")
        read = profiles_of_logs(logs, TargetDepth.parse(f"a{raised}"), totals=cells[:, -1])
        expected.close(name, read.rows(), atol=ROWS, rtol=ROWS)
        tokens = read.tokens(depth_tokens=True)
        length = -(-tokens.mask.shape[1] // 16) * 16
        expected.equal("encoder_length", length)
        padded = padded_to(tokens, length, model.config.n_genes + 2)
        with torch.no_grad():
            for these in (tokens, padded):
                context = model.gene_context(these, across_cells=True)
                expected.close(f"gene_context_highres{raised}", context, atol=DECODER)
    expected.all_compared()


def check_tiny_checkpoint(case: Path, folder: Path) -> None:
    inputs, expected = load(case / "inputs.npz"), Expected(case)
    genes = inputs["gene_list"].tolist()
    published_folder(case, folder, genes)
    adata = cells_of(inputs["counts"], genes)
    whole = ScFoundation.from_checkpoint(folder)
    assert whole.load_report.missing == whole.load_report.unexpected == ()
    whole.save(folder / "ours")
    for place in (folder, folder / "ours"):
        for name in expected.arrays:
            check_member_output(place, name, adata, expected)
    expected.all_compared()


def check_member_output(folder: Path, name: str, adata: AnnData, expected: Expected) -> None:
    """Compare "cell_ce_all_t4", "gene_f1" or "gene_expression_f1", whose name says how it was made."""
    parts = name.split("_")
    if parts[0] == "cell":
        model = with_pooling(for_member(folder, parts[1]), parts[2]).at_depth(parts[3])
        expected.close(name, model.embed(adata), atol=ENCODER)
        return
    model = for_member(folder, "gene").at_depth(parts[-1])
    tokens = model.tokenize(adata)
    with torch.no_grad():
        ours = model.predicted_expression(tokens) if "expression" in parts else model.gene_context(tokens)
    expected.close(name, ours, atol=DECODER)


def check_real_gene_list(case: Path, folder: Path) -> None:
    if not SHARED_LIST.is_file():
        pytest.skip("the published gene list is not here")
    inputs, expected = load(case / "inputs.npz"), Expected(case)
    published_folder(case, folder, [])
    shutil.copy(SHARED_LIST, folder / GENE_LIST)
    model = ScFoundation.from_checkpoint(folder)
    counts = sparse.csr_matrix(
        (inputs["counts"], (inputs["rows"], inputs["cols"])), shape=tuple(inputs["shape"])
    )
    shuffled = np.random.default_rng(0).permutation(counts.shape[1])
    adata = cells_of(counts[:, shuffled], [model.vocab.genes[i] for i in shuffled])
    for name in [name for name in expected.arrays if name.startswith("cell_")]:
        _, pooling, depth = name.split("_")
        expected.close(name, with_pooling(model, pooling).at_depth(depth).embed(adata), atol=ENCODER)
    compare_genes(model, adata, expected)
    expected.all_compared()


def compare_genes(model: ScFoundation, adata: AnnData, expected: Expected) -> None:
    """Compare what the decoder gives for some genes, and sums over all."""
    picked = expected.take("picked_genes")
    depths = {name.rsplit("_", 1)[1] for name in expected.arrays if "gene_picked" in name}
    for depth in sorted(depths):
        tokens = model.at_depth(depth).tokenize(adata)
        with torch.no_grad():
            context = model.gene_context(tokens)
            values = model.predicted_expression(tokens).double()
        expected.close(f"gene_picked_{depth}", context[:, picked], atol=DECODER)
        expected.close(f"gene_mean_over_genes_{depth}", context.mean(dim=1), atol=DECODER)
        expected.close(f"gene_expression_picked_{depth}", values[:, picked], atol=DECODER)
        expected.close(
            f"gene_expression_sum_{depth}",
            values.sum(dim=1),
            atol=CHECKSUM * float(values.abs().sum(dim=1).min()),
        )


CHECKS = {
    "preprocess": check_preprocess,
    "autodisc_embedding": check_autodisc_embedding,
    "encoder_padding": check_encoder_padding,
    "cell_embedding": check_cell_embedding,
    "full_forward": check_full_forward,
    "annotation_head": check_annotation_head,
    "gears_context": check_gears_context,
    "tiny_checkpoint": check_tiny_checkpoint,
    "real_gene_list": check_real_gene_list,
}
