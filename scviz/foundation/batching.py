"""Run a network over many cells, the longest first, in batches that fit into memory."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, Protocol

import numpy as np
import torch
from anndata import AnnData
from numpy.typing import NDArray
from torch import Tensor

from scviz.errors import OutOfMemoryError
from scviz.foundation.tokens import Tokens
from scviz.memory import is_out_of_memory
from scviz.progress import Progress, Report, silent

Precision = Literal["auto", "float32", "bfloat16"]
BatchSize = int | Literal["auto"]


class Reader(Protocol):
    """What reads cells batch by batch: a foundation model, as far as this file must know it."""

    @property
    def device(self) -> torch.device:
        """Where the weights are."""

    def eval(self) -> Any:
        """Switch dropout off."""

    def n_tokens(self, adata: AnnData) -> NDArray[np.int64]:
        """Count the tokens that each cell will have, (N,)."""

    def tokenize(self, adata: AnnData) -> Tokens:
        """Turn cells into tokens."""

    def encode_cells(self, tokens: Tokens) -> Tensor:
        """Give the cell vectors, (B, C)."""


CELLS_PER_CHUNK = 1024
"""Cells that are held as tokens at a time, and that a resumed run need not repeat."""

TOKENS_PER_BATCH = 16384
"""Tokens that one batch holds by default; more is no faster on a CPU and costs memory."""


def pick_device(device: str) -> torch.device:
    """Take the device that is named, or for "auto" a GPU when there is one."""
    if device != "auto":
        return torch.device(device)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    """Compute in bfloat16 where asked for, or by default on a GPU."""
    low = precision == "bfloat16" or (precision == "auto" and device.type == "cuda")
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=low)


def suitable_batch(length: int) -> int:
    """Take as many cells of this length as make a batch of about TOKENS_PER_BATCH tokens.

    Examples
    --------
    >>> suitable_batch(2048), suitable_batch(100_000)
    (8, 1)
    """
    return max(1, min(256, TOKENS_PER_BATCH // max(length, 1)))


def longest_first(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Order cells by falling length and leave out those without tokens.

    Examples
    --------
    >>> longest_first(np.array([2, 0, 5])).tolist()
    [2, 0]
    """
    return np.argsort(-lengths, kind="stable")[: int((lengths > 0).sum())]


def in_chunks(
    model: Reader,
    adata: AnnData,
    compute: Callable[[Tokens], Tensor],
    *,
    tokenize: Callable[[AnnData], Tokens] | None = None,
    batch_size: BatchSize = "auto",
    precision: Precision = "auto",
    report: Report = silent,
    stage: str = "Reading cells",
    numbers: Callable[[int], Iterable[int | None]] = range,
    finished: Callable[[int], NDArray[np.float32] | None] | None = None,
) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.float32]]]:
    """Compute something of every cell without gradients, chunk by chunk.

    Parameters
    ----------
    compute
        From a batch of tokens to one row per cell, (B, C).
    tokenize
        From some cells to what is read of them; by default as the model reads cells.
    batch_size
        Cells at a time; it is halved when memory runs out, and `report` gets a note.
    numbers
        From how many chunks there are to the numbers of those that are wanted, in the order in which they
        are; None among them means that there is none yet, and is only reported.
    finished
        From the number of a chunk to its answers, if they are there already; they are passed on as they are.

    Yields
    ------
    Number of the chunk, its rows of `adata`, longest cells first, and their answers, (n, C) float32.
    Cells without tokens never come.

    Raises
    ------
    OutOfMemoryError
        If one cell alone does not fit into memory.
    """
    model.eval()
    order = longest_first(model.n_tokens(adata))
    done = 0
    for number in numbers(math.ceil(len(order) / CELLS_PER_CHUNK)):
        if number is None:
            report(Progress(stage=stage, done=done, total=len(order)))
            continue
        rows = order[number * CELLS_PER_CHUNK :][:CELLS_PER_CHUNK]
        answers = finished(number) if finished else None
        if answers is None:
            parts = []
            tokens = (tokenize or model.tokenize)(adata[rows])
            for part, note in _batches(model, tokens, compute, batch_size, precision):
                if part is not None:
                    parts.append(part)
                    done += len(part)
                report(Progress(stage=stage, done=done, total=len(order), note=note))
            answers = np.concatenate(parts)
        else:
            done += len(rows)
            report(Progress(stage=stage, done=done, total=len(order)))
        yield number, rows, answers


def encode(
    model: Reader, tokens: Tokens, *, said: Callable[[str], None] | None = None
) -> NDArray[np.float32]:
    """Give the cell vectors of tokens, (N, C) in the order they came, exact enough to be compared with each other.

    NaN for cells without tokens.

    Parameters
    ----------
    said
        Called after each batch with what is to be told of it, often nothing; it raises when the work must stop.
    """
    model.eval()
    order = longest_first(tokens.lengths())
    vectors = np.full((len(tokens), 0), np.nan, dtype=np.float32)
    done = 0
    for part, note in _batches(model, tokens.take(order), model.encode_cells, "auto", "float32"):
        if part is not None:
            if not done:
                vectors = np.full((len(tokens), part.shape[1]), np.nan, dtype=np.float32)
            vectors[order[done : done + len(part)]] = part
            done += len(part)
        if said is not None:
            said(note)
    return vectors


def _batches(
    model: Reader,
    tokens: Tokens,
    compute: Callable[[Tokens], Tensor],
    batch_size: BatchSize,
    precision: Precision,
) -> Iterator[tuple[NDArray[np.float32] | None, str]]:
    """Give the answers batch by batch, or a note each time the batch had to be halved."""
    if not len(tokens):
        return
    size = suitable_batch(int(tokens.lengths().max())) if batch_size == "auto" else batch_size
    start = 0
    while start < len(tokens):
        try:
            with torch.inference_mode(), autocast(model.device, precision):
                answers = compute(tokens.take(slice(start, start + size))).float().cpu().numpy()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if size == 1:
                raise OutOfMemoryError(
                    "One cell alone does not fit into memory.",
                    hint="Choose a smaller model, or let the server's owner allow more memory.",
                ) from error
            size = max(1, size // 2)
            yield None, f"Memory ran out, so batches are halved to {size} {'cell' if size == 1 else 'cells'}."
            continue
        start += len(answers)
        yield answers, ""


def time_per_cell(model: Reader, adata: AnnData) -> float:
    """Time batches of long, usual and short cells and return the mean seconds a cell takes.

    Cells without tokens cost nothing and are left out; 0 when there are no others.
    """
    model.eval()
    order = longest_first(model.n_tokens(adata))
    if not len(order):
        return 0.0
    costs = []
    for share in (0.0, 0.5, 0.9):
        rows = order[int(share * len(order)) :]
        tokens = model.tokenize(adata[rows[: suitable_batch(int(model.n_tokens(adata[rows[:1]])[0]))]])
        with torch.inference_mode():
            model.encode_cells(tokens)
            start = time.perf_counter()
            model.encode_cells(tokens)
        costs.append((time.perf_counter() - start) / len(tokens))
    return float(np.mean(costs))
