"""Run a network over many cells, the longest first, in batches that fit into memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, Protocol, TypeAlias

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
Compute: TypeAlias = Callable[[Tokens], Tensor]
"""From a batch of tokens to one row for each cell, (B, C)."""


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

CELLS_PER_COUNT = 8192
"""Cells whose tokens are counted at a time."""

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


def token_counts(model: Reader, adata: AnnData) -> NDArray[np.int64]:
    """Count the tokens that each cell of (N, G) raw counts will have, (N,), some cells at a time."""
    starts = range(0, max(adata.n_obs, 1), CELLS_PER_COUNT)
    return np.concatenate([model.n_tokens(adata[start : start + CELLS_PER_COUNT]) for start in starts])


def longest_first(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Order cells by falling length, (N,), and leave out those without tokens: their rows, (n,).

    Examples
    --------
    >>> longest_first(np.array([2, 0, 5])).tolist()
    [2, 0]
    """
    return np.argsort(-lengths, kind="stable")[: int((lengths > 0).sum())]


class Walk:
    """A walk over the cells of a dataset that a model sees, the longest first, chunk by chunk, without gradients.

    Parameters
    ----------
    adata
        (N, G) raw counts.
    batch_size
        Cells at a time; "auto" takes some that suit their length. It is halved when memory runs out, and `report`
        gets a note.
    precision
        "auto" is bfloat16 on a GPU and float32 elsewhere.
    """

    def __init__(
        self,
        model: Reader,
        adata: AnnData,
        *,
        batch_size: BatchSize = "auto",
        precision: Precision = "auto",
        report: Report = silent,
        stage: str = "Reading cells",
    ) -> None:
        self.model, self.adata = model, adata
        self.batch_size, self.precision = batch_size, precision
        self._report, self._stage = report, stage
        model.eval()
        order = longest_first(token_counts(model, adata))
        self.chunks = [order[start:][:CELLS_PER_CHUNK] for start in range(0, len(order), CELLS_PER_CHUNK)]
        self._done, self._total = 0, len(order)

    def each(self, compute: Compute) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Give the rows of each chunk, (n,), and what is computed of their cells, (n, C)."""
        for rows in self.chunks:
            yield rows, self.answers(rows, compute)

    def answers(self, rows: NDArray[np.int64], compute: Compute) -> NDArray[np.float32]:
        """Compute something of the cells of a chunk, (n, C).

        Raises
        ------
        OutOfMemoryError
            If one cell alone does not fit into memory.
        """
        tokens, parts = self.model.tokenize(self.adata[rows]), []
        for part, note in _batches(
            self.model, tokens, compute, batch_size=self.batch_size, precision=self.precision
        ):
            if part is not None:
                parts.append(part)
                self._done += len(part)
            self.tell(note)
        return np.concatenate(parts)

    def skip(self, rows: NDArray[np.int64]) -> None:
        """Count the cells of a chunk, (n,), of which all is known."""
        self._done += len(rows)
        self.tell()

    def tell(self, note: str = "") -> None:
        """Report how many cells are done."""
        self._report(Progress(stage=self._stage, done=self._done, total=self._total, note=note))


def in_order(
    n_cells: int, chunks: Iterable[tuple[NDArray[np.int64], NDArray[np.float32]]]
) -> NDArray[np.float32]:
    """Put what was computed of chunks where their cells are, (N, C).

    NaN for cells that never came; (N, 0) when none came.

    Parameters
    ----------
    chunks
        Rows, (n,), and what was computed of their cells, (n, C).
    """
    answers = np.full((n_cells, 0), np.nan, dtype=np.float32)
    for rows, part in chunks:
        if not answers.shape[1]:
            answers = np.full((n_cells, part.shape[1]), np.nan, dtype=np.float32)
        answers[rows] = part
    return answers


def token_batches(tokens: Tokens) -> Iterator[Tokens]:
    """Cut cells into batches of a size that suits their length; the longest cells come first."""
    start = 0
    while start < len(tokens):
        stop = start + suitable_batch(int(tokens.mask[start].sum()))
        yield tokens.take(slice(start, stop))
        start = stop


def read_batches(model: Reader, adata: AnnData) -> Iterator[Tokens]:
    """Give the cells, (N, G) raw counts, that a model sees as batches of tokens, the longest first."""
    model.eval()
    order = longest_first(token_counts(model, adata))
    for start in range(0, len(order), CELLS_PER_CHUNK):
        yield from token_batches(model.tokenize(adata[order[start:][:CELLS_PER_CHUNK]]))


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
    batches = _batches(model, tokens.take(order), model.encode_cells, batch_size="auto", precision="float32")
    for part, note in batches:
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
    compute: Compute,
    *,
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
    order = longest_first(token_counts(model, adata))
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
