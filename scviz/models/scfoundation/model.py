"""scFoundation: tokenizer, network and gene list in one."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import torch
from anndata import AnnData
from numpy.typing import NDArray
from torch import Tensor, nn

from scviz.foundation.batching import Walk, suitable_batch
from scviz.foundation.card import ModelCard
from scviz.foundation.encoding import Encoding, mean_of_tokens
from scviz.foundation.frequency_baseline import mean_loss
from scviz.foundation.model import FoundationModel, Pooling
from scviz.foundation.perturbing import PerturbationInputs
from scviz.foundation.tokens import Tokens
from scviz.foundation.vocab import GeneVocab
from scviz.foundation.weights import LoadReport, load_tensors
from scviz.models.scfoundation import CARD
from scviz.models.scfoundation.checkpoint import Checkpoint, Member, read_checkpoint, write_checkpoint
from scviz.models.scfoundation.config import SHAPES, Config
from scviz.models.scfoundation.heads import CellHead, highest, without_depth
from scviz.models.scfoundation.network import Network, tensors_of
from scviz.models.scfoundation.perturbation import ContextGearsSettings, ScFoundationGears
from scviz.models.scfoundation.pretraining import counts_of, hide_genes, mean_squared_error, vocabulary
from scviz.models.scfoundation.tokenizer import (
    Profiles,
    TargetDepth,
    profiles,
    select_genes,
)

TASK_MEMBERS = {
    "embedding": "cell",
    "enhancement": "rde",
    "annotation": "gene",
    "modules": "gene",
    "perturbation": "gene",
    "attention_network": "gene",
    "scenic": "gene",
}
"""Which weights the authors use for a task; "cell" for others."""

CONTEXT_TARGET = "f1"
"""Depth at which genes are read in their context: as it is."""

PUBLISHED_PAD_POSITION = 103
"""Where the authors' classifier puts padding, on the position of a gene."""


