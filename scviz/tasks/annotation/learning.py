"""Ways to learn cell types: a head on the frozen model, adapters and a head, all of it, or what its authors train."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from scviz.foundation.batching import in_chunks
from scviz.foundation.classifier import CellTypeClassifier
from scviz.foundation.lora import add_adapters, merge_adapters
from scviz.foundation.tokens import Tokens
from scviz.memory import GIGABYTE
from scviz.progress import Report, silent
from scviz.tasks.annotation import Request
from scviz.tasks.annotation.cells import Task
from scviz.tasks.context import Context
from scviz.training import History, TrainingSettings, fit

MOST_KEPT = GIGABYTE
"""Bytes of what a head reads that are kept between passes; more is read anew in each pass."""


def learn(classifier: CellTypeClassifier, task: Task, request: Request, context: Context) -> History:
    """Train the classifier in place, in the way that is asked for; it ends as an ordinary one."""
    if request.mode == "head":
        return train_head(classifier, task, request, context)
    choose_trained(classifier, task, request)
    history = _train_all(classifier, task, request, context)
    if request.mode == "lora":
        merge_adapters(classifier)
    return history


def choose_trained(classifier: CellTypeClassifier, task: Task, request: Request) -> None:
    """Leave trainable, or add, what the request asks to train of the encoder, besides the head."""
    if request.mode == "lora":
        add_adapters(classifier, _some_cells(classifier, task))
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


def _some_cells(classifier: CellTypeClassifier, task: Task) -> Tokens:
    """Tokenize the first two training cells."""
    return classifier.encoder.tokenize(task.adata[task.split.train[:2]])


def fits_in_memory(classifier: CellTypeClassifier, task: Task, most: int = MOST_KEPT) -> bool:
    """Tell whether what a head reads of all training and validation cells takes no more than `most` bytes."""
    rows = np.concatenate([task.split.train, task.split.validation])
    longest = rows[[task.n_tokens[rows].argmax()]]
    return read_cells(classifier, task, longest, report=silent).nbytes * len(rows) <= most


def read_cells(
    classifier: CellTypeClassifier, task: Task, rows: NDArray[np.int64], *, report: Report
) -> NDArray[np.float32]:
    """Give what the head reads of these cells, (len(rows), ...), without gradients."""
    selected: NDArray[np.float32] | None = None
    for _, at, read in in_chunks(classifier.encoder, task.adata[rows], classifier.select, report=report):
        if selected is None:
            selected = np.zeros((len(rows), *read.shape[1:]), dtype=np.float32)
        selected[at] = read
    if selected is None:
        raise ValueError(f"None of the {len(rows)} cells has a token.")
    return selected


def _train_all(classifier: CellTypeClassifier, task: Task, request: Request, context: Context) -> History:
    """Train what needs gradients of encoder and head together; cells become tokens batch by batch."""
    weights = _weights(task, request)

    def loss(rows: NDArray[np.int64]) -> Tensor:
        tokens = classifier.encoder.tokenize(task.adata[rows])
        return cross_entropy(classifier(tokens), task.codes[rows], weights)

    classifier.train()  # weights come from a file ready for use, that is without dropout
    return _fit(classifier, loss, task, request, classifier, context)


def train_head(
    classifier: CellTypeClassifier, task: Task, request: Request, context: Context, *, most: int = MOST_KEPT
) -> History:
    """Train the head alone on what it reads of the cells.

    Parameters
    ----------
    most
        Bytes up to which that is kept after one reading; where it is more, each pass reads the cells anew.
    """
    weights = _weights(task, request)
    head: nn.Module = classifier.head
    needed = np.concatenate([task.split.train, task.split.validation])
    kept = None
    if fits_in_memory(classifier, task, most):
        kept = read_cells(classifier, task, needed, report=context.report)
    place = np.full(task.adata.n_obs, -1)
    place[needed] = np.arange(len(needed))

    def loss(rows: NDArray[np.int64]) -> Tensor:
        read = read_cells(classifier, task, rows, report=silent) if kept is None else kept[place[rows]]
        features = torch.as_tensor(read, device=next(head.parameters()).device)
        return cross_entropy(head(features), task.codes[rows], weights)

    return _fit(head, loss, task, request, classifier, context)


def _weights(task: Task, request: Request) -> NDArray[np.float32] | None:
    return balanced_weights(task.codes[task.split.train], len(task.types)) if request.balanced else None


def _fit(
    network: nn.Module,
    loss: Callable[[NDArray[np.int64]], Tensor],
    task: Task,
    request: Request,
    classifier: CellTypeClassifier,
    context: Context,
) -> History:
    return fit(
        network,
        loss,
        task.cells,
        settings=training_settings(request, classifier),
        report=context.report,
        state=context.state,
    )
