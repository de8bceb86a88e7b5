"""Train a model on the cells of a dataset with its own objective, without labels: a new one, or from weights."""

from __future__ import annotations

from dataclasses import dataclass

from scviz.errors import RequestError

TITLE = "Pre-training"
HEAVY = True


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
    epochs: int = 30
    batch_size: int = 16
    learning_rate: float = 1e-3
    validation_fraction: float = 0.1
    seed: int = 0
    demo: bool = False
    """True for the checkpoints that come with the project."""

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise RequestError("The new model needs a name.", hint="Type one, such as the dataset's.")
        if self.epochs < 1:
            raise RequestError("A model must see the cells at least once.", hint="Choose one pass or more.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Where the new weights are, and how training went."""

    checkpoint: str
    losses: list[float]
    """Loss of the training cells after each pass."""
    validation_losses: list[float]
    best_epoch: int
    baseline_loss: float
    """Loss on the validation cells of a guess that reads no cell: by how common each answer is elsewhere."""
    n_train: int
    n_validation: int
    first_loss: float | None = None
    """Loss on the validation cells of the weights that training went on from, before it; None for a new model."""
