"""The contract of a foundation model, and embedding cells in batches that fit into memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal, Self

import numpy as np
import torch
from anndata import AnnData
from numpy.typing import NDArray
from torch import Tensor, nn

from scviz.errors import OutOfMemoryError, UnsupportedTaskError
from scviz.foundation.card import ModelCard
from scviz.foundation.encoding import Encoding
from scviz.foundation.tokens import Tokens
from scviz.foundation.vocab import GeneVocab
from scviz.progress import Progress, Report, silent

Precision = Literal["auto", "float32", "bfloat16"]

CELLS_PER_CHUNK = 2048
"""Cells that are held as tokens at a time while embedding."""


class Head(nn.Module, ABC):
    """A network trained on top of an encoder.

    What it reads of an encoding is fixed by `select`, which has no weights, so that a frozen encoder runs once.
    """

    @abstractmethod
    def select(self, encoding: Encoding) -> Tensor:
        """Take what the head reads from an encoding, (B, ...)."""

    @abstractmethod
    def forward(self, selected: Tensor) -> Tensor:
        """Score cell types, (B, K)."""


class FoundationModel(nn.Module, ABC):
    """A pre-trained encoder of cells with its vocabulary."""

    card: ClassVar[ModelCard]
    vocab: GeneVocab

    @classmethod
    @abstractmethod
    def from_checkpoint(cls, folder: Path) -> Self:
        """Read a checkpoint folder, the authors' layout or ours."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write `config.json`, `vocab.json` and `weights.safetensors`."""

    @abstractmethod
    def n_tokens(self, adata: AnnData) -> NDArray[np.int64]:
        """Count the tokens that each cell will have, (N,); 0 = the model sees nothing of this cell."""

    @abstractmethod
    def tokenize(self, adata: AnnData) -> Tokens:
        """Turn raw counts, cells x genes, into tokens; the order of cells is kept and `adata` is not changed."""

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
    def classifier(self, n_types: int) -> Head:
        """Make an untrained head that names cell types."""

    @abstractmethod
    def pretraining_loss(self, tokens: Tokens, generator: torch.Generator) -> Tensor:
        """Give the model's own pre-training loss on a batch, a scalar."""

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    def context_gene_embeddings(self, adata: AnnData, genes: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of genes as they are in these cells, (len(genes), D)."""
        raise self._unsupported("context gene embeddings")

    def attention(self, tokens: Tokens) -> NDArray[np.float32]:
        """Return the attention between tokens, (B, L, L), last layer, mean over heads."""
        raise self._unsupported("attention")

    def _unsupported(self, what: str) -> UnsupportedTaskError:
        return UnsupportedTaskError(f"{self.card.title} has no {what}.", hint="Choose another model.")

    def embed(
        self,
        adata: AnnData,
        *,
        batch_size: int | Literal["auto"] = "auto",
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
        embedding: NDArray[np.float32] | None = None
        for rows, vectors in self.embed_chunks(
            adata, batch_size=batch_size, device=device, precision=precision, report=report
        ):
            if embedding is None:
                embedding = np.full((adata.n_obs, vectors.shape[1]), np.nan, dtype=np.float32)
            embedding[rows] = vectors
        return embedding if embedding is not None else np.empty((adata.n_obs, 0), dtype=np.float32)

    def embed_chunks(
        self,
        adata: AnnData,
        *,
        batch_size: int | Literal["auto"] = "auto",
        device: str = "auto",
        precision: Precision = "auto",
        report: Report = silent,
        skip: Mapping[int, NDArray[np.float32]] | None = None,
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Embed cells chunk by chunk, so that finished chunks can be kept.

        Parameters
        ----------
        skip
            Vectors of chunks that are there already, by position of the chunk; they are passed on as they are.

        Yields
        ------
        Rows of `adata` and their vectors, (n,) and (n, C), longest cells first; cells without tokens never come.
        """
        self.to(pick_device(device)).eval()
        lengths = self.n_tokens(adata)
        order = np.argsort(-lengths, kind="stable")[: int((lengths > 0).sum())]
        done = 0
        for number, start in enumerate(range(0, len(order), CELLS_PER_CHUNK)):
            rows = order[start : start + CELLS_PER_CHUNK]
            if skip and number in skip:
                vectors = skip[number]
            else:
                base = done

                def in_chunk(progress: Progress, base: int = base) -> None:
                    report(
                        Progress(
                            stage="Reading cells", done=base + progress.done, total=len(order), note=progress.note
                        )
                    )

                vectors = self._encode(
                    self.tokenize(adata[rows]), batch_size=batch_size, precision=precision, report=in_chunk
                )
            done += len(rows)
            report(Progress(stage="Reading cells", done=done, total=len(order)))
            yield rows, vectors

    def _encode(
        self, tokens: Tokens, *, batch_size: int | Literal["auto"], precision: Precision, report: Report
    ) -> NDArray[np.float32]:
        """Encode cells that are sorted by length, halving the batch whenever memory runs out."""
        parts: list[NDArray[np.float32]] = []
        size = batch_size if batch_size != "auto" else suitable_batch(int(tokens.lengths().max()))
        start, note = 0, ""
        while start < len(tokens):
            try:
                with torch.inference_mode(), autocast(self.device, precision):
                    vectors = self.encode_cells(tokens.take(slice(start, start + size)))
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if size == 1:
                    raise OutOfMemoryError(
                        "One cell alone does not fit into memory.",
                        hint="Choose a smaller model, or let the server's owner allow more memory.",
                    ) from error
                size = max(1, size // 2)
                note = f"Memory ran out, so batches are halved to {size} {'cell' if size == 1 else 'cells'}."
                continue
            parts.append(vectors.float().cpu().numpy())
            start += len(parts[-1])
            report(Progress(stage="Reading cells", done=start, total=len(tokens), note=note))
        return np.concatenate(parts)


def pick_device(device: str) -> torch.device:
    """Take the device that is named, or for "auto" a GPU when there is one."""
    if device != "auto":
        return torch.device(device)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    """Compute in bfloat16 where asked for, or by default on a GPU."""
    low = precision == "bfloat16" or (precision == "auto" and device.type == "cuda")
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=low)


TOKENS_PER_BATCH = 16384
"""Tokens that one batch holds by default; more is no faster on a CPU and costs memory."""


def suitable_batch(length: int) -> int:
    """Take as many cells of this length as make a batch of about TOKENS_PER_BATCH tokens.

    Examples
    --------
    >>> suitable_batch(2048), suitable_batch(100_000)
    (8, 1)
    """
    return max(1, min(256, TOKENS_PER_BATCH // max(length, 1)))


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error means that memory ran out, on a GPU or on the CPU."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error)
    return "can't allocate memory" in text or "not enough memory" in text or "out of memory" in text
