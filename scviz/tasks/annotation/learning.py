"""Ways to learn cell types: a head on the frozen model, adapters and a head, all of it, or what its authors train."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from scviz.foundation.batching import Walk
from scviz.foundation.classifier import CellTypeClassifier
from scviz.foundation.lora import add_adapters, merge_adapters
from scviz.foundation.tokens import Tokens
from scviz.memory import GIGABYTE
from scviz.progress import Report, silent
from scviz.tasks.annotation import Request
from scviz.tasks.annotation.inputs import Inputs
from scviz.tasks.context import Context
from scviz.training import History, TrainingSettings, fit

HEAD_FIRST = ("lora", "full")
"""Ways that begin with a trained head; what the authors train begins as theirs does."""
MOST_KEPT = GIGABYTE
"""Bytes of what a head reads that are kept between passes; more is read anew in each pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a head reads of all cells that the model sees."""

    values: NDArray[np.float32]
    """(n, ...) of each of them."""
    rows: NDArray[np.int64]
    """(n,) their rows."""
    place: NDArray[np.int64]
    """(N,) place of each cell among them; -1 for cells in which the model sees no gene."""

    def of(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Take what is read of these cells, (R, ...)."""
        return np.asarray(self.values[self.place[rows]])


def read_all(
    classifier: CellTypeClassifier, inputs: Inputs, *, report: Report, most: int = MOST_KEPT
) -> Kept | None:
    """Read every cell once for any number of heads; None where that takes more than `most` bytes."""
    rows = np.flatnonzero(inputs.n_tokens > 0)
    if not _fit_in(classifier, inputs, rows, most=most):
        return None
    place = np.full(inputs.adata.n_obs, -1)
    place[rows] = np.arange(len(rows))
    return Kept(values=read_cells(classifier, inputs, rows, report=report), rows=rows, place=place)


def learn(
    classifier: CellTypeClassifier,
    inputs: Inputs,
    *,
    request: Request,
    context: Context,
    kept: Kept | None = None,
) -> History:
    """Train the classifier in place, in the way that is asked for; it ends as an ordinary one.

    Parameters
    ----------
    kept
        What a head reads of the cells, if it has been read before.
    """
    if request.mode == "head":
        return train_head(classifier, inputs, request=request, context=context, read=kept)
    if request.mode in HEAD_FIRST:
        _begin_with_head(classifier, inputs, request=request, context=context)
    choose_trained(classifier, inputs, request)
    history = _train_all(classifier, inputs, request=request, context=context)
    if request.mode == "lora":
        merge_adapters(classifier)
    return history


def _begin_with_head(
    classifier: CellTypeClassifier, inputs: Inputs, *, request: Request, context: Context
) -> None:
    """Train the head on the frozen model first: gradients of a random one would bend what the model knows.

    References
    ----------
    Kumar et al. (2022), arXiv:2202.10054.
    """
    alone = replace(request, mode="head", epochs=0, learning_rate=0.0)
    own = replace(context, folder=context.state / "head first")
    train_head(classifier, inputs, request=alone, context=own)


def choose_trained(classifier: CellTypeClassifier, inputs: Inputs, request: Request) -> None:
    """Leave trainable, or add, what the request asks to train of the encoder, besides the head."""
    if request.mode == "lora":
        add_adapters(classifier, _some_cells(classifier, inputs))
    if request.mode == "published":
        classifier.encoder.freeze_as_published()


def training_settings(request: Request, classifier: CellTypeClassifier) -> TrainingSettings:
    """Choose what the request leaves open."""
    width = classifier.encoder.gene_embeddings().shape[1]
    small = 8 if width < 256 else 1  # small models are trained with larger steps
    epochs = {"head": 100, "lora": 30, "full": 10, "published": 20}
    patience = {"head": 15, "lora": 8, "full": 3, "published": 5}  # what has few weights needs more passes
    # the authors of scBERT and scGPT take 1e-4
    rates = {"head": 5e-3, "lora": 5e-4 * small, "full": 5e-5 * small, "published": 1e-4 * small}
    return TrainingSettings(
        epochs=request.epochs or epochs[request.mode],
        batch_size=request.batch_size,
        learning_rate=request.learning_rate or rates[request.mode],
        patience=patience[request.mode],
        seed=request.seed,
    )


def balanced_weights(types: NDArray[np.int64], n_types: int) -> NDArray[np.float32]:
    """Weigh each type in the loss so that every type counts the same: n / (K n_k) for n_k of n cells.

    Parameters
    ----------
    types
        (n,) type of each training cell.

    Returns
    -------
    (n_types,) weights, whose mean over the cells is 1; K counts the types that occur, and the others get 1.

    Examples
    --------
    >>> balanced_weights(np.array([0, 0, 0, 1]), 3).round(2)
    array([0.67, 2.  , 1.  ], dtype=float32)
    """
    counts = np.bincount(types, minlength=n_types)
    present = counts > 0
    weights = np.ones(n_types)
    np.divide(len(types), present.sum() * counts, out=weights, where=present)
    return weights.astype(np.float32)


