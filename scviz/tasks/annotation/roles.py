"""What each cell was used for, and which label it came with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.labels import Labels

if TYPE_CHECKING:
    from scviz.tasks.annotation.inputs import Inputs

TRAIN, VALIDATION, CALIBRATION, HELD_OUT = "train", "validation", "calibration", "held out"
"""Learned from; chose the best epoch and the temperature; set aside to draw sets; judges."""
COMPARED, LEFT_OUT, UNLABELED = "compared", "left out", "unlabeled"
"""Judges in prediction; has a label, but took no part: of a rare type, unseen, without a group; has no label."""
ROLES = (TRAIN, VALIDATION, CALIBRATION, HELD_OUT, COMPARED, LEFT_OUT, UNLABELED)

Roles = NDArray[np.int8]


def roles_in_training(inputs: Inputs, held_out: NDArray[np.int64]) -> Roles:
    """Say it of cells that a model learned from, (N,) positions in `ROLES`; with folds each cell is held out once.

    Parameters
    ----------
    held_out
        (M,) rows of the cells that judge, of all folds.
    """
    split = inputs.split
    parts = {TRAIN: split.train, VALIDATION: split.validation, CALIBRATION: inputs.calibration}
    return _roles(inputs.labels, parts | {HELD_OUT: held_out})


def roles_in_prediction(labels: Labels, compared: NDArray[np.int64]) -> Roles:
    """Say it of cells that weights name which know types already, (N,).

    Parameters
    ----------
    compared
        (M,) rows of the cells whose label is a type of the weights.
    """
    return _roles(labels, {COMPARED: compared})


def _roles(labels: Labels, parts: dict[str, NDArray[np.int64]]) -> Roles:
    found = np.where(labels.codes < 0, ROLES.index(UNLABELED), ROLES.index(LEFT_OUT)).astype(np.int8)
    for role, rows in parts.items():
        found[rows] = ROLES.index(role)
    return found
