"""The contract of a foundation model."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import torch
from anndata import AnnData
from numpy.typing import NDArray
from torch import Tensor, nn

from scviz.datasets.genes import identifiers
from scviz.errors import RequestError, UnsupportedTaskError
from scviz.foundation.attention import CellAttention, among_genes
from scviz.foundation.batching import BatchSize, Precision, Walk, in_order, pick_device
from scviz.foundation.card import ModelCard
from scviz.foundation.edits import Edit, edited_counts, gene_columns
from scviz.foundation.encoding import Encoding
from scviz.foundation.perturbing import PerturbationInputs
from scviz.foundation.predictor import PerturbationPredictor
from scviz.foundation.saved import write_saved
from scviz.foundation.tokens import Tokens
from scviz.foundation.vocab import GeneVocab
from scviz.foundation.weights import LoadReport
from scviz.progress import Report, silent

if TYPE_CHECKING:
    import pandas as pd

Pooling = Literal["mean", "published"]
"""What a head reads of a cell: the mean over its genes, or what the model's authors chose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionScreen:
    """What deleting each of G genes would do, by estimate."""

    values: NDArray[np.float64]
    """(G,) mean over the cells that hold the gene, of the shift to the goal or of 1 - cosine; NaN where none does."""
    n_cells: NDArray[np.int64]
    """(G,) cells that hold it."""


