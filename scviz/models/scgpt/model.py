"""scGPT: tokenizer, network and vocabulary in one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
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
from scviz.foundation.edits import Edit, edited_counts, gene_columns
from scviz.foundation.encoding import Encoding
from scviz.foundation.frequency_baseline import mean_loss
from scviz.foundation.model import FoundationModel, NamedHead, Pooling
from scviz.foundation.perturbing import PerturbationInputs
from scviz.foundation.published import read_labels
from scviz.foundation.tokens import Tokens
from scviz.foundation.vocab import GeneVocab
from scviz.foundation.weights import LoadReport, load_tensors
from scviz.models.scgpt import CARD
from scviz.models.scgpt.attention import mean_weights, raw_scores
from scviz.models.scgpt.checkpoint import OPTIONAL, read_checkpoint
from scviz.models.scgpt.config import SHAPES, Config
from scviz.models.scgpt.network import CellHead, Network, genes_only
from scviz.models.scgpt.pretraining import (
    SplitCells,
    elastic_similarity,
    hide_values,
    masked_mse,
    split_tokens,
    vocabulary,
)
from scviz.models.scgpt.screen import ScGptPerturbationSettings, ScGptScreen
from scviz.models.scgpt.tokenizer import BinRules, n_tokens, tokenize, tokenize_edited

CELL_PROMPT_AFTER = 1000
"""Updates of pre-training before cells are generated from their own vectors, too, as published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """What pre-training gives for cells of which one part is shown."""

    known: Tensor
    """(B, P) expression of what is shown, `<cls>` included."""
    generated: Tensor
    """(B, G) expression of what is not."""
    from_cells: Tensor
    """(B, P + G) expression of both, from the vector of the cell."""
    cells: Tensor
    """(B, D)."""


