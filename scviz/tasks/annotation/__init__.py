"""Name cell types: learned from labeled cells and judged on others, or by weights that know types already."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from scviz.errors import RequestError
from scviz.metrics.calibration import Temperature
from scviz.metrics.conformal import set_names
from scviz.metrics.evidence import Gain, Interval
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
VERSION = 2
"""1: adapters and full fine-tuning began with a random head."""

MODEL = "model"
"""Key of the model's own scores."""
RANDOM_WEIGHTS = "the same network, random weights"
"""The model before any training, as a baseline."""
CLASSIFIER = "classifier"
"""Folder of the trained classifier in the result of a run, ready to be imported as a checkpoint."""


SetWay = Literal["lac", "aps", "class"]
SET_WAYS: dict[SetWay, str] = {"lac": "by probability", "aps": "by rank", "class": "for each type"}
"""How sets of types are drawn: LAC, APS, and LAC with a bar of its own for each type."""

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
    seeds: Annotated[
        int,
        Number(
            "Seeds",
            1,
            20,
            automatic="3 for a frozen model, 1 where the model itself is trained",
            help="All is done again with other cells held out and another start; the scores then have a spread. The "
            "first one names the cells.",
            advanced=True,
        ),
    ] = 0
    folds: Annotated[
        int,
        Number(
            "Folds",
            2,
            20,
            automatic="one part is held out",
            help="Every labeled cell is held out once and named by a model that never saw it; it takes as many "
            "trainings. With whole groups held out there are no more folds than groups.",
            advanced=True,
        ),
    ] = 0
    calibration_fraction: Annotated[
        float,
        Number(
            "Cells that set the doubt",
            0.05,
            0.5,
            unit="%",
            step=5,
            help="Share of the training cells that is set aside, and decides how odd a cell may be and still count as "
            "of a type. Where that would be too few cells, none are set aside.",
            advanced=True,
        ),
    ] = 0.1
    coverage: Annotated[
        float,
        Number(
            "Sets hold the true type in",
            0.5,
            0.99,
            unit="%",
            step=1,
            help="Instead of one name each cell gets a set of types, as many as this promise takes. It holds for cells "
            "like those that were set aside, not for other donors.",
            advanced=True,
        ),
    ] = 0.9
    sets: Annotated[
        SetWay,
        Choice(
            "Sets",
            SET_WAYS,
            help="By probability: the smallest sets, and none of the known types for odd cells. By rank: types in "
            "falling order, exact on average. For each type: the promise holds for every type by itself.",
            advanced=True,
        ),
    ] = "lac"
    novelty: Annotated[
        bool,
        Switch(
            "Test on new types",
            help="Leaves each type out in turn and asks how well its cells are then told from the known ones. Takes "
            "some seconds a type.",
            advanced=True,
        ),
    ] = False
    unassigned_below: Annotated[
        float,
        Number(
            "Unassigned below",
            0,
            1,
            step=0.05,
            help="Prediction only: cells whose best type is less probable than this get no name, since they "
            "may be of a type that the weights do not know. The authors of scBERT take 0.5.",
        ),
    ] = UNASSIGNED_BELOW
    random_weights: Annotated[
        bool,
        Switch(
            "Beside the same network with random weights",
            help="Frozen models only: a classifier is trained on the same network before any training, too, and named "
            "as a baseline. What it reaches is owed to the genes, not to what the model learned. Takes as long again.",
            advanced=True,
        ),
    ] = True
    seed: Annotated[int, SEED] = 0
    few_genes: Annotated[bool, FEW_GENES] = False

    def __post_init__(self) -> None:
        check_fields(self)
        if self.mode in TRAINED and not self.label_key:
            raise RequestError(
                "No column with known cell types was chosen.",
                hint="Choose one. Cells without labels are named by a reference (on the command line --reference "
                "blood), or by a checkpoint that was fine-tuned on cell types.",
            )
        self._check_split()

    def _check_split(self) -> None:
        if self.folds and (self.split_column or self.split_file):
            raise RequestError(
                "Your own split has no folds.", hint="Leave the folds out, or let scviz divide the cells."
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
    def n_seeds(self) -> int:
        """How often all is done."""
        return self.seeds or (3 if self.mode == "head" else 1)

    @property
    def needs(self) -> Needs:
        """What it cannot do without: two types of five cells to learn from, or any cell to name."""
        return Needs(cells=10 if self.mode in TRAINED else 1, genes=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """Scores of one seed, on the cells that it held out."""

    seed: int
    macro_f1: dict[str, float]
    """Of "model" and of each baseline."""
    accuracy: dict[str, float]
    n: int
    """Cells held out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewType:
    """How well the cells of one type are told from known ones by a score, when no model knew the type."""

    name: str
    n_new: int
    n_known: int
    vectors: str
    """What the score reads: "model", or "expression" for principal components."""
    score: str
    auroc: Interval
    """Chance that a cell of the new type scores higher than one of a known type; 0.5 is chance."""
    missed: float
    """Share of its cells that pass for known at the threshold that accepts 95 % of the known cells."""
    unassigned_new: float
    """Share of its cells that no known type has a probability of 0.5 for."""
    unassigned_known: float
    """The same of the known cells."""


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
    """Cells whose best type is less probable get no name; 0 names all."""
    given: NDArray[np.int32] | None = None
    """(N,) label that each cell came with, positions in `given_names`, -1 for none; None in older results."""
    given_names: tuple[str, ...] = ()
    roles: NDArray[np.int8] | None = None
    """(N,) what each cell was used for, positions in `roles.ROLES`; None in older results."""
    notes: tuple[str, ...] = ()
    """Types left out or absent from training, cells the model cannot see: a sentence each."""
    held_out_groups: tuple[str, ...] = ()
    raw_confidence: NDArray[np.float32] | None = None
    """(N,) probability of the type before temperature; None where there is none."""
    temperatures: tuple[Temperature | None, ...] = ()
    """Of each fold, as fitted on its validation cells; None where these are too few. Empty in prediction."""
    folds: NDArray[np.int64] | None = None
    """(M,) fold in which each of the cells that judge was held out; None without folds."""
    coverage: float = 0.0
    """What the sets promise."""
    sets_by: SetWay = "lac"
    """Which way the sets of all cells are drawn in."""
    all_sets: NDArray[np.bool_] | None = None
    """(N, K) set of types of each cell; None where too few cells could be set aside."""
    test_sets: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    """(M, K) sets of the cells that judge, by way."""
    all_typical: NDArray[np.float32] | None = None
    """(N,) share of the cells set aside, of the type that fits best, that are as odd or odder; low where none fits."""
    calibrating: tuple[int, ...] = ()
    """Cells of each type that were set aside, in the order of `types`; of the first fold."""
    test_groups: NDArray[np.str_] | None = None
    """(M,) group of each of the cells that judge; None where no whole groups are held out."""
    repeats: tuple[Repeat, ...] = ()
    """Scores of every seed; the first is that of the result."""
    novelty: tuple[NewType, ...] = ()
    """How well cells of a type left out were told from the others."""

    @property
    def unassigned(self) -> NDArray[np.bool_]:
        """(N,) which cells resemble no type well enough."""
        return unassigned(self.all_confidence[:, None], self.unassigned_below)

    @property
    def names(self) -> NDArray[np.str_]:
        """(N,) the name of every cell; '' for cells that the model does not see, or that resemble no type enough."""
        names = np.array([*self.types, ""], dtype=object)[self.all_predicted]
        return np.where(self.unassigned, "", names).astype(str)

    @property
    def set_names(self) -> NDArray[np.object_]:
        """(N,) the set of every cell in words; '' where there are none, and for cells that the model does not see."""
        if self.all_sets is None:
            return np.full(len(self.all_predicted), "", dtype=object)
        return np.where(self.all_predicted < 0, "", set_names(self.all_sets, self.types))
