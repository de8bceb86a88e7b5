"""The networks, and what they begin with: vectors of genes from the cells that train, biases from frequencies.

A network of this size that sees a few thousand cells learns little of which genes go together. Its gene vectors
therefore begin as right singular vectors: with M the share that each gene has in the summary of each cell as the model
reads it, centered within each file and scaled by the root of each gene's spread, M = U S V^T, and the rows of V, scaled
in the same way, are the vectors. Layers begin close to doing nothing, so that the summary of a cell begins as its
projection. Genes that no cell of the training has begin at 0.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils.extmath import randomized_svd
from torch import Tensor

from benchmarks.blood.corpus import SOURCES, TARGET_SUM, Corpus, log_expression
from scviz.foundation.model import FoundationModel
from scviz.foundation.vocab import GeneVocab
from scviz.models import model_class
from scviz.models.geneformer.config import Config as GeneformerConfig
from scviz.models.scbert.config import demo as scbert_shape
from scviz.models.scbert.pretraining import SPREAD
from scviz.models.scbert.tokenizer import gene_list
from scviz.models.scfoundation.checkpoint import list_vocab
from scviz.models.scfoundation.config import demo as scfoundation_shape
from scviz.models.scfoundation.pretraining import counts_of, hide_genes
from scviz.models.scgpt.checkpoint import SPECIAL as SCGPT_SPECIAL
from scviz.models.scgpt.config import Config as ScGptConfig

MOST_OF_A_FILE = 2500
"""Cells of one file whose shares are decomposed, so that a large file does not decide alone."""
QUIET = 0.2
"""What the outputs of attention and feed-forward parts begin with, in units of their usual first weights."""
CELLS_AT_ONCE = 128
LEAST = -12.0
"""Logarithm of how common a special token is, which is never asked for."""
BERT, SCGPT = "network.lm.bert.encoder.layer", "network.transformer_encoder.layers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Where the parts of a family's network are."""

    make: Callable[[Corpus], FoundationModel]
    """Gives the network with random weights."""
    vectors: str
    """Parameter of gene vectors."""
    quiet: tuple[str, ...]
    """Ends of the names of output weights."""
    first: tuple[str, ...]
    """The linear parts of the first attention: what gives values, and its output; values stand last in the former."""
    by_value: bool = False
    """Whether the summary of a cell weighs genes by their values."""
    strength: float = 3.0
    """How much of the mean over its tokens the first attention adds to each token."""
    batch: int = 16
    """Cells of an update."""
    n_named: int = 300
    """Cells of the choosing donors that their neighbors name after each epoch."""
    composing: int = 0
    """Epochs of each stage, after those of its own objective alone, in which a second objective joins it."""


def geneformer(corpus: Corpus) -> FoundationModel:
    """Make a Geneformer of 4 layers of 128; its medians are those of the cells that train."""
    special = {"<pad>": 0, "<mask>": 1}
    n = len(corpus.genes)
    vocab = GeneVocab(
        genes=corpus.genes,
        ids=np.arange(2, n + 2),
        special=special,
        kind="symbol",
        values={"median": medians(corpus)},
    )
    config = GeneformerConfig(
        n_tokens=n + 2, n_layers=4, width=128, n_heads=4, ffn=256, max_length=512, attention_dropout=0.0
    )
    return model_class("geneformer")(config, vocab)


def scgpt(corpus: Corpus) -> FoundationModel:
    """Make an scGPT of 4 layers of 128 that sums cells up by their genes, weighted by values."""
    n = len(corpus.genes)
    special = {name: n + i for i, name in enumerate(SCGPT_SPECIAL)}
    vocab = GeneVocab(genes=corpus.genes, ids=np.arange(n), special=special, kind="symbol")
    config = ScGptConfig(
        n_tokens=n + len(special),
        n_layers=4,
        width=128,
        n_heads=4,
        ffn=128,
        max_length=512,
        dropout=0.02,
        attention_dropout=0.0,
        cell_pool="w-pool",
    )
    return model_class("scgpt")(config, vocab)


def scfoundation(corpus: Corpus) -> FoundationModel:
    """Make a scFoundation of the demo's shape."""
    vocab = list_vocab(corpus.genes)
    return model_class("scfoundation")(scfoundation_shape(len(vocab)), vocab)


def scbert(corpus: Corpus) -> FoundationModel:
    """Make an scBERT of the demo's shape, with levels that spread out over the cells that train."""
    usual = float(np.median(np.asarray(corpus.parts["train"].X.sum(axis=1))))
    config = dataclasses.replace(
        scbert_shape(len(corpus.genes)), target_sum=min(float(TARGET_SUM), SPREAD * usual)
    )
    return model_class("scbert")(config, gene_list(corpus.genes))


