"""Cases of Geneformer: tokens, embeddings, classification, in-silico perturbation."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from anndata import AnnData
from numpy.typing import NDArray
from safetensors.torch import save_file
from scipy import sparse
from torch.nn.functional import cross_entropy

from scviz.foundation.batching import longest_first
from scviz.foundation.classifier import CellTypeClassifier
from scviz.foundation.tokens import Tokens
from scviz.metrics.classification import accuracy, confusion_matrix, macro_f1
from scviz.models.geneformer.config import tiny
from scviz.models.geneformer.model import Geneformer, state_vector
from scviz.models.geneformer.network import TIED, Network
from scviz.models.geneformer.pretraining import IGNORED
from tests.goldens.arrays import Expected, load
from tests.goldens.geneformer_cells import RankedCells, rank_cells
from tests.goldens.geneformer_files import copy_dictionaries, published_folder, read_tokens
from tests.goldens.geneformer_genes import published_gene_head
from tests.goldens.geneformer_in_silico import check_isp, check_stats
from tests.goldens.published_roc import roc_curve

DICTIONARIES = Path(__file__).resolve().parents[3] / "shared" / "data" / "geneformer"

EMBEDDING = 1e-5  # as the authors' own runs differ by up to 3e-6 between machines
LOGITS = 5e-6


def check_tokenizer(case: Path, folder: Path) -> None:
    config = json.loads((case / "config.json").read_text())
    if "shared data" in config.get("dictionaries", ""):
        if not DICTIONARIES.is_dir():
            pytest.skip("the published V1 dictionaries are not here")
        for path in DICTIONARIES.glob("*.json"):
            shutil.copy(path, folder / path.name)
    else:
        copy_dictionaries(case, folder)
    tokens = json.loads(next(folder.glob("token_dictionary*")).read_text())
    bert = dataclasses.replace(tiny(len(tokens)), max_length=config["model_input_size"])
    weights = Network(bert).lm.state_dict()
    save_file({name: weights[name] for name in weights if name not in TIED}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(bert.to_bert() | {"model_type": "bert"}))
    model = Geneformer.from_checkpoint(folder)
    model.rules = dataclasses.replace(
        model.rules,
        special_tokens=config["special_token"],
        keep_counts=config.get("keep_counts", False),
    )
    inputs, expected = load(case / "inputs.npz"), Expected(case)
    if "input_ids_official" in expected:
        summed = ranked(model, inputs, config, published=False)
        compare_tokens(model, inputs, expected, summed, "input_ids_summed", "length_summed")
        twice = ranked(model, inputs, config, published=True)
        compare_tokens(model, inputs, expected, twice, "input_ids_official", "length_official")
    else:
        cells = ranked(model, inputs, config, published=False)
        if "cell_row" in expected:
            expected.equal("cell_row", cells.rows)
        compare_tokens(model, inputs, expected, cells, "input_ids", "length")
    expected.all_compared()


def ranked(model: Geneformer, inputs: dict[str, NDArray], config: dict, *, published: bool) -> RankedCells:
    """Rank the cells of a case, in the matrix format that the authors were given."""
    counts = inputs["counts"].astype(np.float32)
    dense = "dense" in config.get("matrix", "csr")
    obs = pd.DataFrame({key: inputs[key] for key in ("n_counts", "filter_pass") if key in inputs})
    adata = AnnData(counts if dense else sparse.csr_matrix(counts), obs=obs.set_index(obs.index.astype(str)))
    rules = dataclasses.replace(model.rules, published=published)
    return rank_cells(adata, model.vocab, rules, names=inputs["ensembl_ids"].tolist())


def compare_tokens(
    model: Geneformer,
    inputs: dict[str, NDArray],
    expected: Expected,
    ours: RankedCells,
    ids: str,
    length: str,
) -> None:
    """Compare exactly, but for the order of genes whose values are equal, which the authors leave open."""
    lengths = ours.tokens.lengths()
    expected.equal(length, lengths)
    theirs = expected.take(ids)
    groups = expected.take("tie_group") if "tie_group" in expected else None
    counts = expected.take("counts") if "counts" in expected else None
    medians = dict(zip(model.vocab.ids.tolist(), model.vocab.values["median"].tolist(), strict=True))
    at = dict(zip(model.vocab.genes, model.vocab.ids.tolist(), strict=True))
    at |= {alias: at[gene] for alias, gene in model.vocab.aliases.items()}
    tokens = np.array([at.get(name.upper(), -1) for name in inputs["ensembl_ids"].tolist()])
    for row, (cell, n) in enumerate(zip(ours.rows, lengths, strict=True)):
        values: dict[int, float] = {}
        for token, count in zip(tokens.tolist(), inputs["counts"][cell].tolist(), strict=True):
            values[token] = values.get(token, 0.0) + count / medians.get(token, 1.0)
        own, their = ours.tokens.gene_ids[row, :n].tolist(), theirs[row, :n].tolist()
        if ids == "input_ids_official":  # a gene that comes twice has two values, which only its place tells
            runs = equal_runs(values_by_place(tokens, inputs["counts"][cell], medians, their))
        else:
            runs = equal_runs([values.get(token, -1.0 - token) for token in their])
        if groups is not None:
            ties = groups[row, : n - 1] == groups[row, 1:n]
            assert all(np.diff(runs)[ties] == 0), "what the authors call equal differs here"
        truncated = n == model.rules.max_length
        same_up_to_ties(own, their, runs, values, truncated=truncated, special=model.vocab.special)
        if counts is not None:
            own_counts = dict(zip(own, ours.tokens.values[row, :n].tolist(), strict=True))
            their_counts = dict(zip(their, counts[row, :n].tolist(), strict=True))
            for token in own_counts.keys() & their_counts.keys():
                assert own_counts[token] == pytest.approx(their_counts[token], rel=1e-6)


def values_by_place(
    tokens: NDArray, counts: NDArray, medians: dict[int, float], order: list[int]
) -> list[float]:
    """Give the value at each place of an order in which genes may come twice, larger values first."""
    left: dict[int, list[float]] = {}
    for token, count in zip(tokens.tolist(), counts.tolist(), strict=True):
        if token >= 0 and count > 0:
            left.setdefault(token, []).append(count / medians[token])
    return [left[token].pop(left[token].index(max(left[token]))) for token in order]


def equal_runs(values: Sequence[float]) -> list[int]:
    """Number the runs of equal values."""
    steps = [not np.isclose(a, b, rtol=1e-12, atol=0) for a, b in pairwise(values)]
    return np.cumsum([False, *steps]).tolist()


def same_up_to_ties(
    own: list[int],
    their: list[int],
    runs: list[int],
    values: dict[int, float],
    *,
    truncated: bool,
    special: dict[str, int],
) -> None:
    """Compare two orders; what truncation cut through may hold any genes of that value."""
    genes = [i for i, token in enumerate(their) if token not in special.values()]
    for run in dict.fromkeys(runs):
        places = [i for i, number in enumerate(runs) if number == run]
        mine, yours = sorted(own[i] for i in places), sorted(their[i] for i in places)
        if mine != yours and truncated and genes[-1] in places:
            wanted = values[their[genes[-1]]]
            assert all(np.isclose(values[token], wanted, rtol=1e-12) for token in mine)
            continue
        assert mine == yours


def check_embed(case: Path, folder: Path) -> None:
    model = Geneformer.from_checkpoint(published_folder(case, folder))
    expected, tokens = Expected(case), read_tokens(load(case / "inputs.npz"))
    lengths = tokens.lengths()
    expected_order = expected.take("official_row_order")
    assert sorted(expected_order) == list(range(len(tokens)))
    np.testing.assert_array_equal(lengths[expected_order], lengths[longest_first(lengths)])
    if len(set(lengths)) == len(lengths):
        np.testing.assert_array_equal(expected_order, longest_first(lengths))
    names = {token: name for name, token in model.vocab.special.items()}
    names |= dict(zip(model.vocab.ids.tolist(), model.vocab.genes, strict=True))
    with torch.no_grad():
        for layer in (-1, 0):
            check_layer(model, tokens, expected, names, layer)
        check_hidden_states(model, tokens, expected)
    expected.all_compared()


def check_layer(
    model: Geneformer, tokens: Tokens, expected: Expected, names: dict[int, str], layer: int
) -> None:
    """Compare cell vectors, their summaries, and the means of genes."""
    modes = ("cell", "cls") if model.special_tokens else ("cell",)
    for mode in modes:
        if f"{mode}_layer{layer}" not in expected:
            continue
        cells = model.cell_vectors(tokens, layer=layer, mode=mode).numpy()
        expected.close(f"{mode}_layer{layer}", cells, atol=EMBEDDING)
        for summary in ("mean", "median"):
            name = f"exact_{summary}_{mode}_layer{layer}"
            if name in expected:
                expected.close(name, state_vector(cells, summary), atol=EMBEDDING)
        if (layer, mode) == (model.config.emb_layer, model.cell_mode):
            np.testing.assert_array_equal(model.encode_cells(tokens).numpy(), cells)
            np.testing.assert_allclose(model(tokens).cells.numpy(), cells, atol=EMBEDDING)
    means = model.token_means(tokens, layer=layer)
    order = sorted(range(len(means.token_ids)), key=lambda i: names[int(means.token_ids[i])])
    expected.equal(f"gene_layer{layer}_ids", [names[int(means.token_ids[i])] for i in order])
    expected.close(f"gene_layer{layer}", means.vectors[order], atol=EMBEDDING)


def check_hidden_states(model: Geneformer, tokens: Tokens, expected: Expected) -> None:
    """Compare every layer, the scores of masked genes and the attention of the first cells, padded alike."""
    ids, mask = torch.as_tensor(tokens.gene_ids), torch.as_tensor(tokens.mask)
    n, length = expected.take("hidden_state_0").shape[:2]
    ids, mask = ids[:, :length], mask[:, :length]
    states = list(model.network.hidden_states(ids, mask))
    assert f"hidden_state_{len(states)}" not in expected
    for k, hidden in enumerate(states):
        expected.close(f"hidden_state_{k}", (hidden * mask[..., None])[:n], atol=EMBEDDING)
    last = (states[-1] * mask[..., None])[:n]
    np.testing.assert_allclose(model(tokens).tokens[:n, :length], last, atol=EMBEDDING)
    logits = model.network.gene_logits(states[-1]) * mask[..., None]
    expected.close("mlm_logits", logits[: len(expected.take("mlm_logits"))], atol=EMBEDDING)
    attention = expected.take("attentions_first2")  # (2, layers, heads, L, L)
    n, length = len(attention), attention.shape[-1]
    ids, mask = ids[:n, :length], mask[:n, :length]
    layers = [model.network.attention(ids, mask, k) for k in range(attention.shape[1])]
    expected.close("attentions_first2", torch.stack(layers, dim=1), atol=EMBEDDING)
    last = attention[:, -1].mean(axis=1) * (mask[:, :, None] & mask[:, None, :]).numpy()
    np.testing.assert_allclose(model.attention(tokens)[:n, :length, :length], last, atol=EMBEDDING)


def check_classify_cell(case: Path, folder: Path) -> None:
    classifier = CellTypeClassifier.load(published_folder(case, folder), Geneformer)
    inputs, expected = load(case / "inputs.npz"), Expected(case)
    tokens = read_tokens(inputs)
    with torch.no_grad():
        logits = classifier(tokens).numpy()
        n = kept_by_the_authors(len(tokens), batch=4, found=len(expected.take("logits")))
        expected.close("logits", logits[:n], atol=LOGITS)
        compare_metrics(expected, inputs["label"][:n], logits[:n])
        first, labels = tokens.take(slice(0, 4)), inputs["label"][:4]
        compare_batch(expected, "first4", first, labels)
        selected = classifier.select(first)
        expected.close("pooler_first4", classifier.head.pooled(selected), atol=LOGITS)
        loss = cross_entropy(classifier(first), torch.as_tensor(labels))
        expected.close("loss_first4", loss, atol=LOGITS)
    expected.all_compared()


def check_classify_gene(case: Path, folder: Path) -> None:
    model = Geneformer.from_checkpoint(published_folder(case, folder))
    head = published_gene_head(folder, model.config.width)
    inputs, expected = load(case / "inputs.npz"), Expected(case)
    tokens = read_tokens(inputs)
    classes = dict(zip(inputs["gene_token"].tolist(), inputs["gene_class"].tolist(), strict=True))
    labels = np.array([[classes.get(token, IGNORED) for token in row] for row in tokens.gene_ids.tolist()])
    labels = np.where(tokens.mask, labels, IGNORED)
    with torch.no_grad():
        logits = head(model(tokens).tokens).numpy()  # (B, L, K)
        first = tokens.take(slice(0, 3))
        first_logits = head(model(first).tokens)
    asked = labels != IGNORED
    n = kept_by_the_authors(len(tokens), batch=3, found=None)
    if len(expected.take("logits_labelled")) == asked.sum():
        n = len(tokens)
    truth = labels[:n][asked[:n]]
    expected.close("logits_labelled", logits[:n][asked[:n]], atol=LOGITS)
    expected.equal("true", truth)
    compare_metrics(expected, truth, logits[:n][asked[:n]])
    first_labels = labels[:3, : first.mask.shape[1]]
    compare_batch(expected, "first3", first, first_labels)
    expected.close("logits_first3", first_logits.numpy() * first.mask[..., None], atol=LOGITS)
    loss = cross_entropy(first_logits.transpose(1, 2), torch.as_tensor(first_labels), ignore_index=IGNORED)
    expected.close("loss_first3", loss, atol=LOGITS)
    expected.all_compared()


def kept_by_the_authors(n: int, *, batch: int, found: int | None) -> int:
    """Return how many cells the authors predict: their code drops a last batch of one cell."""
    kept = n - 1 if n % batch == 1 else n
    assert found in (None, kept, n)
    return kept if found is None else found


def compare_batch(expected: Expected, name: str, tokens: Tokens, labels: NDArray) -> None:
    """Compare a training batch."""
    expected.equal(f"collated_{name}/input_ids", tokens.gene_ids)
    expected.equal(f"collated_{name}/attention_mask", tokens.mask)
    expected.equal(f"collated_{name}/labels", labels)


def compare_metrics(expected: Expected, truth: NDArray, logits: NDArray) -> None:
    """Compare predictions and what is computed from them."""
    n_types = logits.shape[1]
    predicted = logits.argmax(axis=1)
    expected.equal("pred", predicted)
    expected.equal("conf_mat", confusion_matrix(truth, predicted, n_types))
    expected.close("macro_f1", macro_f1(truth, predicted, n_types), atol=1e-12)
    expected.close("accuracy", accuracy(truth, predicted), atol=1e-12)
    if "roc_auc" in expected:
        scores = torch.as_tensor(logits).softmax(dim=1)[:, 1].numpy()
        curve = roc_curve(truth, scores)
        expected.close("roc_auc", curve.area(), atol=1e-12)
        expected.close("interp_tpr", curve.on_grid(), atol=1e-12)
        expected.equal("tpr_wt", len(curve.true_rate))


CHECKS = {
    "tokenizer": check_tokenizer,
    "embed": check_embed,
    "classify_cell": check_classify_cell,
    "classify_gene": check_classify_gene,
    "isp": check_isp,
    "stats": check_stats,
}
