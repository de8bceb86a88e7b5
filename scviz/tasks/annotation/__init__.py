"""Learn cell types from labelled cells and name those held out, beside plain baselines on the same cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from scviz.errors import RequestError
from scviz.metrics.evidence import Gain
from scviz.metrics.scores import ClassificationScores
from scviz.tasks.fields import SEED, Choice, Column, Number, Switch, check_fields

TITLE = "Cell types"
HEAVY = True

MODEL = "model"
"""Key of the model's own scores."""


Mode = Literal["head", "lora", "full", "published"]
MODES: dict[Mode, str] = {
    "head": "Frozen model + classifier",
    "lora": "LoRA + classifier",
    "full": "Full fine-tuning",
    "published": "As published",
}
Pooling = Literal["mean", "published"]
POOLING: dict[Pooling, str] = {"mean": "Mean over genes", "published": "As published"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which cells, which labels, and how to learn them."""

    dataset: str
    checkpoint: str
    label_key: Annotated[
        str,
        Column(
            "Column with known cell types",
            help="Cells without a label are named, but neither trained nor tested on.",
        ),
    ]
    mode: Annotated[
        Mode,
        Choice(
            "Train",
            MODES,
            help="A classifier on the frozen model takes a minute. LoRA adds a little to each layer and leaves the "
            "model's own weights alone; full fine-tuning takes longest. Some authors train a few layers only.",
        ),
    ] = "head"
    pooling: Annotated[
        Pooling,
        Choice("Pooling", POOLING, help="What the classifier reads of each cell.", advanced=True),
    ] = "mean"
    balanced: Annotated[
        bool,
        Switch(
            "Every type counts the same",
            help="Rare types weigh as much as common ones in training. The authors of scBERT compute such weights and "
            "never use them.",
            advanced=True,
        ),
    ] = False
    group_key: Annotated[
        str | None,
        Column(
            "Hold out",
            none="cells, of every type",
            help="Cells held out are never trained on; all numbers are measured on them. Holding out whole donors or "
            "batches tells how well the model does on the next donor.",
        ),
    ] = None
    test_fraction: Annotated[
        float, Number("Cells held out", 0.05, 0.5, unit="%", step=5, help="Share.", advanced=True)
    ] = 0.2
    epochs: Annotated[
        int,
        Number(
            "Maximum epochs",
            1,
            500,
            automatic="100 for a frozen model, 30 for LoRA, 10 for full fine-tuning, 20 as published",
            help="Passes over the training cells; the best one is kept.",
            advanced=True,
        ),
    ] = 0
    batch_size: Annotated[int, Number("Batch size", 1, 512, unit="cells", advanced=True)] = 32
    learning_rate: Annotated[
        float,
        Number(
            "Learning rate",
            1e-9,
            0.1,
            automatic="one that suits the mode and the width of the model",
            help="How far one update moves the weights.",
            format="%g",
            advanced=True,
        ),
    ] = 0.0
    seed: Annotated[int, SEED] = 0

    def __post_init__(self) -> None:
        check_fields(self)
        if self.group_key == self.label_key:
            raise RequestError(
                "Cell types cannot be held out by the column they are read from.",
                hint="Choose a column of donors, samples or batches.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Names of the cells held out, by the model and by each baseline; and of all cells, by the model."""

    types: tuple[str, ...]
    """The K cell types, sorted."""
    test_rows: NDArray[np.int64]
    """(M,) rows of the cells held out."""
    truth: NDArray[np.int64]
    """(M,) known types, positions in `types`."""
    predicted: dict[str, NDArray[np.int64]]
    """(M,) for "model" and for each baseline."""
    probabilities: NDArray[np.float32]
    """(M, K) of the model."""
    all_predicted: NDArray[np.int64]
    """(N,) type of every cell of the dataset; -1 where the model sees no gene."""
    all_confidence: NDArray[np.float32]
    """(N,) probability of that type."""
    n_train: int
    n_validation: int
    scores: dict[str, ClassificationScores]
    """Of "model" and of each baseline."""
    gain: Gain
    """Of the model over the best baseline, on the same cells."""
    losses: list[float]
    """Training loss after each epoch."""
    validation_losses: list[float]
    best_epoch: int
    notes: tuple[str, ...] = ()
    """Types left out or absent from training, cells the model cannot see: a sentence each."""
    held_out_groups: tuple[str, ...] = ()
