"""Gradients of the cells that are asked, gene by gene; and their scores without some genes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from anndata import AnnData
from numpy.typing import NDArray

from scviz.foundation.attribution import attribute, average_gene, own_score
from scviz.foundation.classifier import CellTypeClassifier
from scviz.foundation.edits import Edit
from scviz.foundation.tokens import Tokens
from scviz.metrics.matched_null import MatchedNull
from scviz.progress import Progress, Report
from scviz.tasks.attribution import Request
from scviz.tasks.attribution.inputs import Asked
from scviz.tasks.context import Context

AT_ONCE = 8
"""Cells whose gradients are taken together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What M cells say of G genes."""

    integrated: NDArray[np.float32]
    """(M, G) integrated gradients; 0 for genes that are not read."""
    gradient: NDArray[np.float32]
    """(M, G) gradient times input."""
    seen: NDArray[np.bool_]
    """(M, G) whether the model reads the gene in the cell."""
    unexplained: float
    """Median share of the score that the integral misses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The classifier, the cells, and the genes that it knows."""

    classifier: CellTypeClassifier
    adata: AnnData
    """(N, .) raw counts."""
    known: NDArray[np.int64]
    """(G,) columns of the genes that the model knows."""

    @property
    def genes(self) -> NDArray[np.object_]:
        """(G,) their names."""
        return np.asarray(self.adata.var_names[self.known], dtype=object)


def read_cells(subject: Subject, asked: Asked, *, n_steps: int, report: Report) -> Read:
    """Take the gradients of all cells that are asked, by so many steps of the integral."""
    average = average_gene(subject.classifier, _batches(subject, asked.rows))
    tokens_of = subject.classifier.encoder.column_tokens(subject.adata.var)[subject.known]
    place = np.full(int(tokens_of.max()) + 1, -1, dtype=np.int64)
    place[tokens_of[::-1]] = np.arange(len(tokens_of))[::-1]  # of several columns of one token, the first
    shape = (len(asked.rows), len(subject.known))
    integrated, gradient = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32)
    seen, missed, done = np.zeros(shape, dtype=bool), [], 0
    for tokens in _batches(subject, asked.rows):
        part = slice(done, done + len(tokens))
        found = attribute(subject.classifier, tokens, asked.types[part], average=average, n_steps=n_steps)
        columns = np.where(tokens.gene_ids < len(place), place[tokens.gene_ids.clip(max=len(place) - 1)], -1)
        cells, at = np.nonzero(tokens.mask & (columns >= 0))
        integrated[done + cells, columns[cells, at]] = found.integrated[cells, at]
        gradient[done + cells, columns[cells, at]] = found.gradient[cells, at]
        seen[done + cells, columns[cells, at]] = True
        missed.append(np.abs(found.integrated.sum(axis=1) - (found.score - found.start)))
        missed[-1] = missed[-1] / np.abs(found.score - found.start).clip(min=1e-6)
        done += len(tokens)
        report(Progress(stage="Asking cells", done=done, total=len(asked.rows)))
    return Read(
        integrated=integrated,
        gradient=gradient,
        seen=seen,
        unexplained=float(np.median(np.concatenate(missed))),
    )


def deleted(
    subject: Subject,
    asked: Asked,
    ranks: tuple[NDArray[np.floating], NDArray[np.floating]],
    *,
    levels: NDArray[np.floating],
    request: Request,
    context: Context,
) -> NDArray[np.float64]:
    """Measure what the cells that chose no gene lose without the first genes of each ranking, (K, 2 + R).

    Parameters
    ----------
    ranks
        Two rankings, (K, G) each, of which the first was made by the other half of the cells.
    levels
        (K, G) mean expression in each type, by which random genes are matched.
    """
    rng, found = np.random.default_rng(request.seed), []
    for k, kind in enumerate(asked.kept):
        rows = asked.rows[asked.of(kind, chooses=False)]
        first = [np.argsort(-rank[k], kind="stable")[: request.n_deleted] for rank in ranks]
        random = MatchedNull(levels[k]).sets(first[0], request.n_random, rng=rng)
        cells = subject.adata[rows]
        whole = _score(subject, subject.classifier.encoder.tokenize(cells), kind)
        lost = []
        for genes in (*first, *random):
            edit = Edit(kind="delete", genes=tuple(subject.genes[genes].tolist()))
            without = _score(subject, subject.classifier.encoder.edited(cells, edit), kind)
            lost.append(float(np.nanmean(whole - without)))
        found.append(lost)
        context.report(Progress(stage="Deleting genes", done=k + 1, total=len(asked.kept)))
    return np.array(found)


def _score(subject: Subject, tokens: Tokens, kind: int) -> NDArray[np.float32]:
    """Give the score of a type less the mean of all others, (B,)."""
    with torch.no_grad():
        scores = subject.classifier(tokens).float()
        types = torch.full((len(tokens),), kind, device=scores.device)
        found: NDArray[np.float32] = own_score(scores, types).cpu().numpy()
    return found


def _batches(subject: Subject, rows: NDArray[np.int64]) -> Iterator[Tokens]:
    """Give the tokens of cells, some at a time, in their order."""
    for start in range(0, len(rows), AT_ONCE):
        yield subject.classifier.encoder.tokenize(subject.adata[rows[start : start + AT_ONCE]])