class ScFoundation(FoundationModel):
    """A cell read as expression values with the depth that it has and the depth it should have.

    Parameters
    ----------
    vocab
        The gene list in its order, then `<T>`, `<S>` and `<pad>`.
    member
        Which of the published sets of weights this is: "cell", "rde" or "gene".
    others
        Sets of weights of the same checkpoint that are kept beside this one, so that `save` writes them too.
    """

    card: ClassVar[ModelCard] = CARD
    shapes = SHAPES
    config: Config
    network: Network

    def __init__(
        self,
        config: Config,
        vocab: GeneVocab,
        *,
        member: str = "cell",
        others: Mapping[str, Member] | None = None,
    ) -> None:
        super().__init__()
        self.config, self.vocab = config, vocab
        self.member, self.others = member, dict(others or {})
        self.network = Network(config)
        self.load_report = LoadReport(loaded=(), missing=(), unexpected=())

    # folders

    @classmethod
    def from_checkpoint(cls, folder: Path) -> Self:
        """Read a folder, as published or as saved here; of several sets of weights that for embedding cells.

        The other sets stay beside it for `save`.

        Raises
        ------
        CheckpointError
            If a file is missing or unsafe, or the parts do not fit together.
        """
        checkpoint = read_checkpoint(folder)
        return cls._of(checkpoint, checkpoint.choose(None), keep_others=True)

    @classmethod
    def for_task(cls, folder: Path, task: str) -> Self:
        """Read the weights that the authors use for a task, and no others.

        For annotation cells are read without T and S, as the authors do.

        Raises
        ------
        CheckpointError
            As in `from_checkpoint`, or if the folder has not these weights.
        """
        checkpoint = read_checkpoint(folder)
        model = cls._of(checkpoint, checkpoint.choose(TASK_MEMBERS.get(task, "cell")), keep_others=False)
        if task == "annotation":
            model.config = dataclasses.replace(model.config, depth_tokens=False)
        return model

    @classmethod
    def _of(cls, checkpoint: Checkpoint, name: str, *, keep_others: bool) -> Self:
        member = checkpoint.members[name]
        others = {key: other for key, other in checkpoint.members.items() if key != name and keep_others}
        with torch.device("meta"):  # every weight is about to be read from a file
            model = cls(member.config, checkpoint.vocab, member=name, others=others)
        model.to_empty(device="cpu")
        model.load_report = load_tensors(model.network, member.tensors)
        return model.eval()

    @classmethod
    def _made_for(cls, adata: AnnData, shape: str) -> Self:
        vocab = vocabulary(adata)
        return cls(SHAPES[shape](len(vocab)), vocab)

    def save(self, folder: Path) -> None:
        """Write `config.json`, `vocab.json` and `weights.safetensors`, with all sets of weights."""
        own = Member(config=self.config, tensors=self.network.state_dict())
        write_checkpoint(folder, self.vocab, {self.member: own, **self.others})

    def at_depth(self, target: str) -> Self:
        """Return the same model, weights shared, that reads cells as if they had another depth.

        Parameters
        ----------
        target
            "t4.5" for 10^4.5 reads, "f5" for five times the reads of each cell, "a1" for ten times as many.

        Raises
        ------
        RequestError
            If this is no depth.
        """
        TargetDepth.parse(target)
        model = copy.copy(self)
        model.config = dataclasses.replace(self.config, target=target, depth_tokens=True)
        return model

    # tokens

    def n_tokens(self, adata: AnnData) -> NDArray[np.int64]:
        """Count the tokens that each cell will have, (N,); 0 for cells with fewer than two reads."""
        return self._profiles(adata).lengths(depth_tokens=self.config.depth_tokens)

    def tokenize(self, adata: AnnData) -> Tokens:
        """Give the expressed genes of each cell with their values, then T and S."""
        return self._profiles(adata).tokens(depth_tokens=self.config.depth_tokens)

    def _profiles(self, adata: AnnData) -> Profiles:
        positions = self.vocab.column_tokens(adata.var)
        counts = select_genes(adata.X, positions, self.config.n_genes)
        return profiles(counts, TargetDepth.parse(self.config.target))

    # vectors

    @property
    def first_layer(self) -> nn.Module:
        """The part of the network whose first input is what layers read of the tokens, (B, L, D)."""
        return self.network.encoder_layers[0]

    def forward(self, tokens: Tokens) -> Encoding:
        """Encode a batch; token vectors are those of the encoder."""
        values, positions, mask = self._tensors(tokens)
        encoded = self.network.encode(values, positions, mask)
        cells = self._pool(encoded, mask)
        return Encoding(tokens=encoded * mask[..., None], cells=cells, mask=mask)

    def published_encoding(self, tokens: Tokens) -> Encoding:
        """Encode a batch with padding as tokens like others, as the authors' classifier reads it."""
        values, positions, mask = self._tensors(tokens)
        encoded = self.network.encode(values, positions.where(mask, PUBLISHED_PAD_POSITION), mask)
        everything = torch.ones_like(mask)
        return Encoding(tokens=encoded, cells=highest(encoded, everything), mask=everything)

    def gene_context(self, tokens: Tokens, *, across_cells: bool = False) -> Tensor:
        """Give the vector of every gene in each cell, expressed or not, (B, V, E), in the order of `vocab.genes`.

        Parameters
        ----------
        across_cells
            Let cells of a batch touch each other a little, as the authors' code does; see LinearAttention.
        """
        decoded = self._decoded(tokens, across_cells=across_cells)
        return decoded[:, torch.as_tensor(self.vocab.ids, device=self.device)]

    def predicted_expression(self, tokens: Tokens) -> Tensor:
        """Predict log1p expression of every gene at the depth T, (B, V), in the order of `vocab.genes`."""
        return self.network.expression(self.gene_context(tokens))

    def gene_embeddings(self) -> NDArray[np.float32]:
        """Return the position embedding of each gene of the list, (V, D)."""
        ids = torch.as_tensor(self.vocab.ids, device=self.device)
        return self.network.position_embedding.weight.detach()[ids].float().cpu().numpy()

    def context_gene_embeddings(self, adata: AnnData, genes: Sequence[str]) -> NDArray[np.float32]:
        """Average what the decoder gives for genes over cells, (K, E), expressed or not.

        NaN for genes that are not in the list. Cells are read at the depth that they have.
        """
        found = self.vocab.tokens_at(self.vocab.positions(genes))
        model, known = self.at_depth(CONTEXT_TARGET), torch.as_tensor(found[found >= 0], device=self.device)
        sums = torch.zeros(len(known), self.config.decoder_width, device=self.device)
        n_cells = 0

        def add(tokens: Tokens) -> Tensor:
            vectors = model._decoded(tokens)[:, known]  # (B, K, E)
            sums.add_(vectors.float().sum(dim=0))
            return torch.ones(len(tokens), 1)

        walk = Walk(model, adata, batch_size=suitable_batch(self.config.n_genes + 2), stage="Reading genes")
        for rows, _ in walk.each(add):
            n_cells += len(rows)
        vectors = np.full((len(genes), sums.shape[1]), np.nan, dtype=np.float32)
        if n_cells:
            vectors[found >= 0] = (sums / n_cells).cpu().numpy()
        return vectors

    def perturbation_predictor(self, inputs: PerturbationInputs) -> ScFoundationGears:
        """Make GEARS on the vectors that genes have in control cells."""
        settings = dataclasses.replace(ContextGearsSettings(), **inputs.training)
        return ScFoundationGears(self.network, self.vocab, settings, terms=inputs.terms, also=inputs.also)

    def attention(self, tokens: Tokens) -> NDArray[np.float32]:
        """Return the attention of the encoder's last layer, mean over heads, (B, L, L): row attends to column.

        Rows and columns of padding are zero.
        """
        values, positions, mask = self._tensors(tokens)
        with torch.inference_mode():
            weights = self.network.attention(values, positions, mask).mean(dim=1)
            weights *= mask[:, :, None] & mask[:, None, :]
        return weights.float().cpu().numpy()

    # training

    def classifier(self, n_types: int, *, pooling: Pooling = "published") -> CellHead:
        """Make an untrained head that names cell types."""
        return CellHead(self.config.width, n_types, pooling=pooling, depth_tokens=self.config.depth_tokens)

    def freeze_as_published(self) -> None:
        """Leave trainable the second to last layer of the encoder."""
        self.network.freeze_for_annotation()

    def pretraining_loss(self, tokens: Tokens, generator: torch.Generator) -> Tensor:
        """Thin cells out, hide genes and give the mean squared error of restoring them, a scalar.

        Parameters
        ----------
        tokens
            (B, L) made of raw counts by `tokenize`, with T and S.
        generator
            A generator of the CPU, which decides what is thinned out and hidden.

        Raises
        ------
        ValueError
            If the model reads cells without T and S.
        """
        if not self.config.depth_tokens:
            raise ValueError("Pre-training needs T and S, and this model reads cells without them.")
        hidden = hide_genes(counts_of(tokens, self.config.n_genes), generator)
        rows = hidden.rows.to(self.device)
        values, positions, mask = self._tensors(hidden.tokens())
        encoded = self.network.encode(values, positions, mask)
        decoded = self.network.decode(rows, encoded, positions=positions, mask=mask)
        return mean_squared_error(self.network.expression(decoded)[:, :-2].float(), hidden)

    def blind_loss(self, known: Tokens, asked: Tokens) -> float:
        """Restore each hidden gene by the mean that it has where it is hidden."""
        parts = []
        for seed, tokens in enumerate((known, asked)):
            hidden = hide_genes(counts_of(tokens, self.config.n_genes), torch.Generator().manual_seed(seed))
            genes = hidden.asked.nonzero()[:, 1].numpy()
            parts += [genes, hidden.truth[hidden.asked].numpy().astype(np.float64)]
        return mean_loss(parts[0], parts[1], asked=parts[2], truth=parts[3], n_kinds=self.config.n_genes)

    def _decoded(self, tokens: Tokens, *, across_cells: bool = False) -> Tensor:
        """Run encoder and decoder, (B, G+2, E)."""
        return self.network.decode_cells(*self._tensors(tokens), across_cells=across_cells)

    def _pool(self, encoded: Tensor, mask: Tensor) -> Tensor:
        """Give the vectors of cells, (B, 4 D) or (B, D); NaN for cells without tokens."""
        if self.config.pooling == "max" or not self.config.depth_tokens:
            return highest(encoded, mask)
        n_tokens, genes = mask.sum(dim=1), without_depth(mask)
        cells = torch.arange(len(mask), device=mask.device)
        source, target = (encoded[cells, (n_tokens - place).clamp(min=0)] for place in (1, 2))
        vectors = torch.cat([source, target, highest(encoded, genes), mean_of_tokens(encoded, genes)], dim=1)
        return vectors.masked_fill(n_tokens[:, None] == 0, torch.nan)

    def _tensors(self, tokens: Tokens) -> tuple[Tensor, Tensor, Tensor]:
        """Put values, positions and mask, all (B, L), on the device of the weights."""
        return tensors_of(tokens, self.device)


MODEL = ScFoundation
