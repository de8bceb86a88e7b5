"""Learn the types of a labeled dataset in several ways, each from the same cells, and score the cells of both."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from scviz.metrics.harmony import HarmonySettings, harmonize
from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.transfer import (
    HARMONY_LINEAR,
    HARMONY_NEAREST,
    LOGISTIC,
    PCS_LINEAR,
    PCS_NEAREST,
    TUNING,
    Request,
)
from scviz.tasks.transfer.genes import GeneSpace, Shared
from scviz.tasks.transfer.labeled import Labeled
from scviz.tasks.transfer.rules import STRENGTH, Floats, Linear, logistic, standardized_logistic, vote
from scviz.tasks.transfer.tuning import tuned_classifier
from scviz.tasks.transfer.vectors import vectors_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """The cells of both datasets, and which of the reference are learned from."""

    reference: AnnData
    query: AnnData
    codes: NDArray[np.int64]
    """(R,) types of the reference's cells."""
    train: NDArray[np.int64]
    """(n,) rows of the reference."""
    judged: NDArray[np.int64]
    """(J,) rows of validation and test cells."""
    n_types: int

    @property
    def known(self) -> NDArray[np.int64]:
        """Types of the training cells, (n,)."""
        return self.codes[self.train]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What one way of naming says."""

    name: str
    judged: Floats
    """(J, K) scores of the reference's cells that judge."""
    query: Floats
    """(N, K) scores of the cells to be named; NaN for cells that a model does not see."""
    rule: Linear | None = None
    """What is kept of it: on genes, or on the vectors of a model; None where it needs the cells."""
    scaled: bool = False
    """Whether that reads scaled genes."""
    checkpoint: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Cells of both datasets in the space of the reference's genes."""

    space: GeneSpace
    train: Floats
    """(n, P) principal components."""
    judged: Floats
    """(J, P)"""
    query: Floats
    """(N, P)"""


def components_of(space: GeneSpace, shared: Shared) -> Floats:
    """Project cells on the principal components of the reference, (N, P)."""
    return np.vstack([centered @ space.components for _, centered in space.blocks(shared)])


def scores_of(space: GeneSpace, shared: Shared, rule: Linear, *, scaled: bool) -> Floats:
    """Score cells by a rule on genes, scaled or only centered, (N, K)."""
    return np.vstack([rule.scores(space.scaled(one) if scaled else one) for _, one in space.blocks(shared)])


def rows_of(shared: Shared, rows: NDArray[np.int64]) -> Shared:
    """Take some cells, (n,) rows."""
    return Shared(counts=shared.counts[rows], places=shared.places)


def plain_methods(
    cells: Cells, space: GeneSpace, *, reference: Shared, query: Shared
) -> tuple[Read, list[Scored]]:
    """Name by genes and by principal components."""
    train, judged = rows_of(reference, cells.train), rows_of(reference, cells.judged)
    begun = time.monotonic()
    rule = logistic(
        space.scaled(space.centered(train.counts, train.places)),
        cells.known,
        cells.n_types,
        strength=STRENGTH,
    )
    by_genes = Scored(
        name=LOGISTIC,
        judged=scores_of(space, judged, rule, scaled=True),
        query=scores_of(space, query, rule, scaled=True),
        scaled=True,
        rule=rule,
        seconds=time.monotonic() - begun,
    )
    read = Read(
        space=space,
        **{
            name: components_of(space, of)
            for name, of in (("train", train), ("judged", judged), ("query", query))
        },
    )
    return read, [
        by_genes,
        *_by_vectors(cells, read, names=(PCS_LINEAR, PCS_NEAREST), change=space.components),
    ]


