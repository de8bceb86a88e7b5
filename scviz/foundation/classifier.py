"""An encoder with a head that names cell types."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from safetensors.torch import save_file
from torch import Tensor, nn

from scviz.errors import CheckpointError
from scviz.foundation.model import FoundationModel, Head
from scviz.foundation.tokens import Tokens
from scviz.foundation.weights import load_tensors, read_tensors

HEAD, WEIGHTS = "head.json", "head.safetensors"


class CellTypeClassifier(nn.Module):
    """Names the type of each cell.

    Parameters
    ----------
    types
        K names, in the order of the scores; sorted, unless a published head has its own order.
    """

    def __init__(self, encoder: FoundationModel, head: Head, types: Sequence[str]) -> None:
        super().__init__()
        self.encoder, self.head, self.types = encoder, head, tuple(types)

    def select(self, tokens: Tokens) -> Tensor:
        """Run the encoder and take what the head reads, (B, ...)."""
        return self.head.select(self.encoder(tokens))

    def forward(self, tokens: Tokens) -> Tensor:
        """Score the types of each cell, (B, K)."""
        scores: Tensor = self.head(self.select(tokens))
        return scores

    def save(self, folder: Path) -> None:
        """Write the encoder's files and beside them `head.json` and `head.safetensors`."""
        self.encoder.save(folder)
        facts = {"model": self.encoder.card.name, "types": self.types, "pooling": self.head.pooling}
        (folder / HEAD).write_text(json.dumps(facts, indent=1), encoding="utf-8")
        save_file(
            {name: tensor.contiguous().cpu() for name, tensor in self.head.state_dict().items()},
            folder / WEIGHTS,
        )

    @classmethod
    def load(cls, folder: Path, model: type[FoundationModel]) -> Self:
        """Read what `save` wrote.

        Parameters
        ----------
        model
            Class of the encoder, as `model_class` gives it for the name that `model_name` reads.

        Raises
        ------
        CheckpointError
            If there is no head, or one of another model.
        """
        name = model_name(folder)
        if name != model.card.name:
            raise CheckpointError(
                f"The classifier in {folder.name} stands on {name}, not on {model.card.name}.",
                hint="Choose a classifier of this model.",
            )
        facts = json.loads((folder / HEAD).read_text(encoding="utf-8"))
        encoder = model.from_checkpoint(folder)
        head = encoder.classifier(len(facts["types"]), pooling=facts["pooling"])
        load_tensors(head, read_tensors(folder / WEIGHTS))
        return cls(encoder, head, facts["types"]).eval()


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
    return str(json.loads((folder / HEAD).read_text(encoding="utf-8"))["model"])
