"""The contract of a method that predicts expression after a perturbation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.screen import Perturbation, Screen
from scviz.progress import Report, silent

if TYPE_CHECKING:  # lightning takes seconds to import, and every model comes by here
    from scviz.training import History


class TrainedAs(Protocol):
    """What the settings of every network say."""

    @property
    def epochs(self) -> int:
        """Passes over the training cells, at most."""

    @property
    def batch_size(self) -> int:
        """Cells of an update."""


class PerturbationPredictor(ABC):
    """Learns from the perturbations of a screen and predicts the mean expression after others."""

    settings: TrainedAs | None = None
    """Of a network; None for a method that trains none."""
    history: History | None = None
    """What training went through, after `fit`; None without a network."""
    notes: tuple[str, ...] = ()
    """Sentences about what was learned from, for people; after `fit`."""

    @abstractmethod
    def fit(
        self, train: Screen, validation: Screen | None, *, report: Report = silent, state: Path | None = None
    ) -> None:
        """Learn.

        Parameters
        ----------
        train
            Cells of the perturbations to learn from, and the control cells.
        validation
            Cells of other perturbations, without control cells, to stop by; None without them.
        report
            Called after each batch; raises JobCancelledError when the work must stop.
        state
            Folder in which to leave what a later try may go on from; what lies there when `fit` is called was
            left by an earlier try with the same cells. None keeps nothing.
        """

    @abstractmethod
    def reason_against(self, perturbation: Perturbation) -> str:
        """Say why this perturbation cannot be predicted, in a few words; empty when it can. Asked after `fit`.

        In the words of `lacking`, by which pages say the same before a run.
        """

    @abstractmethod
    def predict(self, perturbations: Sequence[Perturbation]) -> NDArray[np.float64]:
        """Predict the mean expression of cells after each perturbation, (P, G), log1p; NaN where none can be."""
