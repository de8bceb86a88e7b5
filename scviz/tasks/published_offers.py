"""Which published weights would read a dataset: how many of its genes, under which license, in how much time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import h5py
import numpy as np

from scviz.datasets.columns import COUNTS, gene_identifiers
from scviz.datasets.published_genes import PublishedCoverage, published_coverage
from scviz.foundation.card import ModelCard, Network, ReleasedCheckpoint
from scviz.models import cards
from scviz.workspace import Workspace

SIDE = 1024
"""Rows and columns of the matrices by which the speed of this machine is measured."""
OF_PEAK = 0.6
"""Share of the speed of large matrix products that these networks reach on a CPU; `benchmarks/README.md` has more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Published weights that are not here."""

    card: ModelCard
    released: ReleasedCheckpoint
    n_found: int
    """Genes of the dataset that they know."""
    n_genes: int
    seconds: float | None
    """To read each cell of the dataset once on this machine's CPU, by counting; None where that is not known."""

    @property
    def share(self) -> float:
        """Share of the genes of the dataset that they know, from 0 to 1."""
        return self.n_found / max(self.n_genes, 1)

    @property
    def one_press(self) -> bool:
        """Whether a download needs nothing but a press."""
        return bool(self.released.hub) and not self.released.beside


def published_offers(dataset: str, workspace: Workspace, *, model: str = "") -> tuple[Offer, ...]:
    """List the published weights that are not here and know genes of a dataset, those of one press first.

    Of weights that share a list of genes the smallest stands for all; scBERT's list cannot be had without its files.

    Parameters
    ----------
    dataset
        Id in the workspace.
    model
        A model whose weights come first, such as the one in use.
    """
    here = workspace.names_of_weights()
    folder, every = workspace.dataset_folder(dataset), cards()
    cells, genes = workspace.dataset(dataset).n_cells, _genes_of_a_cell(workspace.dataset_folder(dataset))
    found = [
        _offer(one, every[one.model], n_cells=cells, genes_of_a_cell=genes)
        for one in published_coverage(gene_identifiers(folder))
        if one.released and one.released not in here and one.n_found
    ]
    return tuple(sorted(found, key=lambda one: (not one.one_press, one.card.name != model, -one.share)))


def _offer(found: PublishedCoverage, card: ModelCard, *, n_cells: int, genes_of_a_cell: float) -> Offer:
    released = card.release(found.released)
    seconds = None
    if released.network is not None:
        n_tokens = min(genes_of_a_cell * found.n_found / max(found.n_genes, 1), released.network.most_tokens)
        seconds = n_cells * operations(released.network, n_tokens) / (OF_PEAK * _speed())
    return Offer(card=card, released=released, n_found=found.n_found, n_genes=found.n_genes, seconds=seconds)


def operations(network: Network, n_tokens: float) -> float:
    """Count the additions and multiplications of reading a cell of so many tokens.

    Examples
    --------
    >>> from scviz.foundation.card import Network
    >>> operations(Network(n_layers=2, width=10, ffn=20, most_tokens=99), 5)
    18000.0
    """
    of_token = 2 * (4 * network.width**2 + 2 * network.width * network.ffn)
    return float(network.n_layers * n_tokens * (of_token + 4 * n_tokens * network.width))


@lru_cache(maxsize=1)
def _speed() -> float:
    """Measure how many additions and multiplications a second this machine does in large products of matrices."""
    matrix, seconds = np.ones((SIDE, SIDE), dtype=np.float32), []
    for _ in range(4):
        begun = time.perf_counter()
        matrix @ matrix
        seconds.append(time.perf_counter() - begun)
    return 2.0 * SIDE**3 / min(seconds)


@lru_cache(maxsize=64)
def _genes_of_a_cell(folder: Path) -> float:
    """Tell how many genes a cell expresses on average."""
    with h5py.File(folder / COUNTS, "r") as file:
        return float(file["X/data"].shape[0] / max(len(file["X/indptr"]) - 1, 1))
