"""Normalization over a batch in which a row may stand for several cells."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional


def normalized(layer: nn.BatchNorm1d, rows: Tensor, copies: Tensor) -> Tensor:
    """Normalize over a batch in which each row stands for several cells, (R, M, F).

    Parameters
    ----------
    copies
        (R,) cells that each row stands for.
    """
    flat = rows.flatten(0, 1)
    if not layer.training:
        return functional.batch_norm(flat, *running(layer), layer.weight, layer.bias, eps=layer.eps).view_as(
            rows
        )
    n_cells = float(copies.sum()) * rows.shape[1]
    if len(flat) > 1 and bool((copies == copies[0]).all()):
        mean, variance = flat.new_zeros(flat.shape[1]), flat.new_zeros(flat.shape[1])
        scaled = functional.batch_norm(
            flat, mean, variance, layer.weight, layer.bias, training=True, momentum=1.0, eps=layer.eps
        )
        remember(layer, mean=mean, variance=variance * (1 - 1 / len(flat)), n_cells=n_cells)
        return scaled.view_as(rows)
    share = (copies / copies.sum())[:, None]
    mean = (share * rows.mean(dim=1)).sum(dim=0)
    variance = (share * (rows - mean).square().mean(dim=1)).sum(dim=0)
    remember(layer, mean=mean, variance=variance, n_cells=n_cells)
    return (rows - mean) * ((variance + layer.eps).rsqrt() * layer.weight) + layer.bias


@torch.no_grad()
def remember(layer: nn.BatchNorm1d, *, mean: Tensor, variance: Tensor, n_cells: float) -> None:
    """Let a layer learn mean and variance, (F,), of a batch for later use; the variance as of a sample of `n_cells`."""
    known_mean, known_variance = running(layer)
    rate = cast(float, layer.momentum)
    known_mean.lerp_(mean, rate)
    known_variance.lerp_(variance * (n_cells / max(n_cells - 1, 1)), rate)
    cast(Tensor, layer.num_batches_tracked).add_(1)


def running(layer: nn.BatchNorm1d) -> tuple[Tensor, Tensor]:
    """Return what a layer has learned of mean and variance, (F,) each."""
    return cast(Tensor, layer.running_mean), cast(Tensor, layer.running_var)