class ScGPT(FoundationModel):
    """A cell read as its genes, each with the bin of its expression."""

    card: ClassVar[ModelCard] = CARD
    ranks_attention: ClassVar[bool] = True
    shapes = SHAPES
    config: Config
    network: Network

    def __init__(self, config: Config, vocab: GeneVocab) -> None:
        super().__init__()
        self.config, self.vocab = config, vocab
        self.network = Network(config)
        self.rules = BinRules(
            max_length=config.max_length,
            n_bins=config.n_bins,
            cls_value=config.pad_value if config.cls_value is None else config.cls_value,
            pad_value=config.pad_value,
        )
        self.load_report = LoadReport(loaded=(), missing=(), unexpected=())
        self.n_updates: Tensor
        self.register_buffer("n_updates", torch.zeros((), dtype=torch.int64))  # of pre-training, if resumed

    # folders

    @classmethod
    def from_checkpoint(cls, folder: Path) -> Self:
        """Read a checkpoint folder: as published, also fine-tuned, or as saved here.

        A file may lack decoders, which then stay random, but nothing that embedding needs.

        Raises
        ------
        CheckpointError
            If a file is missing or unsafe, or the parts do not fit together.
        """
        checkpoint = read_checkpoint(folder)
        model = cls(checkpoint.config, checkpoint.vocab)
        model.load_report = load_tensors(model.network, checkpoint.tensors, optional=OPTIONAL)
        return model.eval()

    @classmethod
    def _made_for(cls, adata: AnnData, shape: str) -> Self:
        vocab = vocabulary(adata)
        return cls(SHAPES[shape](len(vocab) + len(vocab.special)), vocab)

    # tokens

    def n_tokens(self, adata: AnnData) -> NDArray[np.int64]:
        """Count the tokens that each cell will have, (N,)."""
        return n_tokens(adata.X, self.vocab.column_tokens(adata.var), self.rules)

    def tokenize(self, adata: AnnData) -> Tokens:
        """Bin the genes of each cell, by `rules`; cells without a known gene get no token."""
        return tokenize(adata.X, self.vocab.column_tokens(adata.var), vocab=self.vocab, rules=self.rules)

    def edited(
        self,
        adata: AnnData,
        edit: Edit,
        *,
        tokens: Tokens | None = None,
        levels: NDArray[np.floating] | None = None,
    ) -> Tokens:
        """Edit counts, (N, G), and let chance choose bins and genes of long cells as it does without the edit."""
        after = edited_counts(adata.X, gene_columns(adata.var, edit.genes), edit, levels=levels)
        return tokenize_edited(
            adata.X, after, self.vocab.column_tokens(adata.var), vocab=self.vocab, rules=self.rules
        )

    # vectors

    @property
    def first_layer(self) -> nn.Module:
        """The part of the network whose first input is what layers read of the tokens, (B, L, D)."""
        return self.network.transformer_encoder

    def forward(self, tokens: Tokens, domains: Tensor | None = None) -> Encoding:
        """Encode a batch.

        Parameters
        ----------
        domains
            (B,) which batch each cell is of, for a network that was fine-tuned to tell batches apart; without,
            cells are read as if of any.
        """
        gene_ids, values, mask = self._tensors(tokens)
        hidden = self.network(gene_ids, values, mask, domains=domains)
        cells = self.network.cells(hidden, values, mask)
        return Encoding(tokens=hidden * mask[..., None], cells=unit(cells, mask), mask=mask)

    def encode_cells(self, tokens: Tokens) -> Tensor:
        """Give the cell vectors alone, (B, D), of length 1; NaN for cells without tokens."""
        gene_ids, values, mask = self._tensors(tokens)
        hidden = self.network(gene_ids, values, mask, cls_only=self.config.cell_pool == "cls")
        return unit(self.network.cells(hidden, values, mask), mask)

    def gene_embeddings(self) -> NDArray[np.float32]:
        """Return the embedding of each gene of the vocabulary, normalized as the network reads it, (V, D)."""
        ids = torch.as_tensor(self.vocab.ids, device=self.device)
        with torch.no_grad():
            vectors: Tensor = self.network.encoder(ids)
        return vectors.float().cpu().numpy()

    def context_gene_embeddings(self, adata: AnnData, genes: Sequence[str]) -> NDArray[np.float32]:
        """Average the vectors of genes over the cells that express them, (K, D); NaN where none does."""
        sums = torch.zeros(self.config.n_tokens, self.config.width, device=self.device)
        n_cells = torch.zeros(self.config.n_tokens, device=self.device)
        for tokens in read_batches(self, adata):
            gene_ids, values, mask = self._tensors(tokens)
            with torch.inference_mode():
                vectors = self.network(gene_ids, values, mask)[mask].float()
            sums.index_add_(0, gene_ids[mask], vectors)
            n_cells.index_add_(0, gene_ids[mask], torch.ones_like(vectors[:, 0]))
        means = torch.cat([sums / n_cells[:, None], sums.new_full((1, sums.shape[1]), torch.nan)])
        asked = torch.as_tensor(self.vocab.tokens_at(self.vocab.positions(genes)), device=self.device)
        return means[asked].cpu().numpy()  # an unknown gene is -1, the last row

    def attention(self, tokens: Tokens) -> NDArray[np.float32]:
        """Return the attention of the last layer, mean over heads, (B, L, L): row attends to column.

        Rows and columns of padding are zero.
        """
        gene_ids, values, mask = self._tensors(tokens)
        with torch.inference_mode():
            weights = mean_weights(self.network, gene_ids, values=values, mask=mask)
        return weights.float().cpu().numpy()

    def attention_scores(self, tokens: Tokens, *, layer: int = -1) -> NDArray[np.float32]:
        """Return query times key of a layer, (B, H, L, L): neither scaled nor softmax, as published."""
        gene_ids, values, mask = self._tensors(tokens)
        with torch.inference_mode():
            scores = raw_scores(self.network, gene_ids, values=values, mask=mask, layer=layer)
        return scores.float().cpu().numpy()

    def gene_attention(self, adata: AnnData, columns: NDArray[np.int64]) -> Iterator[CellAttention]:
        """Read the genes of `columns`, (M,), alone, those that are not expressed, too, as the authors do."""
        tokens = self.vocab.column_tokens(adata.var)[columns]
        rules = replace(self.rules, max_length=len(columns) + 1, cls_value=0, include_zeros=True)
        read = tokenize(adata.X[:, columns], tokens, vocab=self.vocab, rules=rules)
        places = np.append(-1, np.arange(len(columns)))
        for start in range(len(read)):
            yield CellAttention(
                scores=self.attention_scores(read.take(slice(start, start + 1)))[0], places=places
            )

    # training

    def classifier(self, n_types: int, *, pooling: Pooling = "published") -> CellHead:
        """Make an untrained head that names cell types."""
        return CellHead(self.config, n_types, pooling=pooling)

    def published_head(self, folder: Path) -> NamedHead | None:
        """Read the head of a folder from the authors' fine-tuning; their files do not name its types."""
        checkpoint = read_checkpoint(folder)
        if not checkpoint.head:
            return None
        types = read_labels(folder, len(checkpoint.head["cls_decoder.out_layer.bias"]))
        head = self.classifier(len(types))
        load_tensors(head, checkpoint.head)
        return NamedHead(head=head, types=types)

    def perturbation_predictor(self, inputs: PerturbationInputs) -> ScGptScreen:
        """Make a predictor of screens from this encoder; it reads no terms of genes."""
        settings = replace(ScGptPerturbationSettings(), **inputs.training)
        return ScGptScreen(self.network, self.vocab, settings)

    def pretraining_loss(self, tokens: Tokens, generator: torch.Generator) -> Tensor:
        """Show a part of each cell, (B, L), and give the errors of generating the rest, a scalar.

        The sum of mean squared errors in bins: of genes generated from those that are shown, and of the same
        genes from the vector of the cell. In training, after CELL_PROMPT_AFTER updates, also of genes generated
        once more with the vector of the cell in place of `<cls>`.

        Parameters
        ----------
        generator
            A generator of the CPU, which decides what is shown.
        """
        if not tokens.mask.any():
            return self.network.flag_encoder.weight.sum() * 0
        parts = split_tokens(tokens, vocab=self.vocab, rules=self.rules, generator=generator)
        target = torch.as_tensor(parts.generated.values, device=self.device)
        asked = torch.as_tensor(parts.generated.mask, device=self.device)
        first = self.generate(parts)
        if not bool(asked.any()):
            return first.cells.sum() * 0
        n_known = first.known.shape[1]
        loss = masked_mse(first.generated, target, asked)
        loss = loss + masked_mse(first.from_cells[:, n_known:], target, asked)
        if self.training:
            self.n_updates += 1
            if self.n_updates > CELL_PROMPT_AFTER:
                again = self.generate(parts, cells=first.cells.detach())
                loss = loss + masked_mse(again.generated, target, asked)
        return loss

    def blind_loss(self, known: Tokens, asked: Tokens) -> float:
        """Guess the bin of each gene by its mean, once for the genes and once more for the cell vector's answer.

        Raises
        ------
        ValueError
            If tokens carry no values.
        """
        size = len(self.vocab) + len(self.vocab.special)
        genes = [
            tokens.mask & ~np.isin(tokens.gene_ids, list(self.vocab.special.values()))
            for tokens in (known, asked)
        ]
        if known.values is None or asked.values is None:
            raise ValueError("scGPT's tokens carry values.")
        return 2 * mean_loss(
            known.gene_ids[genes[0]],
            known.values[genes[0]],
            asked=asked.gene_ids[genes[1]],
            truth=asked.values[genes[1]],
            n_kinds=size,
        )

    def generate(self, parts: SplitCells, *, cells: Tensor | None = None) -> Generated:
        """Generate the expression of genes from the part of each cell that is shown.

        Parameters
        ----------
        cells
            (B, D) vectors that take the place of what the first layer reads of `<cls>`.
        """
        gene_ids, values, mask = self._tensors(parts.known)
        other_ids = torch.as_tensor(parts.generated.gene_ids, device=self.device)
        known = self.network.inputs(gene_ids, values, mask)
        if cells is not None:
            known = torch.cat([cells[:, None].to(known.dtype), known[:, 1:]], dim=1)
        hidden = self.network.generate(known, mask, other_ids)
        n_known = gene_ids.shape[1]
        own = hidden[:, 0]
        predicted = self.network.decoder(self.network.decoded_with(hidden, None))
        genes = self.network.encoder(torch.cat([gene_ids, other_ids], dim=1))
        return Generated(
            known=predicted[:, :n_known],
            generated=predicted[:, n_known:],
            from_cells=self.network.mvc_decoder(genes, self.network.decoded_with(own, None)),
            cells=own,
        )

    def masked_value_loss(
        self, tokens: Tokens, generator: torch.Generator, *, share: float = 0.4, ecs: float = 0.0
    ) -> Tensor:
        """Hide the bins of some genes of cells, (B, L), and give the errors of finding them, a scalar.

        Another way to train on.

        Parameters
        ----------
        generator
            A generator of the CPU, which decides what is hidden.
        share
            Of genes that are hidden.
        ecs
            Weight of the loss that sets cells apart; the authors take 10 where they use it.
        """
        gene_ids, values, mask = self._tensors(tokens)
        shown = hide_values(
            torch.as_tensor(tokens.values),
            genes_only(torch.as_tensor(tokens.mask)),
            share=share,
            mask_value=self.config.mask_value,
            generator=generator,
        ).to(self.device)
        hidden = self.network(gene_ids, shown, mask)
        cells = self.network.cells(hidden, shown, mask)
        asked = shown != values
        if not bool(asked.any()):
            return cells.sum() * 0
        genes = self.network.encoder(gene_ids)
        predicted = self.network.decoder(self.network.decoded_with(hidden, None))
        from_cells = self.network.mvc_decoder(genes, self.network.decoded_with(cells, None))
        loss = masked_mse(predicted, values, asked) + masked_mse(from_cells, values, asked)
        return loss + ecs * elastic_similarity(cells)

    def _tensors(self, tokens: Tokens) -> tuple[Tensor, Tensor, Tensor]:
        return (
            torch.as_tensor(tokens.gene_ids, device=self.device),
            torch.as_tensor(tokens.values, device=self.device),
            torch.as_tensor(tokens.mask, device=self.device),
        )


def unit(cells: Tensor, mask: Tensor) -> Tensor:
    """Bring cell vectors to length 1, (B, D); NaN for cells without tokens."""
    cells = cells.float() / cells.float().norm(dim=1, keepdim=True)
    return cells.masked_fill(~mask.any(dim=1, keepdim=True), torch.nan)


MODEL = ScGPT
