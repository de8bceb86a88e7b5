"""The heavy part of GEARS: two normalized layers over every gene of every perturbation, one perturbation at a time.

What all genes of all perturbations give is far larger than a processor's cache, so a layer at a time mostly waits for
memory. Here one perturbation passes all that can be done before the next mean over the batch is needed, and gradients
are written out for the same order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn

from scviz.predictors.gears.normalization import remember

threshold_backward: Callable[..., Tensor] = torch.ops.aten.threshold_backward


def recover(
    layers: nn.Sequential, gene: Tensor, cell: Tensor, *, base: Tensor, copies: Tensor, readout: Tensor
) -> Tensor:
    """Give a number for each gene of each row, (R, G): two layers of ReLU(gene + cell), then a product.

    Parameters
    ----------
    layers
        Linear, BatchNorm1d, ReLU, Linear, BatchNorm1d.
    gene
        (C, G, D) vectors of genes.
    cell
        (R, D) what is added to all genes of a row.
    base
        (R,) which of the C each row has.
    copies
        (R,) cells that each row stands for.
    readout
        (G, D) what the result of each gene is multiplied with.
    """
    first, norm1, _, second, norm2 = cast(Any, layers)
    if not norm1.training:
        return _with_known_means(layers, gene, cell, base=base, readout=readout)
    weights = (first.weight, norm1.weight, norm1.bias, second.weight, norm2.weight, norm2.bias)
    share = copies / copies.sum()
    inputs = (gene, cell, *weights, readout, base, share, (norm1.eps, norm2.eps))
    w, mean1, variance1, mean2, variance2 = _Recover.apply(*inputs)  # type: ignore[no-untyped-call]
    n_rows = float(copies.sum()) * gene.shape[1]
    remember(norm1, mean=mean1 + first.bias, variance=variance1, n_cells=n_rows)
    remember(norm2, mean=mean2 + second.bias, variance=variance2, n_cells=n_rows)
    return w  # type: ignore[no-any-return]


def _with_known_means(
    layers: nn.Sequential, gene: Tensor, cell: Tensor, *, base: Tensor, readout: Tensor
) -> Tensor:
    """Do the same with means and variances that are known, so that the second layer joins the product."""
    first, norm1, _, second, norm2 = cast(Any, layers)
    scale1 = norm1.weight * (norm1.running_var + norm1.eps).rsqrt()
    scale2 = norm2.weight * (norm2.running_var + norm2.eps).rsqrt()
    weight = first.weight * scale1[:, None]
    bias = (first.bias - norm1.running_mean) * scale1 + norm1.bias
    product = (readout * scale2) @ second.weight  # (G, F)
    rest = readout @ ((second.bias - norm2.running_mean) * scale2 + norm2.bias)  # (G,)
    found = []
    for row, which in enumerate(base.tolist()):
        inner = torch.addmm(bias, (gene[which] + cell[row]).relu(), weight.T).relu()  # (G, F)
        found.append((inner * product).sum(dim=1) + rest)
    return torch.stack(found)


class _Moments:
    """Mean and variance of rows that come in pieces of equal length, each with its share.

    Values come with the mean of the first piece taken off, which keeps their squares small.
    """

    def __init__(self, width: int, like: Tensor) -> None:
        self.sum = torch.zeros(width, dtype=torch.float64, device=like.device)
        self.squares = torch.zeros_like(self.sum)

    def add(self, values: Tensor, share: float) -> None:
        self.sum += values.mean(dim=0).double() * share
        self.squares += values.square().mean(dim=0).double() * share

    def known(self) -> tuple[Tensor, Tensor]:
        """Give mean and variance."""
        return self.sum.float(), (self.squares - self.sum.square()).clamp(min=0).float()


class _Recover(torch.autograd.Function):
    """Both layers with means over the batch. Linear biases have no part in it: the means take them off."""

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> tuple[Tensor, ...]:
        gene, cell, weight1, gain1, bias1, weight2, gain2, bias2, readout, base, share, eps = inputs
        n_rows, n_genes = len(cell), gene.shape[1]
        kinds, shares = base.tolist(), share.tolist()
        z = gene.new_empty(n_rows, n_genes, len(weight1))
        y = gene.new_empty(n_rows, n_genes, len(weight2))
        w = gene.new_empty(n_rows, n_genes)

        moments = _Moments(len(weight1), gene)
        offset1 = ((gene[kinds[0]] + cell[0]).relu() @ weight1.T).mean(dim=0)
        for row, kind in enumerate(kinds):
            inner = (gene[kind] + cell[row]).relu_()
            torch.addmm(-offset1, inner, weight1.T, out=z[row])
            moments.add(z[row], shares[row])
        mean1, variance1 = moments.known()
        root1 = (variance1 + eps[0]).rsqrt()

        moments = _Moments(len(weight2), gene)
        scale1 = gain1 * root1
        shift1 = bias1 - mean1 * scale1
        offset2 = (torch.addcmul(shift1, z[0], scale1).relu_() @ weight2.T).mean(dim=0)
        for row in range(n_rows):
            inner = torch.addcmul(shift1, z[row], scale1).relu_()
            torch.addmm(-offset2, inner, weight2.T, out=y[row])
            moments.add(y[row], shares[row])
        mean2, variance2 = moments.known()
        root2 = (variance2 + eps[1]).rsqrt()

        scale2 = gain2 * root2
        rest = readout @ (bias2 - mean2 * scale2)
        product = readout * scale2
        for row in range(n_rows):
            torch.sum(y[row] * product, dim=1, out=w[row])
        w += rest
        ctx.save_for_backward(
            gene, cell, weight1, gain1, bias1, weight2, gain2, bias2, readout,
            share, z, y, mean1, root1, mean2, root2,
        )  # fmt: skip
        ctx.kinds = kinds
        stats = (mean1 + offset1, variance1, mean2 + offset2, variance2)
        ctx.mark_non_differentiable(*stats)
        return (w, *stats)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (
            gene, cell, weight1, gain1, bias1, weight2, gain2, bias2, readout,
            share, z, y, mean1, root1, mean2, root2,
        ) = ctx.saved_tensors  # fmt: skip
        grad = gradients[0].contiguous()  # (R, G)
        n_rows, n_genes = grad.shape
        per_row = share / n_genes

        mixed = torch.zeros_like(readout)
        for row in range(n_rows):
            mixed.addcmul_(y[row], grad[row][:, None])
        summed = grad.sum(dim=0)[:, None]  # (G, 1)
        mixed = (mixed - mean2 * summed) * root2
        grad_readout = gain2 * mixed + bias2 * summed
        grad_gain2, grad_bias2 = (readout * mixed).sum(dim=0), (readout * summed).sum(dim=0)

        scale1, scale2 = gain1 * root1, gain2 * root2
        shift1, product = bias1 - mean1 * scale1, readout * scale2
        slope2 = -scale2 * root2 * grad_gain2
        level2 = -scale2 * grad_bias2 - slope2 * mean2
        grad_weight2 = torch.zeros_like(weight2)
        grad_bias1, along1 = torch.zeros_like(bias1), torch.zeros_like(bias1)
        inner_grads = torch.empty_like(z)
        for row in range(n_rows):
            outer = torch.addcmul(level2 * per_row[row], y[row], slope2 * per_row[row])
            outer.addcmul_(grad[row][:, None], product)
            inner = torch.addcmul(shift1, z[row], scale1).relu_()
            grad_weight2.addmm_(outer.T, inner)
            found = threshold_backward(outer @ weight2, inner, 0)
            inner_grads[row] = found
            grad_bias1 += found.sum(dim=0)
            along1 += found.mul_(z[row]).sum(dim=0)
        grad_gain1 = (along1 - mean1 * grad_bias1) * root1

        slope1 = -scale1 * root1 * grad_gain1
        level1 = -scale1 * grad_bias1 - slope1 * mean1
        grad_weight1 = torch.zeros_like(weight1)
        grad_gene, grad_cell = torch.zeros_like(gene), torch.empty_like(cell)
        for row, kind in enumerate(ctx.kinds):
            outer = torch.addcmul(level1 * per_row[row], z[row], slope1 * per_row[row])
            outer.addcmul_(inner_grads[row], scale1)
            inner = (gene[kind] + cell[row]).relu_()
            grad_weight1.addmm_(outer.T, inner)
            found = threshold_backward(outer @ weight1, inner, 0)
            grad_gene[kind] += found
            grad_cell[row] = found.sum(dim=0)
        return (
            grad_gene, grad_cell, grad_weight1, grad_gain1, grad_bias1, grad_weight2, grad_gain2, grad_bias2,
            grad_readout, None, None, None,
        )  # fmt: skip