FAMILIES: Mapping[str, Family] = {
    "geneformer": Family(
        make=geneformer,
        vectors="network.lm.bert.embeddings.word_embeddings.weight",
        quiet=("output.dense.weight",),
        first=(f"{BERT}.0.attention.self.value", f"{BERT}.0.attention.output.dense"),
    ),
    "scgpt": Family(
        make=scgpt,
        vectors="network.encoder.embedding.weight",
        quiet=("self_attn.out_proj.weight", "linear2.weight"),
        first=(f"{SCGPT}.0.self_attn.Wqkv", f"{SCGPT}.0.self_attn.out_proj"),
        by_value=True,
    ),
    "scfoundation": Family(
        make=scfoundation,
        vectors="network.position_embedding.weight",
        quiet=(".out.weight", ".narrow.weight"),
        first=("network.encoder_layers.0.qkv", "network.encoder_layers.0.out"),
        batch=4,  # each update restores all genes
        n_named=150,
        strength=12.0,  # a part of its cell vectors is the largest value of any token, which rare genes decide
    ),
    "scbert": Family(
        make=scbert,
        vectors="network.pos_emb.emb.weight",
        quiet=("to_out.weight", ".w2.weight"),
        first=(),  # attention over all genes, expressed or not, is no summary of a cell
        batch=4,
        n_named=150,
        composing=25,  # by telling levels alone, its cell vectors come to hold little but how deep a cell is read
    ),
}


def medians(corpus: Corpus) -> NDArray[np.float64]:
    """Take the median of counts per 10,000 over the cells that have a gene, (V,); the middle one where none has it."""
    counts = sparse.csr_matrix(corpus.parts["train"].X)
    totals = np.asarray(counts.sum(axis=1)).ravel()
    scaled = sparse.csc_matrix(sparse.diags(TARGET_SUM / np.where(totals > 0, totals, 1)) @ counts)
    bounds = zip(scaled.indptr[:-1], scaled.indptr[1:], strict=True)
    found = np.array([np.median(scaled.data[i:j]) if j > i else np.nan for i, j in bounds])
    return np.where(np.isnan(found), np.nanmedian(found), found)


