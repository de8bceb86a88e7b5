"""Name cell types: learned from labeled cells and judged on others, or by weights that know types already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from scviz.errors import RequestError
from scviz.metrics.evidence import Gain
from scviz.metrics.rejection import UNASSIGNED_BELOW, unassigned
from scviz.metrics.scores import ClassificationScores
from scviz.tasks.fields import (
    FEW_GENES,
    SEED,
    TYPE_KINDS,
    Choice,
    Column,
    Needs,
    Number,
    Switch,
    check_fields,
)

TITLE = "Cell types"
HEAVY = True

MODEL = "model"
"""Key of the model's own scores."""
NOT_SEEN, UNASSIGNED = "not seen", "unassigned"
"""Names of cells in which the model sees no gene, and of those that resemble no type well enough."""
CLASSIFIER = "classifier"
"""Folder of the trained classifier in the result of a run, ready to be imported as a checkpoint."""


Mode = Literal["head", "lora", "full", "published", "predict"]
MODES: dict[Mode, str] = {
    "head": "Frozen model + classifier",
    "lora": "LoRA + classifier",
    "full": "Full fine-tuning",
    "published": "As published",
    "predict": "Predict with the types these weights know",
}
TRAINED: tuple[Mode, ...] = ("head", "lora", "full", "published")
"""Modes that learn from labels of the dataset; the other one takes weights as they are."""
Pooling = Literal["mean", "published"]
POOLING: dict[Pooling, str] = {"mean": "Mean over genes", "published": "As published"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which cells, which labels, and how to learn them, or that the weights know types already."""

    dataset: str
    checkpoint: str
    label_key: Annotated[
        str,
        Column(
            "Column with known cell types",
            help="Cells without a label are named, but neither trained nor tested on. Prediction needs no labels: "
            "where there are some, the names are compared with them.",
            kinds=TYPE_KINDS,
        ),
    ] = ""
    mode: Annotated[
        Mode,
        Choice(
            "Mode",
            MODES,
            help="A classifier on the frozen model takes a minute. LoRA adds a little to each layer and leaves the "
            "model's own weights alone; full fine-tuning takes longest. Some authors train a few layers only. "
            "A checkpoint that was fine-tuned on cell types names them without training.",
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
    split_column: Annotated[
        str | None,
        Column(
            "Own split",
            help="Column that says train, validation or test of each cell; cells without a part are left out.",
            advanced=True,
        ),
    ] = None
    split_file: str = ""
    """Own split of a file, by the name under which `keep_split` kept it with the dataset."""
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
    unassigned_below: Annotated[
        float,
        Number(
            "Unassigned below",
            0,
            1,
            step=0.05,
            help="Prediction only: cells whose best type is less probable than this are called unassigned, since they "
            "may be of a type that the weights do not know. The authors of scBERT take 0.5.",
        ),
    ] = UNASSIGNED_BELOW
    seed: Annotated[int, SEED] = 0
    few_genes: Annotated[bool, FEW_GENES] = False

    def __post_init__(self) -> None:
        check_fields(self)
        if self.mode in TRAINED and not self.label_key:
            raise RequestError(
                "No column with known cell types was chosen.",
                hint="Choose one, or predict with a checkpoint that was fine-tuned on cell types.",
            )
        ways = [way for way in (self.group_key, self.split_column, self.split_file) if way]
        if len(ways) > 1:
            raise RequestError(
                "Cells can be held out in one way at a time.",
                hint="Choose whole groups, a column with your own split, or a file with it.",
            )
        if self.label_key and self.label_key in ways:
            raise RequestError(
                "Cell types cannot be held out by the column they are read from.",
                hint="Choose a column of donors, samples or batches.",
            )

    @property
    def needs(self) -> Needs:
        """What it cannot do without: two types of five cells to learn from, or any cell to name."""
        return Needs(cells=10 if self.mode in TRAINED else 1, genes=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Names of the cells that judge, by the model and by each baseline; and of all cells, by the model."""

    types: tuple[str, ...]
    """The K cell types, in the order of the model's scores."""
    test_rows: NDArray[np.int64]
    """(M,) rows of the cells that judge: held out, or in prediction those with a label that the weights know."""
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
    all_certainty: NDArray[np.float32]
    """(N,) how far the probabilities of all types are from even; see `rejection.certainty`."""
    scores: dict[str, ClassificationScores]
    """Of "model" and of each baseline; empty where no cell can judge."""
    gain: Gain | None
    """Of the model over the best baseline, on the same cells; None where no cell can judge."""
    n_train: int = 0
    n_validation: int = 0
    losses: tuple[float, ...] = ()
    """Training loss after each epoch; empty in prediction."""
    validation_losses: tuple[float, ...] = ()
    best_epoch: int = 0
    unassigned_below: float = 0.0
    """Cells whose best type is less probable are called unassigned; 0 names all."""
    notes: tuple[str, ...] = ()
    """Types left out or absent from training, cells the model cannot see: a sentence each."""
    held_out_groups: tuple[str, ...] = ()

    @property
    def unassigned(self) -> NDArray[np.bool_]:
        """(N,) which cells resemble no type well enough."""
        return unassigned(self.all_confidence[:, None], self.unassigned_below)

    @property
    def names(self) -> NDArray[np.str_]:
        """(N,) the name of every cell."""
        names = np.array([*self.types, NOT_SEEN], dtype=object)[self.all_predicted]
        return np.where(self.unassigned, UNASSIGNED, names).astype(str)
