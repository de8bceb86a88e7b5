r"""Which genes of a cell make a classifier say its type: integrated gradients, and gradient times input.

With :math:`h` what the first layer of an encoder reads of the genes of a cell, :math:`b` what it reads of a gene on
average, and :math:`s` the score of a type less the mean of all others, gene i gets

.. math:: \sum_d (h_{id} - b_d) \int_0^1 \frac{\partial s}{\partial h_{id}} (b + t (h - b)) \, dt,

with the integral by the midpoint rule. What the genes of a cell get adds up to :math:`s(h) - s(b)`. Gradient times
input takes the derivative at :math:`t = 1` alone.

References
----------
Sundararajan et al. (2017), arXiv:1703.01365.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from scviz.errors import UnsupportedTaskError
from scviz.foundation.classifier import CellTypeClassifier
from scviz.foundation.tokens import Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """What each token of B cells adds to the score of a type."""

    integrated: NDArray[np.float32]
    """(B, L) integrated gradients; 0 for tokens that are no genes."""
    gradient: NDArray[np.float32]
    """(B, L) gradient times input."""
    score: NDArray[np.float32]
    """(B,) of the cells as they are."""
    start: NDArray[np.float32]
    """(B,) with an average gene in the place of each."""


def average_gene(classifier: CellTypeClassifier, batches: Iterator[Tokens]) -> Tensor:
    """Average what the first layer reads of a gene, (D,), over all genes of these cells."""
    total, n = torch.zeros(1, device=classifier.encoder.device), 0
    for tokens in batches:
        read = _read(classifier, tokens)
        genes = _genes(classifier, tokens)
        total, n = total + read[genes].double().sum(dim=0), n + int(genes.sum())
    return (total / max(n, 1)).float()


def attribute(
    classifier: CellTypeClassifier,
    tokens: Tokens,
    types: NDArray[np.int64],
    *,
    average: Tensor,
    n_steps: int,
) -> Attribution:
    """Say which genes make the classifier say a type.

    Parameters
    ----------
    tokens
        Of B cells.
    types
        (B,) the type of each cell whose score is asked about.
    average
        (D,) what the first layer reads of an average gene.
    n_steps
        Points of the midpoint rule.
    """
    classifier.eval()
    whole, genes = _read(classifier, tokens), _genes(classifier, tokens)
    start = torch.where(genes[..., None], average.to(whole.dtype), whole)  # other tokens stay as they are
    asked = torch.as_tensor(types, device=whole.device)
    sums = torch.zeros_like(whole)
    for step in range(n_steps):
        at = start + (step + 0.5) / n_steps * (whole - start)
        sums += _gradient(classifier, tokens, at, types=asked)[0]
    last, score = _gradient(classifier, tokens, whole, types=asked)
    first = _gradient(classifier, tokens, start, types=asked)[1]
    found = [
        ((whole - start) * gradient).sum(dim=2).float().cpu().numpy() for gradient in (sums / n_steps, last)
    ]
    return Attribution(integrated=found[0], gradient=found[1], score=score, start=first)


def _gradient(
    classifier: CellTypeClassifier, tokens: Tokens, at: Tensor, *, types: Tensor
) -> tuple[Tensor, NDArray[np.float32]]:
    """Give the derivative of the score, (B, L, D), and the score, (B,), where the first layer reads `at`."""
    given = at.detach().requires_grad_(True)
    with torch.enable_grad(), _instead(_first_layer(classifier), given):
        scores = classifier(tokens).float()  # (B, K)
        own = own_score(scores, types)
        (gradient,) = torch.autograd.grad(own.sum(), given)
    return gradient, own.detach().cpu().numpy()


def own_score(scores: Tensor, types: Tensor) -> Tensor:
    """Give the score of one type of each cell less the mean of all others, (B, K) and (B,) to (B,)."""
    own = scores.gather(1, types[:, None])[:, 0]
    return own - (scores.sum(dim=1) - own) / max(1, scores.shape[1] - 1)


def _first_layer(classifier: CellTypeClassifier) -> nn.Module:
    """Return the part of the encoder whose first input is what layers read of the tokens, (B, L, D)."""
    layer = getattr(classifier.encoder, "first_layer", None)
    if not isinstance(layer, nn.Module):
        raise UnsupportedTaskError(
            f"{classifier.encoder.card.title} does not say what its layers read.",
            hint="Choose another model.",
        )
    return layer


def _read(classifier: CellTypeClassifier, tokens: Tokens) -> Tensor:
    """Give what the first layer reads of cells, (B, L, D)."""
    seen: list[Tensor] = []

    def keep(_: nn.Module, given: tuple[Any, ...]) -> None:
        seen.append(given[0].detach())

    handle = _first_layer(classifier).register_forward_pre_hook(keep)
    try:
        with torch.no_grad():
            classifier.eval()(tokens)
    finally:
        handle.remove()
    return seen[0]


@contextmanager
def _instead(layer: nn.Module, given: Tensor) -> Iterator[None]:
    """Let a layer read something else, (B, L, D)."""

    def replace(_: nn.Module, read: tuple[Any, ...]) -> tuple[Any, ...]:
        return (given, *read[1:])

    handle = layer.register_forward_pre_hook(replace)
    try:
        yield
    finally:
        handle.remove()


def _genes(classifier: CellTypeClassifier, tokens: Tokens) -> Tensor:
    """Tell the tokens that are genes, (B, L)."""
    known = tokens.mask & np.isin(tokens.gene_ids, classifier.encoder.vocab.ids)
    return torch.as_tensor(known, device=classifier.encoder.device)
