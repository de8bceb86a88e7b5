"""Which other genes an edit changes most, as the model sees them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from scviz.errors import UnsupportedTaskError
from scviz.foundation.batching import suitable_batch
from scviz.foundation.edits import Edit
from scviz.foundation.model import FoundationModel
from scviz.foundation.tokens import Tokens
from scviz.progress import Progress, Report
from scviz.tasks.in_silico import Affected
from scviz.tasks.in_silico.effects import Cells, Draw, cosine, edited_cells

PREDICTED = "change of predicted log expression"
VECTORS = "1 - cosine of the gene's vector in the cell before and after"
MOST_CELLS = 20
RANDOM_EDITS = 10
RANDOM_CELLS = 2
SHOWN = 100
FEWEST_CELLS = 3
"""Genes in fewer cells are left out."""

Read = Callable[[Tokens, Tokens], "tuple[NDArray[np.int64], NDArray[np.float64]]"]
"""From cells before and after an edit to places of genes in the vocabulary and their changes, (m,) and (m,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Means:
    """Changes of the V genes of a vocabulary."""

    mean: NDArray[np.float64]
    """(V,) NaN for genes in no cell."""
    n: NDArray[np.int64]
    """(V,) cells."""


def affected_genes(
    model: FoundationModel, cells: Cells, edits: Sequence[Edit], *, seed: int, report: Report
) -> Affected | None:
    """Find the genes that the first edit changes most, and what random edits, the others, do to the same genes.

    A model that predicts expression is asked for it before and after; of any other the vectors of genes are compared,
    as Geneformer's authors do. A few cells are looked at. None where the edit changes no cell.
    """
    report(Progress(stage="Looking at other genes"))
    what, read = _reader(model, cells)
    found = []
    for number, edit in enumerate(edits[: 1 + RANDOM_EDITS]):
        most = RANDOM_CELLS if number else MOST_CELLS
        rows, after = edited_cells(model, cells, edit, draw=Draw(most=most, seed=(seed, number)))
        if len(rows):
            found.append((number, *_in_batches(cells.tokens.take(rows), after, read)))
        elif not number:
            return None
    names = _names(model, cells)
    own = _mean([pair for number, *pair in found if not number], len(names))
    random = _mean([pair for number, *pair in found if number], len(names))
    edited = np.isin(names, edits[0].genes)
    fit = np.flatnonzero((own.n >= min(FEWEST_CELLS, own.n.max(initial=0))) & (names != "") & ~edited)
    order = fit[np.argsort(-np.abs(own.mean[fit]), kind="stable")][:SHOWN]
    return Affected(
        what=what,
        genes=tuple(names[order].tolist()),
        change=tuple(own.mean[order].tolist()),
        random_change=tuple(random.mean[order].tolist()),
        n_cells=tuple(own.n[order].tolist()),
        n_random=len(found) - 1,
    )


def _names(model: FoundationModel, cells: Cells) -> NDArray[np.str_]:
    """Give the dataset's name of each gene of the vocabulary, (V,); empty for those that it lacks."""
    from scviz.datasets.genes import identifiers

    places = model.vocab.match(identifiers(cells.adata.var))  # (G,)
    names = np.full(len(model.vocab.genes), "", dtype=object)
    names[places[places >= 0]] = cells.adata.var_names.to_numpy()[places >= 0]
    return names.astype(str)


def _reader(model: FoundationModel, cells: Cells) -> tuple[str, Read]:
    """Choose what is compared: predicted expression, or vectors of genes."""
    try:
        with torch.inference_mode():
            model.predicted_expression(cells.tokens.take(np.flatnonzero(cells.tokens.mask.any(axis=1))[:1]))
    except UnsupportedTaskError:
        return VECTORS, lambda before, after: _vectors(model, before, after)
    return PREDICTED, lambda before, after: _predicted(model, before, after)


def _in_batches(before: Tokens, after: Tokens, read: Read) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Compare cells a batch at a time: ids of genes and changes, (m,) and (m,)."""
    size = suitable_batch(max(before.mask.shape[1], after.mask.shape[1]))
    parts = []
    for start in range(0, len(before), size):
        rows = np.arange(start, min(start + size, len(before)))
        with torch.inference_mode():
            parts.append(read(before.take(rows), after.take(rows)))
    return np.concatenate([one for one, _ in parts]), np.concatenate([one for _, one in parts])


def _predicted(
    model: FoundationModel, before: Tokens, after: Tokens
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Compare predicted expression: places in the vocabulary and changes, (B V,) and (B V,)."""
    old, new = (model.predicted_expression(tokens).float().cpu().numpy() for tokens in (before, after))
    return np.tile(np.arange(old.shape[1]), len(old)), (new - old).ravel().astype(np.float64)


def _vectors(
    model: FoundationModel, before: Tokens, after: Tokens
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Compare the vectors of genes before and after: places in the vocabulary and changes, (m,) and (m,)."""
    place = {int(token): at for at, token in enumerate(model.vocab.ids)}
    old, new = (model(tokens).tokens.float().cpu().numpy() for tokens in (before, after))
    genes, changes = [np.empty(0, dtype=np.int64)], [np.empty(0)]
    for cell in range(len(before)):
        first, second = _places(before, cell), _places(after, cell)
        both = [token for token in first if token in second and token in place]
        one = old[cell, [first[token] for token in both]].astype(np.float64)
        two = new[cell, [second[token] for token in both]].astype(np.float64)
        genes.append(np.array([place[token] for token in both], dtype=np.int64))
        changes.append(1 - cosine(one, two))
    return np.concatenate(genes), np.concatenate(changes)


def _places(tokens: Tokens, cell: int) -> dict[int, int]:
    """Say where each token stands in a cell."""
    at = np.flatnonzero(tokens.mask[cell])
    return dict(zip(tokens.gene_ids[cell, at].tolist(), at.tolist(), strict=True))


def _mean(pairs: Sequence[Sequence[NDArray[Any]]], n_genes: int) -> _Means:
    """Average changes by gene."""
    genes = np.concatenate([np.empty(0, dtype=np.int64), *(pair[0] for pair in pairs)])
    changes = np.concatenate([np.empty(0), *(pair[1] for pair in pairs)])
    n = np.bincount(genes, minlength=n_genes)
    sums = np.bincount(genes, weights=changes, minlength=n_genes)
    return _Means(mean=np.divide(sums, n, out=np.full(n_genes, np.nan), where=n > 0), n=n)