def _by_vectors(
    cells: Cells, read: Read, *, names: tuple[str, str], change: Floats | None, checkpoint: str = ""
) -> Iterator[Scored]:
    """Name linearly and by the nearest cells, with vectors of all cells.

    Parameters
    ----------
    change
        (G, P) that makes the vectors from genes, so that the linear rule can be kept; None where none does.
    """
    seen = [np.asarray(np.isfinite(one).all(axis=1)) for one in (read.train, read.judged, read.query)]
    train, known = read.train[seen[0]], cells.known[seen[0]]
    rule = standardized_logistic(train, known, cells.n_types)
    kept = rule if checkpoint else None
    if change is not None:
        zero, one = np.zeros(train.shape[1], np.float32), np.ones(train.shape[1], np.float32)
        kept = rule.after(change, zero, one)
    ways: tuple[tuple[str, Callable[[Floats], Floats], Linear | None], ...] = (
        (names[0], rule.scores, kept),
        (names[1], lambda asked: vote(train, known, asked, n_types=cells.n_types), None),
    )
    for name, way, own in ways:
        begun = time.monotonic()
        judged, query = (
            _where_seen(way, vectors, there, n_types=cells.n_types)
            for vectors, there in zip((read.judged, read.query), seen[1:], strict=True)
        )
        seconds = time.monotonic() - begun
        yield Scored(name=name, judged=judged, query=query, rule=own, checkpoint=checkpoint, seconds=seconds)


def _where_seen(
    way: Callable[[Floats], Floats], vectors: Floats, seen: NDArray[np.bool_], *, n_types: int
) -> Floats:
    scores = np.full((len(vectors), n_types), np.nan, dtype=np.float32)
    if seen.any():
        scores[seen] = way(vectors[seen])
    return scores


def after_harmony(cells: Cells, read: Read, *, seed: int) -> list[Scored]:
    """Name by principal components of both datasets, corrected for the difference between them."""
    begun = time.monotonic()
    parts = (read.train, read.judged, read.query)
    batches = np.repeat([0, 0, 1], [len(one) for one in parts])
    moved = harmonize(np.vstack(parts), batches, HarmonySettings(seed=seed)).astype(np.float32)
    train, judged, query = np.split(moved, np.cumsum([len(one) for one in parts])[:-1])
    corrected = Read(space=read.space, train=train, judged=judged, query=query)
    seconds = time.monotonic() - begun
    names = (HARMONY_LINEAR, HARMONY_NEAREST)
    return [
        replace(one, seconds=one.seconds + seconds)
        for one in _by_vectors(cells, corrected, names=names, change=None)
    ]


def by_model(cells: Cells, read: Read, checkpoint: str, *, context: Context) -> list[Scored]:
    """Name by the cell vectors of a model."""
    begun = time.monotonic()
    reference = vectors_of(cells.reference, checkpoint, context, of="reference")
    own = Read(
        space=read.space,
        train=reference[cells.train],
        judged=reference[cells.judged],
        query=vectors_of(cells.query, checkpoint, context, of="dataset"),
    )
    seconds = time.monotonic() - begun
    name = context.workspace.checkpoint(checkpoint).name
    names = (f"logistic regression on {name}", f"nearest cells on {name}")
    found = _by_vectors(cells, own, names=names, change=None, checkpoint=checkpoint)
    return [replace(one, seconds=one.seconds + seconds) for one in found]


def fine_tuned(
    cells: Cells, labeled: Labeled, checkpoint: str, *, request: Request, context: Context
) -> Scored:
    """Train a model on the reference and name with it."""
    begun, source = time.monotonic(), context.workspace.checkpoint(checkpoint)
    classifier = tuned_classifier(
        checkpoint,
        cells.reference,
        codes=cells.codes,
        train=cells.train,
        validation=labeled.split.validation,
        types=labeled.types,
        tuning=request.tuning,
        seed=request.seed,
        context=context,
    )
    context.report(Progress(stage=f"Naming cells with {source.name}"))
    judged, query = (
        np.log(np.maximum(classifier.classify(one, device=context.device).probabilities, 1e-12))
        for one in (cells.reference[cells.judged], cells.query)
    )
    return Scored(
        name=f"{source.name}, {TUNING[request.tuning]}",
        judged=judged,
        query=query,
        seconds=time.monotonic() - begun,
    )
