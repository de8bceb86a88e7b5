"""Which models would read the genes of a file, and which of its most variable genes they would miss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from scviz.datasets import genes, tables
from scviz.datasets.doctor import identifier_columns
from scviz.datasets.features import features_of, kinds_column
from scviz.datasets.formats import damage_in_words
from scviz.datasets.genes import GeneIdentifiers
from scviz.datasets.matrices import genes_of, matrix_at
from scviz.datasets.orthologs import mouse_to_human
from scviz.datasets.packing import load_filters
from scviz.datasets.published_genes import PublishedCoverage, published_coverage
from scviz.datasets.reports import FileReport
from scviz.datasets.variability import variability
from scviz.foundation.vocab import Coverage, GeneVocab
from scviz.tasks.needs import TOO_FEW
from scviz.workspace import Workspace

N_LOST = 8
"""Genes that are named for each model."""
NO_MODEL = (
    "No model knows half of these genes, those that are published included: that lies with the names in the file, "
    "which are no names of human genes."
)
FEW_HERE = (
    "No weights that are here know half of these genes ({known}): that lies with the weights, which were made with few "
    "genes, and not with the file. Maps by principal components and all simple methods use every gene."
)
NEAR = 0.1
"""Weights whose share of known genes is this close to the largest are as good; the smallest of them is offered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBy:
    """How many genes of a file some weights know."""

    title: str
    model: str
    """Folder of the model in `scviz/models`."""
    here: bool
    """Whether the weights are in the workspace; if not, they are published ones."""
    released: str
    """What the card of the model calls published weights; empty for weights that are here."""
    known: int
    of: int
    """Genes of the file."""
    lost: tuple[str, ...]
    """The genes that vary most among those that the weights do not know."""

    @property
    def share(self) -> float:
        """Share of the genes that are known, from 0 to 1."""
        return self.known / max(self.of, 1)

    @property
    def is_few(self) -> bool:
        """Whether runs with these weights are refused unless their user insists."""
        return self.share < TOO_FEW


def read_by(path: Path, card: FileReport, workspace: Workspace) -> tuple[ReadBy, ...]:
    """Count for the weights of a workspace, then for those that are published; mouse genes by their counterparts.

    Parameters
    ----------
    path
        An h5ad that was looked through.
    card
        What was found in it.
    """
    if card.genes.called not in ("", "human", "mouse"):
        return ()
    ids, varying = _genes(path, card)
    n_genes = len(ids)
    if card.genes.species == "mouse":
        human = mouse_to_human(ids)
        ids, varying = GeneIdentifiers(ensembl=human.ensembl, symbol=human.symbols), varying[human.columns]
    names = ids.names
    order = np.argsort(-varying, kind="stable")
    place = {names[i]: rank for rank, i in enumerate(order.tolist())}

    def read(title: str, model: str, found: Coverage | PublishedCoverage, *, released: str | None) -> ReadBy:
        return ReadBy(
            title=title,
            model=model,
            here=released is None,
            released=released or "",
            known=found.n_genes - len(found.lost),
            of=n_genes,
            lost=tuple(sorted(found.lost, key=place.__getitem__)[:N_LOST]),
        )

    here = [
        read(info.name, info.model, _vocab(workspace, info.id).coverage(ids), released=None)
        for info in workspace.checkpoints()
    ]
    published = [read(one.title, one.model, one, released=one.released) for one in published_coverage(ids)]
    return (*here, *published)


def _vocab(workspace: Workspace, checkpoint: str) -> GeneVocab:
    return GeneVocab.load(workspace.checkpoint_folder(checkpoint) / "vocab.json")


def _genes(path: Path, card: FileReport) -> tuple[GeneIdentifiers, NDArray[np.float64]]:
    """Read what the genes are called, and how much each varies, other features left out."""
    load_filters()
    location = (card.counts or (card.matrices[0].location if card.matrices else "X")).split(" + ")[0]
    with damage_in_words(path.name), h5py.File(path, "r") as file:
        table = file["obs"] if card.turned else genes_of(file, location)
        names = tables.row_names(table)
        kinds = kinds_column(tables.column_names(table))
        told = tables.read_column(table, kinds).strings() if kinds else None
        frame, _ = tables.read_table(table, only=identifier_columns(table))
        node = matrix_at(file, location)
        varying = np.zeros(len(names)) if node is None else variability(node, turned=card.turned)
    kept = np.flatnonzero(features_of(names, told).genes)
    return genes.identifiers(frame.iloc[kept]), np.nan_to_num(varying[kept])


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What to do where no weights at hand know half of the genes."""

    sentence: str
    """How many they know, and whether that lies with the weights or with the file."""
    get: ReadBy | None
    """Published weights that know more; None where no model does."""


def advice(found: tuple[ReadBy, ...], size_of: Callable[[ReadBy], float]) -> Advice | None:
    """Say what to do; None where some weights that are here know half of the genes or more.

    Parameters
    ----------
    size_of
        Gives the megabytes of published weights.
    """
    here = [one.share for one in found if one.here]
    if not found or max(here, default=0) >= TOO_FEW:
        return None
    offered = [one for one in found if one.released and not one.is_few]
    if not offered:
        return Advice(sentence=NO_MODEL, get=None)
    known = f"{max(here):.0%} at most" if here else "there are none"
    return Advice(sentence=FEW_HERE.format(known=known), get=_smallest_of_best(offered, size_of))


def _smallest_of_best(offered: list[ReadBy], size_of: Callable[[ReadBy], float]) -> ReadBy:
    best = max(one.share for one in offered)
    return min((one for one in offered if one.share >= best - NEAR), key=size_of)
