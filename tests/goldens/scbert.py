"""Cases of scBERT: preprocessing, Performer, cell types, attention, hidden levels, fine-tuning."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy import sparse
from torch.nn.functional import cross_entropy

from scviz.foundation.classifier import CellTypeClassifier
from scviz.foundation.tokens import Tokens
from scviz.metrics.rejection import unassigned
from scviz.models.scbert.finetuning import freeze_as_published
from scviz.models.scbert.model import ScBert
from scviz.models.scbert.network import Network
from scviz.models.scbert.pretraining import mask_bins
from scviz.models.scbert.tokenizer import LevelRules, gene_list, levels, listed_cells, tokenize
from tests.goldens.arrays import Expected, load
from tests.goldens.scbert_schedule import Schedule

FLOAT = 5e-5  # the authors' own runs differ by 1e-6 between kernels, and by 1e-5 with sharp attention
AFTER_ADAM = 3e-4  # small gradients, whose sign depends on rounding, make whole steps
HALF = 2e-3  # outputs that the authors round to half precision


def read_config(case: Path) -> dict:
    return json.loads((case / "config.json").read_text())


def published_folder(case: Path, folder: Path) -> Path:
    """Lay a case out as a published folder, with names for its genes."""
    shutil.copy(case / "weights.safetensors", folder / "panglao_pretrain.safetensors")
    model = read_config(case)["model"]
    names = [f"GENE{i}" for i in range(model["max_seq_len"] - 1)]
    (folder / "genes.txt").write_text("\n".join(names))
    if not model["g2v_position_emb"]:
        (folder / "scviz.json").write_text(json.dumps({"gene2vec": False}))
    return folder


def read_tokens(values: np.ndarray) -> Tokens:
    """Make tokens of levels, (B, L)."""
    places = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    return Tokens(places, values.astype(np.float32), np.ones(values.shape, dtype=bool))


def over_the_batch(model: ScBert) -> ScBert:
    """Take the largest exponent of keys over all cells of a batch, as the authors do."""
    again = ScBert(dataclasses.replace(model.config, key_max="batch"), model.vocab)
    again.load_state_dict(model.state_dict())
    return again.eval()


def check_preprocess(case: Path, folder: Path) -> None:
    config, inputs, expected = read_config(case), load(case / "inputs.npz"), Expected(case)
    counts = sparse.csr_matrix(inputs["counts"]) if config["sparse"] else inputs["counts"]
    vocab = gene_list(config["reference_genes"])
    places = vocab.column_tokens(pd.DataFrame(index=config["data_genes"]))
    rules = LevelRules(
        n_genes=len(vocab),
        n_bins=config["num_tokens"] - 2,
        target_sum=10_000,
        min_genes=config.get("min_genes", 200),
        published=True,
    )
    cells = listed_cells(counts, places, rules)
    expected.equal("kept_cells", np.flatnonzero(cells.kept))
    expected.close("log_expression", cells.expression[cells.kept].toarray(), atol=1e-5)
    expected.equal("X_dtype", [str(cells.expression.dtype)])
    tokens = tokenize(counts, places, rules)
    expected.equal("tokens", tokens.values[cells.kept])
    np.testing.assert_array_equal(tokens.mask.any(axis=1), cells.kept)
    expected.all_compared()


def check_mlm(case: Path, folder: Path) -> None:
    model = ScBert.from_checkpoint(published_folder(case, folder))
    assert model.load_report.missing == model.load_report.unexpected == ()
    expected = Expected(case)
    tokens = read_tokens(load(case / "inputs.npz")["tokens"])
    ids, bins = torch.tensor(tokens.gene_ids), torch.tensor(tokens.values).long()
    together = over_the_batch(model)
    with torch.no_grad():
        expected.close("input_embedding", model.network.embedding(ids, bins), atol=1e-7)
        hidden = together(tokens).tokens
        expected.close("encodings", hidden, atol=FLOAT)
        expected.close("logits", together.network.to_out(hidden), atol=FLOAT)
        logits = model.network.to_out(model(tokens).tokens)
        expected.close("logits_one_by_one", logits, atol=FLOAT)
    expected.all_compared()


def check_cls(case: Path, folder: Path) -> None:
    config, expected = read_config(case), Expected(case)
    expression = sparse.csr_matrix(load(case / "inputs.npz")["log_expression"])
    classifier = CellTypeClassifier.load(published_folder(case, folder), ScBert)
    assert len(classifier.types) == config["n_classes"]
    tokens = read_tokens(levels(expression, classifier.encoder.config.n_bins))
    with torch.no_grad():
        logits = classifier(tokens)
    probabilities = logits.softmax(dim=1).numpy()
    expected.close("logits", logits, atol=FLOAT)
    expected.close("probabilities", probabilities, atol=FLOAT)
    expected.equal("prediction", probabilities.argmax(axis=1))
    expected.equal("unassigned", unassigned(probabilities, config["unassign_thres"]))
    expected.all_compared()


def check_attention(case: Path, folder: Path) -> None:
    model, expected = ScBert.from_checkpoint(published_folder(case, folder)), Expected(case)
    tokens = read_tokens(load(case / "inputs.npz")["tokens"])
    weights = model.attention_map(tokens, published=True)
    sums = model.attention_sums(tokens, published=True)
    expected.close("attention_map_float32", weights, atol=1e-5)
    expected.close("token_importance_float32", sums, atol=1e-5)
    expected.close("attention_map", weights, atol=HALF)
    expected.close("token_importance", sums, atol=HALF)
    expected.all_compared()


def check_mask(case: Path, folder: Path) -> None:
    config, inputs, expected = read_config(case), load(case / "inputs.npz"), Expected(case)
    hidden = config["num_tokens"] - 1
    masked = mask_bins(
        torch.as_tensor(inputs["tokens"]),
        hidden,
        torch.Generator().manual_seed(config["torch_seed"]),
        share=config["mask_prob"],
        shown_as_hidden=config["replace_prob"],
    )
    expected.equal("masked_input", masked.bins)
    expected.equal("labels", masked.targets)
    logits = torch.as_tensor(inputs["logits"])
    loss = cross_entropy(logits.transpose(1, 2), masked.targets, ignore_index=hidden)
    expected.close("loss", loss, atol=1e-6)
    expected.equal("predicted_bins", logits[..., 1:hidden].argmax(dim=-1) + 1)
    expected.all_compared()


def check_schedule(case: Path, folder: Path) -> None:
    config, expected = read_config(case), Expected(case)
    said = config["scheduler"]
    schedule = Schedule(
        first_cycle=said["first_cycle_steps"],
        cycle_factor=said["cycle_mult"],
        highest=said["max_lr"],
        lowest=said["min_lr"],
        warmup=said["warmup_steps"],
        decay=said["gamma"],
    )
    expected.close("lr_during_epoch", schedule.rates(config["epochs"]), atol=0, rtol=1e-9)
    expected.all_compared()


def check_finetune(case: Path, folder: Path) -> None:
    """Train as the authors do: the sum of gradients of some batches for each step of Adam."""
    config, inputs, expected = read_config(case), load(case / "inputs.npz"), Expected(case)
    read = CellTypeClassifier.load(published_folder(case, folder), ScBert)
    classifier = CellTypeClassifier(over_the_batch(read.encoder), read.head, read.types)
    freeze_as_published(classifier.encoder.network)
    trained = {name: p for name, p in published_names(classifier).items() if p.requires_grad}
    expected.equal("trainable", list(trained))
    before = {name: tensor.clone() for name, tensor in published_names(classifier).items()}
    optimizer = torch.optim.Adam(trained.values(), lr=config["lr"])
    losses = []
    classifier.train()
    for number, (values, types) in enumerate(zip(inputs["tokens"], inputs["labels"], strict=True), start=1):
        loss = cross_entropy(classifier(read_tokens(values)), torch.as_tensor(types))
        loss.backward()
        losses.append(loss.item())
        if number % config["grad_acc"] == 0:
            torch.nn.utils.clip_grad_norm_(trained.values(), 1e6)
            optimizer.step()
            optimizer.zero_grad()
    after = published_names(classifier)
    expected.close("losses", losses, atol=AFTER_ADAM)
    changed = sorted(name for name in after if not torch.equal(before[name], after[name]))
    expected.equal("changed", changed)
    for name in config["report"]:
        expected.close(f"after__{name}", after[name].detach(), atol=AFTER_ADAM)
    expected.equal("calls_since_last_redraw", after["performer.calls_since_last_redraw"])
    expected.all_compared()


def published_names(classifier: CellTypeClassifier) -> dict[str, torch.Tensor]:
    """Return all tensors by the authors' names, with the head for cell types in place of the first one."""
    network = classifier.encoder.network
    assert isinstance(network, Network)
    body = network.state_dict(keep_vars=True)
    head = classifier.head.state_dict(keep_vars=True)
    kept = {name: tensor for name, tensor in body.items() if not name.startswith("to_out.")}
    return kept | {f"to_out.{name}": tensor for name, tensor in head.items()}


CHECKS = {
    "preprocess": check_preprocess,
    "mlm": check_mlm,
    "cls": check_cls,
    "attention": check_attention,
    "mask": check_mask,
    "schedule": check_schedule,
    "finetune": check_finetune,
}
