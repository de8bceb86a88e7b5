"""scBERT: tokenizer, network and gene list in one."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import torch
from anndata import AnnData
from numpy.typing import NDArray
from torch import Tensor, nn

from scviz.foundation.attention import CellAttention
from scviz.foundation.batching import read_batches
from scviz.foundation.card import ModelCard
from scviz.foundation.encoding import Encoding
from scviz.foundation.frequency_baseline import frequency_loss
from scviz.foundation.model import FoundationModel, NamedHead, Pooling
from scviz.foundation.tokens import Tokens
from scviz.foundation.vocab import GeneVocab
from scviz.foundation.weights import LoadReport, load_tensors
from scviz.models.scbert import CARD
from scviz.models.scbert.checkpoint import read_checkpoint
from scviz.models.scbert.config import MOST_GENES, SHAPES, CellMode, Config
from scviz.models.scbert.finetuning import freeze_as_published
from scviz.models.scbert.network import Network, TypeHead
from scviz.models.scbert.pretraining import mask_bins, read_corpus
from scviz.models.scbert.tokenizer import LevelRules, n_tokens, tokenize


class ScBert(FoundationModel):
    """A cell read as all its genes, each with its level of expression.

    Parameters
    ----------
    vocab
        The gene list; the id of a gene is its place.
    notes
        What a reader of the numbers should know, a sentence each.
    """

    card: ClassVar[ModelCard] = CARD
    shapes = SHAPES
    config: Config
    network: Network

    def __init__(self, config: Config, vocab: GeneVocab, *, notes: Sequence[str] = ()) -> None:
        super().__init__()
        self.config, self.vocab, self.notes = config, vocab, tuple(notes)
        self.network = Network(config)
        self.rules = LevelRules(
            n_genes=config.n_genes,
            n_bins=config.n_bins,
            target_sum=config.target_sum,
            min_genes=config.min_genes,
        )
        self.load_report = LoadReport(loaded=(), missing=(), unexpected=())

    # folders

    @classmethod
    def from_checkpoint(cls, folder: Path) -> Self:
        """Read a checkpoint folder: as published, fine-tuned or not, or as saved here.

        Raises
        ------
        CheckpointError
            If a file is missing or unsafe, or the parts do not fit together.
        """
        checkpoint = read_checkpoint(folder)
        model = cls(checkpoint.config, checkpoint.vocab, notes=checkpoint.notes)
        # a fine-tuned file has no head for hidden levels; the random one stays
        model.load_report = load_tensors(
            model.network, checkpoint.tensors, optional=("to_out.",) if checkpoint.head else ()
        )
        return model.eval()

    @classmethod
    def _made_for(cls, adata: AnnData, shape: str) -> Self:
        """Learn vectors of genes with the rest, since gene2vec knows the published list only."""
        corpus = read_corpus(adata, most=MOST_GENES.get(shape))
        config = dataclasses.replace(SHAPES[shape](len(corpus.vocab)), target_sum=corpus.target_sum)
        return cls(config, corpus.vocab)

    # tokens

    def n_tokens(self, adata: AnnData) -> NDArray[np.int64]:
        """Count the tokens of each cell, (N,): all, or 0 where fewer genes are detected than the model asks for."""
        return n_tokens(adata.X, self.vocab.column_tokens(adata.var), self.rules)

    def tokenize(self, adata: AnnData) -> Tokens:
        """Give the level of every gene of the list, (N, V + 1); cells with too few genes get no token."""
        return tokenize(adata.X, self.vocab.column_tokens(adata.var), self.rules)

    # vectors

    @property
    def first_layer(self) -> nn.Module:
        """The part of the network whose first input is what layers read of the tokens, (B, L, D)."""
        return self.network.performer

    def forward(self, tokens: Tokens) -> Encoding:
        """Encode a batch."""
        gene_ids, bins, mask = self._tensors(tokens)
        hidden = self.network(gene_ids, bins, mask)
        weights = self._summed(gene_ids, bins, mask, mode=self.config.cell_mode)[..., None].float()
        cells = (hidden * weights).sum(dim=1) / weights.sum(
            dim=1
        )  # in single precision, whatever the tokens are
        return Encoding(tokens=hidden * mask[..., None], cells=cells, mask=mask)

    def encode_cells(self, tokens: Tokens) -> Tensor:
        """Encode a batch for the vectors of its cells alone, (B, D)."""
        return self.cell_vectors(tokens, mode=self.config.cell_mode)

    def cell_vectors(self, tokens: Tokens, *, mode: CellMode) -> Tensor:
        """Summarize cells in one of three ways, (B, D); NaN for cells without tokens."""
        gene_ids, bins, mask = self._tensors(tokens)
        over = self._summed(gene_ids, bins, mask, mode=mode)
        return self.network.means(gene_ids, bins, mask, over=over)

    def gene_embeddings(self) -> NDArray[np.float32]:
        """Return the vector of each gene of the list, (V, D): gene2vec, or what was learned in its place.

        Raises
        ------
        UnsupportedTaskError
            If these weights have no vectors of genes.
        """
        table = self.network.pos_emb
        if table is None:
            raise self._unsupported("vectors of genes")
        ids = torch.as_tensor(self.vocab.ids, device=self.device)
        return table.emb.weight.detach()[ids].float().cpu().numpy()

    def context_gene_embeddings(self, adata: AnnData, genes: Sequence[str]) -> NDArray[np.float32]:
        """Average the vectors of genes over cells that have them at a level above 0; NaN where none does.

        Returns
        -------
        (K, D), float32.
        """
        sums = torch.zeros((self.config.length, self.config.width), device=self.device)
        n_cells = torch.zeros(self.config.length, device=self.device)
        for tokens in read_batches(self, adata):
            gene_ids, bins, mask = self._tensors(tokens)
            with torch.inference_mode():
                hidden, seen = self.network(gene_ids, bins, mask), bins > 0
                sums.index_add_(0, gene_ids[seen], hidden[seen].float())
                n_cells += torch.bincount(gene_ids[seen], minlength=self.config.length)
        means = (sums / n_cells[:, None]).cpu().numpy()  # 0 / 0 is NaN
        found = self.vocab.positions(genes)
        return np.where(found[:, None] >= 0, means[self.vocab.ids[found]], np.nan).astype(np.float32)

    # attention

    def attention(self, tokens: Tokens) -> NDArray[np.float32]:
        """Return the attention of the last layer, mean over heads, (B, L, L): row attends to column.

        Rows and columns of padding are zero. A cell of 16,907 tokens takes over a gigabyte; `attention_sums`
        gives its column sums without it, and `gene_attention` what is between some genes.
        """
        gene_ids, bins, mask = self._tensors(tokens)
        with torch.inference_mode():
            *_, (queries, keys) = self.network.attentions(gene_ids, bins, mask)
            weights = _product(queries, keys) * (mask[:, :, None] & mask[:, None, :])
        return weights.cpu().numpy()

    def gene_attention(self, adata: AnnData, columns: NDArray[np.int64]) -> Iterator[CellAttention]:
        """Read whole cells, and give the attention of the last layer between the (M,) genes of `columns` alone.

        Every gene of the vocabulary takes part in a cell, expressed or not; of the attention between them, which
        for thousands of genes would take gigabytes, no more than the asked-for rows and columns is multiplied out.
        """
        places = torch.as_tensor(self.vocab.column_tokens(adata.var)[columns], device=self.device)
        for row in range(adata.n_obs):
            gene_ids, bins, mask = self._tensors(self.tokenize(adata[row : row + 1]))
            if not mask.any():
                continue
            with torch.inference_mode():
                *_, (queries, keys) = self.network.attentions(gene_ids, bins, mask)
                weights = _product(queries[:, :, places], keys[:, :, places])  # (1, M, M)
            yield CellAttention(scores=weights.cpu().numpy(), places=np.arange(len(columns)))

    def attention_map(self, tokens: Tokens, *, published: bool = False) -> NDArray[np.float32]:
        """Return attention, mean over heads and layers, (B, L, L): row attends to column.

        Parameters
        ----------
        published
            Take each layer's weights from tokens already mixed with them, as the authors' code does. It also
            computes them in half precision, which overflows; single precision is used here in any case.
        """
        gene_ids, bins, mask = self._tensors(tokens)
        total = torch.zeros((*mask.shape, mask.shape[1]), device=self.device)
        with torch.inference_mode():
            for queries, keys in self.network.attentions(gene_ids, bins, mask, published=published):
                total += _product(queries, keys)
            total *= mask[:, :, None] & mask[:, None, :]
        return (total / self.config.n_layers).cpu().numpy()

    def attention_sums(self, tokens: Tokens, *, published: bool = False) -> NDArray[np.float32]:
        """Return the share of all attention that each token gets, over heads and layers, (B, L); rows sum to 1.

        What `attention_map` would give as column sums, without holding it.

        Parameters
        ----------
        published
            As in `attention_map`.
        """
        gene_ids, bins, mask = self._tensors(tokens)
        total = torch.zeros(mask.shape, device=self.device)
        with torch.inference_mode():
            for queries, keys in self.network.attentions(gene_ids, bins, mask, published=published):
                asked = (queries * mask[:, None, :, None]).sum(dim=2)  # (B, H, m)
                total += torch.einsum("bhm,bhlm->bl", asked, keys) * mask
        return (total / total.sum(dim=1, keepdim=True)).cpu().numpy()

    # training

    def classifier(self, n_types: int, *, pooling: Pooling = "published") -> TypeHead:
        """Make an untrained head that names cell types."""
        return TypeHead(self.config, n_types, pooling=pooling)

    def published_head(self, folder: Path) -> NamedHead | None:
        """Read the head of a folder from the authors' fine-tuning; None if it has none."""
        checkpoint = read_checkpoint(folder)
        if not checkpoint.labels:
            return None
        head = self.classifier(len(checkpoint.labels))
        load_tensors(head, checkpoint.head)
        return NamedHead(head=head, types=checkpoint.labels)

    def freeze_as_published(self) -> None:
        """Leave trainable the second to last layer and the last norm."""
        freeze_as_published(self.network)

    def pretraining_loss(self, tokens: Tokens, generator: torch.Generator) -> Tensor:
        """Hide levels above 0 of cells, (B, L), and give the cross entropy of telling them, a scalar.

        Parameters
        ----------
        generator
            A generator of the CPU, which decides what is hidden.
        """
        gene_ids, bins, mask = self._tensors(tokens)
        masked = mask_bins(bins.cpu() * mask.cpu(), self.config.hidden_bin, generator)
        shown, targets = masked.bins.to(self.device), masked.targets.to(self.device)
        hidden: Tensor = self.network(gene_ids, shown, mask)
        asked = targets != self.config.hidden_bin
        if not asked.any():
            return hidden.sum() * 0
        logits = self.network.to_out(hidden[asked])  # (n asked, n_bins + 2)
        return nn.functional.cross_entropy(logits.float(), targets[asked])

    def blind_loss(self, known: Tokens, asked: Tokens) -> float:
        """Tell levels above 0 by how common each is."""
        levels = [
            tokens.values[tokens.mask & (tokens.values > 0)]
            for tokens in (known, asked)
            if tokens.values is not None
        ]
        bins = [level.astype(np.int64) for level in levels]
        bins = [level[level < self.config.hidden_bin] for level in bins]
        return frequency_loss(bins[0], bins[1], self.config.hidden_bin)

    def _summed(self, gene_ids: Tensor, bins: Tensor, mask: Tensor, *, mode: CellMode) -> Tensor:
        """Tell the tokens whose mean stands for a cell, (B, L)."""
        end = gene_ids == self.config.n_genes
        genes = mask & ~end
        expressed = genes & (bins > 0)
        wanted = {
            "expressed": torch.where(expressed.any(dim=1, keepdim=True), expressed, genes),
            "all": genes,
            "end": mask & end,
        }
        return wanted[mode]

    def _tensors(self, tokens: Tokens) -> tuple[Tensor, Tensor, Tensor]:
        """Return places, levels and mask, each (B, L), on the model's device."""
        if tokens.values is None:
            raise ValueError("Tokens of scBERT need levels as their values.")
        gene_ids = torch.tensor(tokens.gene_ids, device=self.device)  # a copy: they may share memory
        bins = torch.tensor(tokens.values, device=self.device).long()
        return gene_ids, bins, torch.tensor(tokens.mask, device=self.device)


def _product(queries: Tensor, keys: Tensor) -> Tensor:
    """Multiply the factors of attention and average over heads, (B, L, L)."""
    return torch.einsum("bhqm,bhkm->bqk", queries, keys) / queries.shape[1]


MODEL = ScBert
