"""Geneformer: tokenizer, network and vocabulary in one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal, Self

import numpy as np
import pandas as pd
import torch
from anndata import AnnData
from numpy.typing import NDArray
from torch import Tensor, nn

from scviz.foundation.batching import longest_first, read_batches, token_batches
from scviz.foundation.card import ModelCard
from scviz.foundation.edits import Edit, gene_columns
from scviz.foundation.encoding import Encoding, mean_of_tokens
from scviz.foundation.frequency_baseline import frequency_loss
from scviz.foundation.model import DeletionScreen, FoundationModel, NamedHead, Pooling
from scviz.foundation.tokens import Tokens
from scviz.foundation.vocab import GeneVocab
from scviz.foundation.weights import LoadReport, load_tensors
from scviz.models.geneformer import CARD
from scviz.models.geneformer.checkpoint import read_checkpoint
from scviz.models.geneformer.config import SHAPES, CellMode, Config, Layer
from scviz.models.geneformer.edits import Perturbation, edited_sentences
from scviz.models.geneformer.network import TIED, CellHead, Network, genes_only
from scviz.models.geneformer.pretraining import IGNORED, mask_tokens, vocabulary
from scviz.models.geneformer.screen import Reading, screen
from scviz.models.geneformer.token_means import TokenMeans, TokenSums
from scviz.models.geneformer.tokenizer import RankRules, column_tokens, columns_to_tokens, n_tokens, rank
from scviz.progress import Report, silent


class Geneformer(FoundationModel):
    """A cell read as its genes in order of expression.

    Parameters
    ----------
    vocab
        Genes with their tokens and medians; with `<cls>` and `<eos>` for the second generation.
    """

    card: ClassVar[ModelCard] = CARD
    shapes = SHAPES
    config: Config
    network: Network

    def __init__(self, config: Config, vocab: GeneVocab, *, initialize: bool = True) -> None:
        super().__init__()
        self.config, self.vocab = config, vocab
        self.network = Network(config, initialize=initialize)
        self.special_tokens = "<cls>" in vocab.special
        self.rules = RankRules(max_length=config.max_length, special_tokens=self.special_tokens)
        self.load_report = LoadReport(loaded=(), missing=(), unexpected=())

    # folders

    @classmethod
    def from_checkpoint(cls, folder: Path) -> Self:
        """Read a checkpoint folder: as published (V1, V2, also fine-tuned) or as saved here.

        Raises
        ------
        CheckpointError
            If a file is missing or unsafe, or the parts do not fit together.
        """
        checkpoint = read_checkpoint(folder)
        model = cls(checkpoint.config, checkpoint.vocab, initialize=bool(checkpoint.head))
        # a fine-tuned file has no masked-gene head; it then keeps the random one
        model.load_report = load_tensors(
            model.network.lm,
            checkpoint.tensors,
            optional=("cls.",) if checkpoint.head else (),
            given=TIED,
        )
        return model.eval()

    @classmethod
    def _made_for(cls, adata: AnnData, shape: str) -> Self:
        vocab = vocabulary(adata, style="v2" if shape.startswith("v2") else "v1")
        return cls(SHAPES[shape](len(vocab) + len(vocab.special)), vocab)

    def _own_tensors(self) -> dict[str, Tensor]:
        weights = self.network.lm.state_dict()
        return {name: weights[name] for name in weights if name not in TIED}

    # tokens

    def column_tokens(self, var: pd.DataFrame) -> NDArray[np.int32]:
        """Find the token of each gene of a dataset, (G,); -1 where unknown. Aliases come before genes of that name."""
        return column_tokens(var, self.vocab)

    def n_tokens(self, adata: AnnData) -> NDArray[np.int64]:
        """Count the tokens that each cell will have, (N,)."""
        return n_tokens(adata.X, self.column_tokens(adata.var), self.rules)

    def tokenize(self, adata: AnnData) -> Tokens:
        """Rank the genes of each cell; cells without a known gene get no token."""
        return rank(adata.X, self.column_tokens(adata.var), vocab=self.vocab, rules=self.rules)

    def edited(
        self,
        adata: AnnData,
        edit: Edit,
        *,
        tokens: Tokens | None = None,
        levels: NDArray[np.floating] | None = None,
    ) -> Tokens:
        """Edit tokens as published: genes deleted are taken out, genes over-expressed are put in front.

        Genes inhibited or activated move a quarter of the ranking down or up, as the authors describe it.
        What is pushed out at the end is gone. For a knockdown, which the authors lack, counts, (N, G), are edited and
        ranked.
        """
        if edit.kind == "knockdown":
            return super().edited(adata, edit)
        tokens = self.tokenize(adata) if tokens is None else tokens
        known = self.column_tokens(adata.var)[gene_columns(adata.var, edit.genes)]
        genes = tuple(dict.fromkeys(known[known >= 0].tolist()))
        if not genes:
            return tokens
        return edited_sentences(
            tokens, Perturbation(kind=edit.kind, genes=genes), self.rules, pad=self.config.pad
        )

    # vectors

    @property
    def first_layer(self) -> nn.Module:
        """The part of the network whose first input is what layers read of the tokens, (B, L, D)."""
        return self.network.lm.bert.encoder.layer[0]

    def forward(self, tokens: Tokens) -> Encoding:
        """Encode a batch; token vectors are those of the last layer."""
        gene_ids, mask = self._tensors(tokens)
        layer = self._depth(self.config.emb_layer)
        hidden = chosen = gene_ids[..., None]  # replaced at once; there is always a first hidden state
        for k, state in enumerate(self.network.hidden_states(gene_ids, mask)):
            hidden, chosen = state, state if k == layer else chosen
        cells = self._pool(chosen, mask, self.cell_mode)
        return Encoding(tokens=hidden * mask[..., None], cells=cells, mask=mask)

    def encode_cells(self, tokens: Tokens) -> Tensor:
        """Give the cell vectors alone, (B, D), and run no layer above the one they come from."""
        return self.cell_vectors(tokens, layer=self.config.emb_layer, mode=self.cell_mode)

    def cell_vectors(self, tokens: Tokens, *, layer: Layer, mode: CellMode) -> Tensor:
        """Give cell vectors of a layer, (B, D); NaN for cells without tokens.

        Raises
        ------
        ValueError
            If `<cls>` is asked for and the vocabulary has none.
        """
        gene_ids, mask = self._tensors(tokens)
        return self._pool(self.network.hidden_state(gene_ids, mask, self._depth(layer)), mask, mode)

    @property
    def cell_mode(self) -> CellMode:
        """How cells are embedded by default."""
        if self.config.emb_mode == "auto":
            return "cls" if self.special_tokens else "cell"
        return self.config.emb_mode

    @property
    def reading(self) -> Reading:
        """What is read of a sentence when cells are embedded."""
        return Reading(
            special_tokens=self.special_tokens, depth=self._depth(self.config.emb_layer), mode=self.cell_mode
        )

    def screen_deletions(
        self,
        adata: AnnData,
        tokens: Tokens,
        *,
        goal: NDArray[np.floating] | None = None,
        report: Report = silent,
    ) -> DeletionScreen:
        """Estimate what deleting each gene, (G,), would do by a few encodings of each cell."""
        sums, n_cells = np.zeros(self.config.n_tokens), np.zeros(self.config.n_tokens, dtype=np.int64)
        for found in screen(self.network, tokens, self.reading, goal=goal, report=report):
            known = np.isfinite(found.values)
            np.add.at(sums, found.genes[known], found.values[known])
            np.add.at(n_cells, found.genes[known], 1)
        means = np.divide(sums, n_cells, out=np.full(len(sums), np.nan), where=n_cells > 0)
        columns = self.column_tokens(adata.var)  # (G,)
        return DeletionScreen(
            values=np.where(columns >= 0, means[columns], np.nan),
            n_cells=np.where(columns >= 0, n_cells[columns], 0),
        )

    def gene_embeddings(self) -> NDArray[np.float32]:
        """Return the token embedding of each gene of the vocabulary, (V, D)."""
        ids = torch.as_tensor(self.vocab.ids, device=self.device)
        return self.network.token_embedding.detach()[ids].float().cpu().numpy()

    def context_gene_embeddings(self, adata: AnnData, genes: Sequence[str]) -> NDArray[np.float32]:
        """Average the vectors of genes over the cells that hold them, (K, D); NaN where none does."""
        sums = self._no_sums()
        for tokens in read_batches(self, adata):
            self._add(sums, tokens, layer=-1)
        means = sums.means()
        ids = columns_to_tokens(genes, self.vocab)
        at = np.searchsorted(means.token_ids, ids).clip(max=len(means.token_ids) - 1)
        return np.where((means.token_ids[at] == ids)[:, None], means.vectors[at], np.nan).astype(np.float32)

    def token_means(self, tokens: Tokens, *, layer: Layer = -1) -> TokenMeans:
        """Average the vectors of each token over the cells that hold it."""
        sums = self._no_sums()
        for batch in token_batches(tokens.take(longest_first(tokens.lengths()))):
            self._add(sums, batch, layer=layer)
        return sums.means()

    def attention(self, tokens: Tokens) -> NDArray[np.float32]:
        """Return the attention of the last layer, mean over heads, (B, L, L): row attends to column.

        Rows and columns of padding are zero.
        """
        gene_ids, mask = self._tensors(tokens)
        with torch.inference_mode():
            weights = self.network.attention(gene_ids, mask, self.config.n_layers - 1).mean(dim=1)
            weights *= mask[:, :, None] & mask[:, None, :]
        return weights.float().cpu().numpy()

    # training

    def classifier(self, n_types: int, *, pooling: Pooling = "published") -> CellHead:
        """Make an untrained head that names cell types."""
        return CellHead(
            self.config.width,
            n_types,
            dropout=self._head_dropout,
            pooling=pooling,
            special_tokens=self.special_tokens,
        )

    def published_head(self, folder: Path) -> NamedHead | None:
        """Read the head of a published BertForSequenceClassification folder; None if it has none."""
        checkpoint = read_checkpoint(folder)
        if "pooler.weight" not in checkpoint.head:
            return None
        head = self.classifier(len(checkpoint.labels))
        load_tensors(head, checkpoint.head)
        return NamedHead(head=head, types=checkpoint.labels)

    def pretraining_loss(
        self, tokens: Tokens, generator: torch.Generator, *, published: bool = False
    ) -> Tensor:
        """Hide genes of cells, (B, L), and give the cross entropy of naming them, a scalar.

        Parameters
        ----------
        generator
            A generator of the CPU, which decides what is hidden.
        published
            Hide and replace special tokens too, as the authors' training does.
        """
        masked = mask_tokens(
            torch.as_tensor(tokens.gene_ids),
            torch.as_tensor(tokens.mask),
            vocab=self.vocab,
            generator=generator,
            published=published,
        )
        gene_ids, targets = masked.gene_ids.to(self.device), masked.targets.to(self.device)
        mask = torch.as_tensor(tokens.mask, device=self.device)
        hidden = self.network.hidden_state(gene_ids, mask, self.config.n_layers)
        asked = targets != IGNORED
        logits = self.network.gene_logits(hidden[asked])  # (n asked, T): the head is the costly part
        if not len(logits):
            return hidden.sum() * 0
        return nn.functional.cross_entropy(logits.float(), targets[asked])

    def blind_loss(self, known: Tokens, asked: Tokens) -> float:
        """Name genes by how common each is."""
        size = len(self.vocab) + len(self.vocab.special)
        return frequency_loss(known.gene_ids[known.mask], asked.gene_ids[asked.mask], size)

    @property
    def _head_dropout(self) -> float:
        return self.config.dropout if self.config.head_dropout is None else self.config.head_dropout

    def _depth(self, layer: Layer) -> int:
        """Turn the authors' number of a layer into the position of its hidden state."""
        return self.config.n_layers + layer

    def _pool(self, hidden: Tensor, mask: Tensor, mode: CellMode) -> Tensor:
        if mode == "cls":
            if not self.special_tokens:
                raise ValueError("This vocabulary has no <cls> token; use the mode 'cell'.")
            return hidden[:, 0].masked_fill(~mask[:, :1], torch.nan)
        return mean_of_tokens(hidden, genes_only(mask, special_tokens=self.special_tokens))

    def _tensors(self, tokens: Tokens) -> tuple[Tensor, Tensor]:
        return (
            torch.as_tensor(tokens.gene_ids, device=self.device),
            torch.as_tensor(tokens.mask, device=self.device),
        )

    def _no_sums(self) -> TokenSums:
        shape = (self.config.n_tokens, self.config.width)
        return TokenSums(torch.zeros(shape, device=self.device), torch.zeros(shape[0], device=self.device))

    def _add(self, sums: TokenSums, tokens: Tokens, *, layer: Layer) -> None:
        """Add the vectors of the tokens of a batch."""
        gene_ids, mask = self._tensors(tokens)
        with torch.inference_mode():
            sums.add(gene_ids[mask], self.network.hidden_state(gene_ids, mask, self._depth(layer))[mask])


def state_vector(
    cells: NDArray[np.floating], summary: Literal["mean", "median", "lower_median"] = "mean"
) -> NDArray[np.float64]:
    """Summarize the embedding of cells in one state, each dimension by itself.

    Parameters
    ----------
    cells
        (N, D) embedding; cells with NaN are left out.
    summary
        "lower_median" takes the lower of two middle values instead of their mean, as torch does.

    Examples
    --------
    >>> state_vector(np.array([[1.0], [2.0], [6.0], [7.0]]), "lower_median")
    array([2.])
    """
    known = cells[~np.isnan(cells).any(axis=1)].astype(np.float64)
    if summary == "mean":
        return np.asarray(known.mean(axis=0))
    if summary == "median":
        return np.asarray(np.median(known, axis=0))
    return np.asarray(np.sort(known, axis=0)[(len(known) - 1) // 2])


MODEL = Geneformer