def cross_entropy(
    scores: Tensor, types: NDArray[np.int64], weights: NDArray[np.float32] | None = None
) -> Tensor:
    """Average over cells how unlikely their types are to the model, a scalar.

    Parameters
    ----------
    scores
        (B, K) of each type.
    types
        (B,) the true ones.
    weights
        (K,) how much a cell of each type counts; None = 1.
    """
    targets = torch.as_tensor(types, device=scores.device)
    losses: Tensor = nn.functional.cross_entropy(scores.float(), targets, reduction="none")
    if weights is not None:
        losses = losses * torch.as_tensor(weights, device=scores.device)[targets]
    return losses.mean()


def _some_cells(classifier: CellTypeClassifier, inputs: Inputs) -> Tokens:
    """Tokenize the first two training cells."""
    return classifier.encoder.tokenize(inputs.adata[inputs.split.train[:2]])


def fits_in_memory(classifier: CellTypeClassifier, inputs: Inputs, most: int = MOST_KEPT) -> bool:
    """Tell whether what a head reads of all training and validation cells takes no more than `most` bytes."""
    rows = np.concatenate([inputs.split.train, inputs.split.validation])
    return _fit_in(classifier, inputs, rows, most=most)


def _fit_in(classifier: CellTypeClassifier, inputs: Inputs, rows: NDArray[np.int64], *, most: int) -> bool:
    """Read the longest of these cells, (R,), and tell whether all take no more than `most` bytes."""
    longest = rows[[inputs.n_tokens[rows].argmax()]]
    return read_cells(classifier, inputs, longest, report=silent).nbytes * len(rows) <= most


def read_cells(
    classifier: CellTypeClassifier, inputs: Inputs, rows: NDArray[np.int64], *, report: Report
) -> NDArray[np.float32]:
    """Give what the head reads of these cells, (R, ...), without gradients.

    Parameters
    ----------
    rows
        (R,) rows of the cells.

    Raises
    ------
    ValueError
        If none of them has a token.
    """
    selected: NDArray[np.float32] | None = None
    for at, read in Walk(classifier.encoder, inputs.adata[rows], report=report).each(classifier.select):
        if selected is None:
            selected = np.zeros((len(rows), *read.shape[1:]), dtype=np.float32)
        selected[at] = read
    if selected is None:
        raise ValueError(f"None of the {len(rows)} cells has a token.")
    return selected


def _train_all(
    classifier: CellTypeClassifier, inputs: Inputs, *, request: Request, context: Context
) -> History:
    """Train what needs gradients of encoder and head together; cells become tokens batch by batch."""
    weights = _weights(inputs, request)

    def loss(rows: NDArray[np.int64]) -> Tensor:
        tokens = classifier.encoder.tokenize(inputs.adata[rows])
        return cross_entropy(classifier(tokens), inputs.codes[rows], weights)

    classifier.train()  # weights come from a file ready for use, that is without dropout
    return _fit(classifier, loss, inputs, settings=training_settings(request, classifier), context=context)


def train_head(
    classifier: CellTypeClassifier,
    inputs: Inputs,
    *,
    request: Request,
    context: Context,
    most: int = MOST_KEPT,
    read: Kept | None = None,
) -> History:
    """Train the head alone on what it reads of the cells.

    Parameters
    ----------
    most
        Bytes up to which that is kept after one reading; where it is more, each pass reads the cells anew.
    read
        What was read of all cells before.
    """
    weights = _weights(inputs, request)
    head: nn.Module = classifier.head
    kept = read or _read_some(classifier, inputs, report=context.report, most=most)

    def loss(rows: NDArray[np.int64]) -> Tensor:
        own = read_cells(classifier, inputs, rows, report=silent) if kept is None else kept.of(rows)
        features = torch.as_tensor(own, device=next(head.parameters()).device)
        return cross_entropy(head(features), inputs.codes[rows], weights)

    return _fit(head, loss, inputs, settings=training_settings(request, classifier), context=context)


def _read_some(classifier: CellTypeClassifier, inputs: Inputs, *, report: Report, most: int) -> Kept | None:
    """Read the cells that are learned from, if what is read of them fits in memory."""
    if not fits_in_memory(classifier, inputs, most):
        return None
    rows = np.concatenate([inputs.split.train, inputs.split.validation])
    place = np.full(inputs.adata.n_obs, -1)
    place[rows] = np.arange(len(rows))
    return Kept(values=read_cells(classifier, inputs, rows, report=report), rows=rows, place=place)


def _weights(inputs: Inputs, request: Request) -> NDArray[np.float32] | None:
    return balanced_weights(inputs.codes[inputs.split.train], len(inputs.types)) if request.balanced else None


def _fit(
    network: nn.Module,
    loss: Callable[[NDArray[np.int64]], Tensor],
    inputs: Inputs,
    *,
    settings: TrainingSettings,
    context: Context,
) -> History:
    return fit(network, loss, inputs.cells, settings=settings, report=context.report, state=context.state)