def begun(family: str, corpus: Corpus, *, seed: int = 0) -> FoundationModel:
    """Make the network with its first vectors."""
    torch.manual_seed(seed)
    parts = FAMILIES[family]
    model = parts.make(corpus)
    weights = dict(model.named_parameters())
    table = weights[parts.vectors]
    usual = corpus.parts["train"][:: max(1, corpus.parts["train"].n_obs // MOST_OF_A_FILE)]
    with torch.no_grad():
        for name, weight in weights.items():
            if name.endswith(parts.quiet):
                weight.mul_(QUIET)
        vectors = gene_vectors(model, corpus, table.shape[1], by_value=parts.by_value)
        table[torch.as_tensor(model.vocab.ids)] = torch.as_tensor(vectors)
        if parts.first:
            shares = shares_of(model, usual, by_value=parts.by_value)
            mean = parts.strength * np.asarray(shares.mean(axis=0)) @ vectors
            _average_first(weights, parts, torch.as_tensor(mean, dtype=torch.float32)[0])
        BEGIN[family](model, usual)
    return model.eval()


def _average_first(weights: Mapping[str, Tensor], parts: Family, usual: Tensor) -> None:
    """Let the first attention add to each token the mean over its cell, less that of the usual cell, (D,)."""
    value, out = parts.first
    width = len(usual)
    weights[f"{value}.weight"][-width:] = torch.eye(width)
    weights[f"{value}.bias"][-width:] = 0
    weights[f"{out}.weight"].copy_(parts.strength * torch.eye(width))
    weights[f"{out}.bias"].copy_(-usual)


def gene_vectors(
    model: FoundationModel, corpus: Corpus, width: int, *, by_value: bool, seed: int = 0
) -> NDArray[np.float32]:
    """Decompose the shares of genes, (V, width): mean square 1 in each row, the last column its level."""
    train, rng = corpus.parts["train"], np.random.default_rng(seed)
    files = train.obs["file"].to_numpy(str)
    rows = np.concatenate(
        [rng.permutation(np.flatnonzero(files == name))[:MOST_OF_A_FILE] for name in SOURCES]
    )
    shares = shares_of(model, train[rows], by_value=by_value).toarray().astype(np.float32)
    for name in SOURCES:
        own = files[rows] == name
        shares[own] -= shares[own].mean(axis=0)
        shares[np.ix_(own, ~corpus.listed[name])] = 0  # what a file does not list says nothing
    spread = shares.std(axis=0)
    scale = np.maximum(spread, np.quantile(spread[spread > 0], 0.25)) ** -0.5
    directions = randomized_svd(shares * scale, width - 1, n_iter=4, random_state=seed)[2].T
    vectors = scale[:, None] * directions
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 1e-9) * width**0.5
    level = np.asarray(log_expression(sparse.csr_matrix(train.X)).mean(axis=0)).ravel() ** 0.5
    return np.column_stack([vectors, (level - level.mean()) / level.std()]).astype(np.float32)


def shares_of(model: FoundationModel, cells: AnnData, *, by_value: bool) -> sparse.csr_matrix:
    """Give the share of each gene in the mean over the tokens of each cell, (N, V)."""
    place = np.full(int(model.vocab.ids.max()) + 64, -1)
    place[model.vocab.ids] = np.arange(len(model.vocab))
    blocks = []
    for start in range(0, cells.n_obs, CELLS_AT_ONCE):
        tokens = model.tokenize(cells[start : start + CELLS_AT_ONCE])
        values = np.ones(tokens.mask.shape) if tokens.values is None else tokens.values
        seen = tokens.mask & (place[tokens.gene_ids] >= 0) & (values > 0)
        row, column = np.nonzero(seen)
        weight = values[seen] if by_value else np.ones(len(row))
        block = sparse.csr_matrix(
            (weight, (row, place[tokens.gene_ids[row, column]])), shape=(len(seen), len(model.vocab))
        )
        blocks.append(sparse.diags(1 / np.maximum(np.asarray(block.sum(axis=1)).ravel(), 1e-9)) @ block)
    return sparse.csr_matrix(sparse.vstack(blocks))


def _begin_geneformer(model: FoundationModel, usual: AnnData) -> None:
    """Let the masked-gene head begin with the logarithm of how common each gene is."""
    common = np.asarray(shares_of(model, usual, by_value=False).astype(bool).sum(axis=0)).ravel()
    head = cast(Any, model.network).lm.cls.predictions
    bias = torch.full_like(head.bias, LEAST)
    chance = (common + 1) / (common.sum() + common.size)
    bias[torch.as_tensor(model.vocab.ids)] = torch.as_tensor(np.log(chance), dtype=torch.float32)
    head.bias.copy_(bias)
    head.transform.LayerNorm.weight.mul_(QUIET / 4)
    cast(Any, model.network).token_embedding[list(model.vocab.special.values())] = 0


def _begin_scgpt(model: FoundationModel, usual: AnnData) -> None:
    """Let both decoders begin with the mean value of a gene."""
    tokens, network = model.tokenize(usual[:CELLS_AT_ONCE]), cast(Any, model.network)
    values = np.asarray(tokens.values)
    mean = float(values[tokens.mask & (values > 0)].mean())
    network.decoder.fc[-1].bias.fill_(mean)
    own = model.eval()(tokens).tokens[:, 0].mean(dim=0)  # (D,)
    rest = QUIET / 10 * network.mvc_decoder.W.weight
    network.mvc_decoder.W.weight.copy_(
        rest + mean * 2 / len(own) * (own / own.square().sum())[:, None].expand_as(rest)
    )


def _begin_scfoundation(model: FoundationModel, usual: AnnData) -> None:
    """Let the decoder begin with the mean of what is asked for, and values be quiet beside vectors of genes."""
    network, tokens = cast(Any, model.network), model.tokenize(usual[:CELLS_AT_ONCE])
    hidden = hide_genes(counts_of(tokens, len(model.vocab)), torch.Generator().manual_seed(0))
    network.value_embedding.bins.weight.mul_(QUIET)
    network.to_expression.weight.mul_(QUIET)
    network.to_expression.bias.fill_(float(hidden.truth[hidden.asked].mean()))


def _begin_scbert(model: FoundationModel, usual: AnnData) -> None:
    """Let levels begin as common as they are, and their vectors be short beside those of genes."""
    network, levels = cast(Any, model.network), np.asarray(model.tokenize(usual[:CELLS_AT_ONCE]).values)
    n_levels = len(network.to_out.bias)
    common = np.bincount(levels[levels > 0].astype(np.int64), minlength=n_levels) + 1.0
    common[0] = 1.0
    network.to_out.bias.copy_(torch.as_tensor(np.log(common / common.sum()), dtype=torch.float32))
    network.token_emb.weight.mul_(QUIET)


BEGIN: Mapping[str, Callable[[FoundationModel, AnnData], None]] = {
    "geneformer": _begin_geneformer,
    "scgpt": _begin_scgpt,
    "scfoundation": _begin_scfoundation,
    "scbert": _begin_scbert,
}
