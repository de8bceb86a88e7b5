"""Embedding of cells chunk by chunk, alone or together with other processes; what is finished is kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from scviz.foundation.batching import Compute, Walk, in_order
from scviz.foundation.tokens import Tokens
from scviz.workspace.chunks import Chunks


def embed_cells(walk: Walk, chunks: Chunks) -> NDArray[np.float32]:
    """Embed every cell; chunks that are finished are read, and those that others compute are waited for.

    Returns
    -------
    (N, C) cell vectors, NaN for cells in which the model sees no gene; (N, 0) when it sees none in any.
    """
    return in_order(walk.adata.n_obs, kept_chunks(walk, chunks, walk.model.encode_cells))


def embed_unclaimed(walk: Walk, chunks: Chunks) -> None:
    """Embed the chunks that no other process has claimed; they are in the state folder then."""
    for _ in _kept(walk, chunks, walk.model.encode_cells, numbers=chunks.unclaimed_of(len(walk.chunks))):
        pass


def kept_chunks(
    walk: Walk, chunks: Chunks, compute: Compute
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Give the rows of each chunk, (n,), and what is computed of their cells, (n, C), as soon as it is kept."""
    return _kept(walk, chunks, compute, numbers=chunks.all_of(len(walk.chunks)))


def _kept(
    walk: Walk, chunks: Chunks, compute: Compute, *, numbers: Iterable[int | None]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    def compute_claimed(tokens: Tokens) -> Tensor:
        chunks.keep_claim()
        return compute(tokens)

    try:
        for number in numbers:
            if number is None:  # others have all that is left
                walk.tell()
                continue
            rows = walk.chunks[number]
            answers = chunks.read(number)
            if answers is None:
                answers = walk.answers(rows, compute_claimed)
                chunks.write(number, answers)
            else:
                walk.skip(rows)
            yield rows, answers
    finally:
        chunks.give_back()
