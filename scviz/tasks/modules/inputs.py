"""What a search for modules reads: genes, cells to find modules in, cells to judge them in, truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from anndata import AnnData
from numpy.typing import NDArray

from scviz.datasets.expression import depth_of, log_expression, residual_variance
from scviz.datasets.genes import identifiers
from scviz.datasets.simulated import truth_of
from scviz.errors import DataError, RequestError
from scviz.foundation.batching import pick_device
from scviz.foundation.model import FoundationModel
from scviz.metrics.evidence import counted
from scviz.tasks.chosen_cells import chosen_rows, sample
from scviz.tasks.context import Context
from scviz.tasks.modules import Request

FEWEST_CELLS = 20
FEWEST_GENES = 20
FEWEST_EXPRESSING = 3
"""Cells that must express a gene for it to be compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """G genes in N cells."""

    adata: AnnData
    """Raw counts of all cells and genes."""
    expression: sp.csr_matrix
    """Log1p expression of the same."""
    model: FoundationModel | None
    columns: NDArray[np.int64]
    """(G,) genes of the dataset that are compared, ascending."""
    genes: tuple[str, ...]
    """Their symbols."""
    found_in: NDArray[np.int64]
    """Cells in which modules are found, ascending."""
    held_out: NDArray[np.int64]
    """Cells in which they are judged, ascending."""
    n_chosen: int
    """Cells that were chosen before some were drawn."""

    def keep(self, kept: NDArray[np.bool_]) -> Inputs:
        """Leave out the genes that are not marked, (G,).

        Raises
        ------
        RequestError
            If too few are left.
        """
        if kept.sum() < FEWEST_GENES:
            raise RequestError(
                f"The model saw only {kept.sum()} of the genes in the cells that it read.",
                hint="Let it read more cells.",
            )
        genes = tuple(gene for gene, one in zip(self.genes, kept, strict=True) if one)
        return replace(self, columns=self.columns[kept], genes=genes)

    @property
    def in_vocab(self) -> NDArray[np.int64]:
        """(G,) place of each gene in the vocabulary of the model."""
        if self.model is None:
            return np.full(len(self.columns), -1, dtype=np.int64)
        return self.model.vocab.match(identifiers(self.adata.var))[self.columns]

    def values(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Give the expression of the genes in some cells, (n, G)."""
        dense: NDArray[np.float32] = self.expression[rows][:, self.columns].toarray()
        return dense


def gather(request: Request, context: Context) -> Inputs:
    """Read cells and model, and choose cells and genes.

    Raises
    ------
    RequestError
        If there are too few cells, or too few genes that vary and that the model knows.
    """
    adata = context.counts(request.dataset)
    folder = context.workspace.dataset_folder(request.dataset)
    chosen = chosen_rows(folder, request, adata.n_obs)
    if len(chosen) < FEWEST_CELLS:
        raise RequestError(
            f"{len(chosen)} cells are too few to find modules and judge them.",
            hint=f"Choose {FEWEST_CELLS} cells or more.",
        )
    rows = np.random.default_rng(request.seed).permutation(sample(chosen, request.most_cells, request.seed))
    found_in, held_out = np.sort(rows[: len(rows) // 2]), np.sort(rows[len(rows) // 2 :])
    expression = log_expression(sp.csr_matrix(adata.X), depth_of(adata))
    model = context.model(request.checkpoint, "modules") if request.checkpoint else None
    if model is not None:
        model.to(pick_device(context.device)).eval()
    known = known_columns(adata, model)
    columns = _variable(sp.csr_matrix(adata.X)[found_in], known, request.most_genes)
    if len(columns) < FEWEST_GENES:
        raise RequestError(
            f"Only {counted(len(columns), 'gene')} vary in these cells and are known to the model.",
            hint="Choose weights that know the genes of this dataset, or other cells.",
        )
    names = identifiers(adata.var).names
    return Inputs(
        adata=adata,
        expression=expression,
        model=model,
        columns=columns,
        genes=tuple(names[i] for i in columns),
        found_in=found_in,
        held_out=held_out,
        n_chosen=len(chosen),
    )


def _variable(counts: sp.csr_matrix, known: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Choose the most variable of the known genes that some cells express, ascending."""
    n_cells = np.diff(sp.csc_matrix(counts).indptr)
    known = known[n_cells[known] >= FEWEST_EXPRESSING]
    variance = residual_variance(counts)[known]
    return np.sort(known[np.argsort(-variance, kind="stable")[:most]])


def known_columns(adata: AnnData, model: FoundationModel | None) -> NDArray[np.int64]:
    """Find the columns of genes that the model knows, or of all, (n,), ascending; of two of one gene the first."""
    ids = identifiers(adata.var)
    names = ids.names
    columns = np.array(list({names[i]: i for i in reversed(range(len(names)))}.values()), dtype=np.int64)
    if model is not None:
        places = model.vocab.match(ids)
        columns = np.sort(columns[places[columns] >= 0])
        columns = columns[np.unique(places[columns], return_index=True)[1]]
    return np.sort(columns)


def common_regulators(folder: Path, genes: tuple[str, ...]) -> NDArray[np.bool_] | None:
    """Tell which genes have a regulator in common, (G, G), from the network of a simulated screen; None for others."""
    try:
        truth = truth_of(folder)
    except DataError:
        return None
    place = {gene: i for i, gene in enumerate(genes)}
    regulators = {name: i for i, name in enumerate(dict.fromkeys(truth.source))}
    regulated = np.zeros((len(regulators), len(genes)), dtype=np.float32)
    for source, target in zip(truth.source, truth.target, strict=True):
        if target in place:
            regulated[regulators[source], place[target]] = 1
    together: NDArray[np.bool_] = regulated.T @ regulated > 0
    np.fill_diagonal(together, val=False)
    return together
