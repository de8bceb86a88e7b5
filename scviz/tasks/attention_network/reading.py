"""Add up the attention of all cells; what is added up outlives a stop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scviz.networks.attention import AttentionSum, ranked_attention
from scviz.progress import Progress
from scviz.tasks.attention_network.subject import Subject
from scviz.tasks.context import Context

SUMS = "sums.npz"
CELLS_PER_SAVE = 32
"""Cells that a resumed run may have to read again."""


def mean_attention(
    subject: Subject, context: Context, *, published: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the mean attention of both groups, (M, M) each: row attends to column."""
    total = sum(map(len, subject.groups))
    done, means = 0, []
    for number, rows in enumerate(subject.groups):
        file = context.state / f"{number}-{SUMS}"
        added, begun = _read(file, len(subject.columns), published=published)
        for start in range(begun, len(rows), CELLS_PER_SAVE):
            chunk = rows[start : start + CELLS_PER_SAVE]
            context.report(Progress(stage="Reading attention", done=done + start, total=total))
            cells = subject.model.gene_attention(subject.adata[chunk], subject.columns)
            for i, cell in enumerate(cells, start=1):
                added.add(ranked_attention(cell.scores, published=published), cell.places)
                context.report(Progress(stage="Reading attention", done=done + start + i, total=total))
            _write(file, added, n_read=start + len(chunk))
        done += len(rows)
        means.append(added.mean())
    return means[0], means[1]


def _read(file: Path, n_genes: int, *, published: bool) -> tuple[AttentionSum, int]:
    """Read what an earlier try has added up, and how many cells it had read."""
    added = AttentionSum(n_genes, published=published)
    if not file.exists():
        return added, 0
    with np.load(file, allow_pickle=False) as kept:
        added.total, added.n_cells = kept["total"], kept["n_cells"]
        added.n_added = int(kept["n_added"])
        return added, int(kept["n_read"])


def _write(file: Path, added: AttentionSum, *, n_read: int) -> None:
    """Keep the sums, all of them or none."""
    draft = file.with_suffix(".draft")
    with draft.open("wb") as stream:
        np.savez(stream, total=added.total, n_cells=added.n_cells, n_added=added.n_added, n_read=n_read)
    draft.replace(file)
