"""An encoder with a head that names cell types."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from anndata import AnnData
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn

from scviz.errors import CheckpointError
from scviz.foundation.batching import BatchSize, Walk, pick_device
from scviz.foundation.model import FoundationModel, Head, NamedHead
from scviz.foundation.tokens import Tokens
from scviz.foundation.weights import load_tensors, read_tensors
from scviz.progress import Report, silent
from scviz.workspace.plain_json import read_plain

HEAD, WEIGHTS = "head.json", "head.safetensors"
READ_AT_ONCE = 4096
"""Cells whose reading a head names at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a classifier says of N cells."""

    types: tuple[str, ...]
    """The K types."""
    best: NDArray[np.int64]
    """(N,) positions in `types`; -1 for cells in which the model sees no gene."""
    probabilities: NDArray[np.float32]
    """(N, K) at the temperature of the classifier; NaN for cells in which the model sees no gene."""


def best_types(probabilities: NDArray[np.floating]) -> NDArray[np.int64]:
    """Give the most probable type of each cell, (N,); -1 where nothing is known of it.

    Parameters
    ----------
    probabilities
        (N, K) of each type; NaN for cells in which the model sees no gene.
    """
    seen = ~np.isnan(probabilities[:, 0])
    return np.where(seen, np.nan_to_num(probabilities).argmax(axis=1), -1).astype(np.int64)


class CellTypeClassifier(nn.Module):
    """Names the type of each cell.

    Parameters
    ----------
    types
        K names, in the order of the scores; sorted, unless a published head has its own order.
    temperature
        What scores are divided by before they become probabilities; 1 leaves them alone.
    """

    def __init__(
        self, encoder: FoundationModel, head: Head, types: Sequence[str], *, temperature: float = 1.0
    ) -> None:
        super().__init__()
        self.encoder, self.head, self.types = encoder, head, tuple(types)
        self.temperature = temperature

    def select(self, tokens: Tokens) -> Tensor:
        """Run the encoder and take what the head reads, (B, ...)."""
        return self.head.select(self.encoder(tokens))

    def forward(self, tokens: Tokens) -> Tensor:
        """Score the types of each cell, (B, K)."""
        scores: Tensor = self.head(self.select(tokens))
        return scores

    def classify(
        self,
        adata: AnnData,
        *,
        batch_size: BatchSize = "auto",
        device: str = "auto",
        report: Report = silent,
    ) -> Named:
        """Name the type of each cell, in the order they came; cells are read as the encoder reads them.

        Parameters
        ----------
        adata
            (N, G) raw counts.
        batch_size, device
            As in `FoundationModel.embed`.
        """

        def probabilities(tokens: Tokens) -> Tensor:
            scores: Tensor = self(tokens)
            return (scores.float() / self.temperature).softmax(dim=1)

        answer = np.full((adata.n_obs, len(self.types)), np.nan, dtype=np.float32)
        self.to(pick_device(device)).eval()
        walk = Walk(self.encoder, adata, batch_size=batch_size, report=report, stage="Naming cells")
        for rows, part in walk.each(probabilities):
            answer[rows] = part
        return Named(types=self.types, best=best_types(answer), probabilities=answer)

    def classify_read(self, read: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give the probability of each type, (R, K), of cells whose reading is kept.

        Parameters
        ----------
        read
            (R, ...) what the head reads of them, as `select` gives it.
        """
        device = next(self.head.parameters()).device
        self.head.eval()
        with torch.no_grad():
            parts = [
                (self.head(torch.as_tensor(part, device=device)).float() / self.temperature).softmax(dim=1)
                for part in np.array_split(read, max(1, len(read) // READ_AT_ONCE))
            ]
        return np.asarray(torch.cat(parts).cpu().numpy(), dtype=np.float32)

    def save(self, folder: Path, *, trained_on: Sequence[str] = ()) -> None:
        """Write the encoder's files and beside them `head.json` and `head.safetensors`.

        Parameters
        ----------
        trained_on
            Datasets that encoder and head have seen in training, for whoever takes the folder in.
        """
        self.encoder.save(folder)
        facts = {
            "model": self.encoder.card.name,
            "types": self.types,
            "pooling": self.head.pooling,
            "temperature": self.temperature,
            "trained_on": list(trained_on),
        }
        (folder / HEAD).write_text(json.dumps(facts, indent=1), encoding="utf-8")
        save_file(
            {name: tensor.contiguous().cpu() for name, tensor in self.head.state_dict().items()},
            folder / WEIGHTS,
        )

    @classmethod
    def load(cls, folder: Path, model: type[FoundationModel]) -> Self:
        """Read what `save` wrote, or a folder from the fine-tuning of the model's authors.

        Parameters
        ----------
        model
            Class of the encoder.

        Raises
        ------
        CheckpointError
            If there is no head, or one of another model.
        """
        encoder = model.from_checkpoint(folder)
        found = read_head(folder, encoder)
        if found is None:
            raise CheckpointError(
                f"There is no head for cell types in {folder.name}.", hint="Choose a fine-tuned folder."
            )
        return cls(encoder, found.head, found.types, temperature=found.temperature).eval()


def read_head(folder: Path, encoder: FoundationModel) -> NamedHead | None:
    """Read the head for cell types in the folder of an encoder, ours or the authors'; None if there is none.

    Raises
    ------
    CheckpointError
        If there is one of another model.
    """
    if not (folder / HEAD).is_file():
        return encoder.published_head(folder)
    name = model_name(folder)
    if name != encoder.card.name:
        raise CheckpointError(
            f"The classifier in {folder.name} stands on {name}, not on {encoder.card.name}.",
            hint="Choose a classifier of this model.",
        )
    facts = read_plain(folder / HEAD)
    head = encoder.classifier(len(facts["types"]), pooling=facts["pooling"])
    load_tensors(head, read_tensors(folder / WEIGHTS))
    return NamedHead(head=head, types=tuple(facts["types"]), temperature=float(facts.get("temperature", 1.0)))


def model_name(folder: Path) -> str:
    """Return the name of the model that the classifier in a folder stands on.

    Raises
    ------
    CheckpointError
        If there is no classifier in the folder.
    """
    if not (folder / HEAD).is_file():
        raise CheckpointError(
            f"There is no classifier in {folder.name}.", hint="Train one on the Annotate page."
        )
    return str(read_plain(folder / HEAD)["model"])