class Head(nn.Module, ABC):
    """A network trained on top of an encoder.

    What it reads of an encoding is fixed by `select`, which has no weights, so that a frozen encoder need
    run only once.
    """

    pooling: Pooling

    @abstractmethod
    def select(self, encoding: Encoding) -> Tensor:
        """Take what the head reads from an encoding, (B, ...)."""

    @abstractmethod
    def forward(self, selected: Tensor) -> Tensor:
        """Score cell types, (B, K)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedHead:
    """A trained head, and what it names."""

    head: Head
    types: tuple[str, ...]
    """K names, in the order of its scores."""
    temperature: float = 1.0
    """What its scores are divided by before they become probabilities."""


class FoundationModel(nn.Module, ABC):
    """A pre-trained encoder of cells with its vocabulary."""

    card: ClassVar[ModelCard]
    shapes: ClassVar[Mapping[str, Callable[[int], Any]]]
    """Named configurations; each takes the size of the vocabulary."""
    ranks_attention: ClassVar[bool] = False
    """Whether its authors made networks of genes from ranks of its attention."""
    config: Any
    """What the network is made of; a frozen dataclass of each model's own."""
    vocab: GeneVocab
    network: nn.Module
    load_report: LoadReport
    """Which tensors of the checkpoint were read."""

    @classmethod
    @abstractmethod
    def from_checkpoint(cls, folder: Path) -> Self:
        """Read a checkpoint folder, the authors' layout or ours."""

    @classmethod
    def for_task(cls, folder: Path, task: str) -> Self:  # noqa: ARG003 - for those that override it
        """Read a checkpoint folder for one task; models that publish weights for each task override it."""
        return cls.from_checkpoint(folder)

    @classmethod
    def untrained(cls, adata: AnnData, shape: str) -> Self:
        """Make a model with random weights for the genes of these cells.

        Parameters
        ----------
        shape
            A name in `shapes`.

        Raises
        ------
        RequestError
            If there is no such shape.
        """
        if shape not in cls.shapes:
            raise RequestError(
                f"{cls.card.title} has no configuration {shape!r}.",
                hint=f"Choose one of {', '.join(cls.shapes)}.",
            )
        return cls._made_for(adata, shape)

    @classmethod
    @abstractmethod
    def _made_for(cls, adata: AnnData, shape: str) -> Self:
        """Make a model of a known shape, with random weights, for the genes of these cells."""

    def newly_initialized(self, seed: int) -> Self:
        """Return the same network with random weights: what a result owes to the weights is missing in it."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return type(self)(self.config, self.vocab).eval()

    def save(self, folder: Path) -> None:
        """Write `config.json`, `vocab.json` and `weights.safetensors`."""
        values, tensors = dataclasses.asdict(self.config), self._own_tensors()
        write_saved(folder, self.card, values=values, vocab=self.vocab, tensors=tensors)

    def _own_tensors(self) -> Mapping[str, Tensor]:
        """Give the tensors that are saved; models that tie some to others leave those out."""
        return self.network.state_dict()

    def column_tokens(self, var: pd.DataFrame) -> NDArray[np.integer]:
        """Find the token of each gene of a dataset, (G,); -1 where the vocabulary does not know it."""
        return self.vocab.column_tokens(var)

    def n_genes_seen(self, adata: AnnData) -> int:
        """Count the genes of the vocabulary that the dataset has."""
        tokens = self.column_tokens(adata.var)
        return len(np.unique(tokens[tokens >= 0]))

    @abstractmethod
    def n_tokens(self, adata: AnnData) -> NDArray[np.int64]:
        """Count the tokens that each cell will have, (N,); 0 = the model sees nothing of this cell."""

    @abstractmethod
    def tokenize(self, adata: AnnData) -> Tokens:
        """Turn raw counts, (N, G), into tokens in the order of the cells; `adata` stays as it is."""

    def edited(
        self,
        adata: AnnData,
        edit: Edit,
        *,
        tokens: Tokens | None = None,
        levels: NDArray[np.floating] | None = None,
    ) -> Tokens:
        """Give the tokens of cells after an edit, in the order of the cells; `adata` stays as it is.

        By default the raw counts are edited and read again: deletion takes all counts of the genes and a knockdown
        leaves its share. Over-expression raises a gene to the highest log-normalized value that it reaches in any
        cell or, where none expresses it, to the 99th percentile of expressed values. Models whose authors edit tokens
        override this.

        Parameters
        ----------
        adata
            (N, G) raw counts; over-expression looks for the highest value of a gene among these cells.
        tokens
            The tokens of the cells as they are, where they are known already.
        levels
            (K,) what `highest_levels` gives for the whole dataset, where `adata` is a part of it.

        Raises
        ------
        GeneMatchError
            If the dataset lacks one of the genes.
        RequestError
            If the model does not read what is to be edited.
        """
        columns = gene_columns(adata.var, edit.genes)
        counts = edited_counts(adata.X, columns, edit, levels=levels)
        return self.tokenize(AnnData(counts, obs=adata.obs, var=adata.var))

    @abstractmethod
    def forward(self, tokens: Tokens) -> Encoding:
        """Encode a batch; gradients flow."""

    def encode_cells(self, tokens: Tokens) -> Tensor:
        """Give the cell vectors alone, (B, C); models override it where they can skip work."""
        return self.forward(tokens).cells

    @abstractmethod
    def gene_embeddings(self) -> NDArray[np.float32]:
        """Return the vectors of the vocabulary's genes, (V, D), in the order of `vocab.genes`."""

    @abstractmethod
    def classifier(self, n_types: int, *, pooling: Pooling = "published") -> Head:
        """Make an untrained head that names cell types."""

    def published_head(self, folder: Path) -> NamedHead | None:
        """Read the head that a folder from the authors' fine-tuning has besides the encoder; None if it has none.

        Its types have the names of `labels.json` in the folder, a list in the order of the scores, where the authors'
        files do not hold them.

        Raises
        ------
        CheckpointError
            If the names are not as many as the head has scores.
        """
        return None

    def freeze_as_published(self) -> None:
        """Leave trainable what the authors train to name cell types; models that freeze a part override it."""
        self.requires_grad_(True)

    @abstractmethod
    def pretraining_loss(self, tokens: Tokens, generator: torch.Generator) -> Tensor:
        """Give the model's own pre-training loss on a batch, (B, L), a scalar."""

    @abstractmethod
    def blind_loss(self, known: Tokens, asked: Tokens) -> float:
        """Give the pre-training loss on cells that are `asked` of a guess that only knows the genes of others."""

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    def context_gene_embeddings(self, adata: AnnData, genes: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of genes as they are in these cells, (K, D); NaN for genes in no cell.

        Parameters
        ----------
        adata
            (N, G) raw counts.
        genes
            K names.

        Raises
        ------
        UnsupportedTaskError
            If the model gives none.
        """
        raise self._unsupported("context gene embeddings")

    def predicted_expression(self, tokens: Tokens) -> Tensor:
        """Predict log1p expression of every gene at the depth that is asked for, (B, V), as `vocab.genes` stand.

        Raises
        ------
        UnsupportedTaskError
            If the model gives none.
        """
        raise self._unsupported("prediction of expression")

    def perturbation_predictor(self, inputs: PerturbationInputs) -> PerturbationPredictor:
        """Make an untrained predictor of perturbations on top of this model, which stays as it is.

        A model that overrides this has a `PerturbationCard` in the field `perturbation` of its card. Pages and
        commands offer the method by that card, and ask `card.perturbation.reason_against` before a run; the predictor's
        own `reason_against` refuses the same perturbations, and its `predict` gives NaN for them.

        Parameters
        ----------
        inputs
            Terms of genes, genes that may be asked for, and what differs from the training of the authors.

        Raises
        ------
        UnsupportedTaskError
            If the model predicts no perturbations.
        """
        raise self._unsupported("predictor of perturbations")

    def screen_deletions(
        self,
        adata: AnnData,
        tokens: Tokens,
        *,
        goal: NDArray[np.floating] | None = None,
        report: Report = silent,
    ) -> DeletionScreen:
        """Estimate at once what deleting each gene would do; for models whose card says `screens_deletions`.

        Parameters
        ----------
        adata
            (N, G) raw counts.
        tokens
            Its cells as the model reads them.
        goal
            (C,) cell vector of the state that cells may move to; without it the estimate is how far they move.

        Raises
        ------
        UnsupportedTaskError
            If the model has no such screen.
        """
        raise self._unsupported("screen of deletions")

    def attention(self, tokens: Tokens) -> NDArray[np.float32]:
        """Return the attention between tokens, (B, L, L), last layer, mean over heads.

        Raises
        ------
        UnsupportedTaskError
            If the model gives none.
        """
        raise self._unsupported("attention")

    def gene_attention(self, adata: AnnData, columns: NDArray[np.int64]) -> Iterator[CellAttention]:
        """Give the attention between some genes of each cell, last layer, one cell at a time.

        By default the whole cell is read as for its embedding, genes that it does not express are absent, and the
        weights after softmax are the mean over heads. Models whose authors read it otherwise override this.

        Parameters
        ----------
        adata
            (N, G) raw counts.
        columns
            (M,) genes of the dataset that the model knows, each a different gene of its vocabulary.
        """
        positions = self.vocab.match(identifiers(adata.var))[columns]
        tokens = self.tokenize(adata)
        for cell in range(len(tokens)):
            one = tokens.take(slice(cell, cell + 1))
            if one.mask.any():
                yield among_genes(self.attention(one)[0], one, self.vocab.ids[positions])

    def at_depth(self, target: str) -> Self:
        """Return the same model, weights shared, that reads cells as if they had another depth.

        Parameters
        ----------
        target
            A key of the card's `read_depths`, or another depth in the same words.

        Raises
        ------
        UnsupportedTaskError
            If the model reads cells at the depth that they have.
        """
        raise UnsupportedTaskError(
            f"{self.card.title} reads cells at the depth that they have and at no other.",
            hint="Leave the depth to the model, or choose one that reads cells at several depths.",
        )

    def _unsupported(self, what: str) -> UnsupportedTaskError:
        return UnsupportedTaskError(f"{self.card.title} has no {what}.", hint="Choose another model.")

    def embed(
        self,
        adata: AnnData,
        *,
        batch_size: BatchSize = "auto",
        device: str = "auto",
        precision: Precision = "auto",
        report: Report = silent,
    ) -> NDArray[np.float32]:
        """Embed cells, the longest first, in the order they came.

        Parameters
        ----------
        adata
            (N, G) raw counts.
        batch_size
            Cells at a time; "auto" takes some that suit their length. It is halved when memory runs out.
        device
            "auto" takes a GPU when there is one.
        precision
            "auto" is bfloat16 on a GPU and float32 elsewhere.

        Returns
        -------
        (N, C) embedding, float32. NaN for cells in which the model sees no gene.
        """
        walk = Walk(
            self.to(pick_device(device)), adata, batch_size=batch_size, precision=precision, report=report
        )
        return in_order(adata.n_obs, walk.each(self.encode_cells))
