"""Links from what happens when a regulator is perturbed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from scviz.metrics.differential import moments, welch_t


def intervention_effects(
    expression: sp.csr_matrix,
    perturbed: Mapping[int, NDArray[np.int64]],
    control: NDArray[np.int64],
    *,
    regulators: Sequence[int],
    targets: Sequence[int],
) -> NDArray[np.float64]:
    """Compare each target between cells in which a regulator was perturbed and control cells.

    Parameters
    ----------
    expression
        (N, G) log1p expression.
    perturbed
        Cells in which one regulator alone was perturbed, by its column.
    control
        Cells in which nothing was perturbed.
    regulators, targets
        Columns of the R regulators and of the T targets.

    Returns
    -------
    (R, T) Welch's t without its sign; 0 for regulators that were not perturbed.
    """
    among = expression[:, list(targets)]
    without = moments(among[control])
    effects = np.zeros((len(regulators), len(targets)))
    for row, regulator in enumerate(regulators):
        cells = perturbed.get(regulator)
        if cells is not None and len(cells):
            effects[row] = np.abs(welch_t(moments(among[cells]), without))
    return np.nan_to_num(effects)
