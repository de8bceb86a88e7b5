"""Train a model on the cells of a dataset with its own objective, without labels: a new one, or from weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from scviz.errors import RequestError
from scviz.metrics.evidence import Gain
from scviz.tasks.fields import FEW_GENES, SEED, Needs, Number, Switch, check_fields

TITLE = "Pre-training"
HEAVY = True
NEEDS = Needs(cells=20, genes=3)

MODEL, FREQUENCY, BEFORE = "model", "frequency baseline", "weights before"
"""Whose losses are written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which model, how large, on which cells."""

    dataset: str
    model: str = "geneformer"
    configuration: str = "demo"
    """A named configuration of the model."""
    checkpoint: str | None = None
    """Weights to start from, with their vocabulary; `model` and `configuration` are then those of the weights."""
    name: str = "my-model"
    epochs: Annotated[
        int,
        Number(
            "Maximum epochs",
            1,
            1000,
            help="Passes over the training cells; the checkpoint of the best is kept.",
        ),
    ] = 30
    batch_size: Annotated[int, Number("Batch size", 1, 512, unit="cells", advanced=True)] = 16
    learning_rate: Annotated[
        float,
        Number(
            "Learning rate",
            1e-9,
            0.1,
            format="%g",
            help="How far one update moves the weights. A checkpoint that has learned much wants small steps, such as "
            "0.0001.",
            advanced=True,
        ),
    ] = 1e-3
    validation_fraction: Annotated[
        float,
        Number(
            "Cells held out",
            0.05,
            0.5,
            unit="%",
            step=5,
            help="Half of them choose the best epoch, the other half judge the model.",
            advanced=True,
        ),
    ] = 0.1
    seed: Annotated[int, SEED] = 0
    few_genes: Annotated[bool, FEW_GENES] = False
    demo: Annotated[
        bool,
        Switch("Demo", help="Mark the checkpoint as one that only shows how things work.", advanced=True),
    ] = False

    def __post_init__(self) -> None:
        check_fields(self)
        if not self.name.strip():
            raise RequestError("The new model needs a name.", hint="Type one, such as the dataset's.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Where the new weights are, and how training went."""

    checkpoint: str
    losses: list[float]
    """Loss of the training cells after each epoch."""
    validation_losses: list[float]
    """Loss of the cells that choose the best epoch."""
    best_epoch: int
    baseline_loss: float
    """Loss of the frequency baseline on the cells that choose: by how common each answer is in those trained on."""
    n_train: int
    n_validation: int
    """Cells that chose the best epoch."""
    judged: NDArray[np.int64]
    """(M,) rows of the cells that neither trained nor chose."""
    cell_losses: dict[str, NDArray[np.float64]]
    """(M,) loss of each of them, by MODEL, FREQUENCY and, where training went on, BEFORE."""
    gain: Gain
    """Over the frequency baseline, on cells that neither trained nor chose."""
    further: Gain | None = None
    """Over the weights that training went on from, on the same cells; None for a new model."""
    first_loss: float | None = None
    """Loss on the cells that choose of the weights that training went on from; None for a new model."""
    notes: tuple[str, ...] = ()
