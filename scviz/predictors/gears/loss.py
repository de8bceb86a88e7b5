r"""The loss of GEARS.

For each perturbation of a batch, over its n cells and the m genes that are expressed in it at all,

.. math:: L_p = \frac{1}{nm} \sum (\hat{x} - x)^4 + \lambda (sign(x - c) - sign(\hat{x} - c))^2

where c is the mean of control cells; the loss is the mean over perturbations. The sign has no slope, so the second
part shows whether directions are right and teaches nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor

EXPONENT = 4
"""Large errors count more than in a squared error; the paper's "autofocus"."""


def gears_loss(
    predicted: Tensor,
    observed: Tensor,
    control: Tensor,
    *,
    kinds: Tensor,
    expressed: Tensor,
    direction: float = 0.1,
    log_variance: Tensor | None = None,
    regularization: float = 1.0,
) -> Tensor:
    r"""Give the loss of a batch, a scalar.

    Parameters
    ----------
    predicted, observed
        (B, G) log1p expression.
    control
        (G,) mean of control cells.
    kinds
        (B,) number of the perturbation of each cell.
    expressed
        (B, G) True = the gene is expressed in some cell of this perturbation, so that its error counts.
    direction
        Weight of the part that compares signs.
    log_variance
        (B, G) adds :math:`e^{-v} (\hat{x} - x)^4` times `regularization`; None adds nothing.
    """
    _, place, n_cells = torch.unique(kinds, return_inverse=True, return_counts=True)
    share = expressed / (n_cells[place] * expressed.sum(dim=1)).clamp(min=1)[:, None]  # (B, G)
    error = (predicted - observed) ** EXPONENT
    if log_variance is not None:
        error = error + regularization * (-log_variance).exp() * error
    with torch.no_grad():
        wrong = ((observed - control).sign() - (predicted - control).sign()) ** 2
    total: Tensor = (share * (error + direction * wrong)).sum()
    return total / len(n_cells)
