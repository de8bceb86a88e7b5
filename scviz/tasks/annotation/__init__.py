"""Learn cell types from labelled cells and name those held out, beside plain baselines on the same cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scviz.errors import RequestError
from scviz.metrics.comparison import Comparison
from scviz.metrics.scores import ClassificationScores

TITLE = "Cell types"
HEAVY = True

MODEL = "model"
"""Key of the model's own scores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which cells, which labels, and how to learn them."""

    dataset: str
    checkpoint: str
    label_key: str
    """Column with known cell types; cells without a label are named, but neither trained nor tested on."""
    mode: Literal["head", "lora", "full", "published"] = "head"
    """Train a head on the frozen model, small additions to its layers and a head, all of it, or what its authors do."""
    pooling: Literal["mean", "published"] = "mean"
    """What the head reads: the mean over genes, or what the model's authors chose."""
    balanced: bool = False
    """Let every type count the same in training, however few its cells."""
    group_key: str | None = None
    """Hold whole groups out, such as donors, instead of cells."""
    test_fraction: float = 0.2
    epochs: int = 0
    """Most passes over the training cells; 0 takes 100 for a head, 30 for adapters, 10 for all, 20 as published."""
    batch_size: int = 32
    learning_rate: float = 0.0
    """0 takes one that suits the mode and the width of the model."""
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0.05 <= self.test_fraction <= 0.5:
            raise RequestError(
                f"{self.test_fraction:.0%} of the cells cannot be held out.",
                hint="Hold out between 5 % and 50 %.",
            )
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
    comparison: Comparison
    """The model against the best baseline, on the same cells."""
    losses: list[float]
    """Training loss after each epoch."""
    validation_losses: list[float]
    best_epoch: int
    notes: tuple[str, ...] = ()
    """Types left out or absent from training, cells the model cannot see: a sentence each."""
    held_out_groups: tuple[str, ...] = ()
