"""What is read: cells of both groups, genes, the regulators among them and their known targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse

from scviz.datasets.columns import cell_column, gene_names
from scviz.datasets.expression import depth_of, log_expression, variable_genes
from scviz.datasets.genes import identifiers
from scviz.errors import GeneMatchError, RequestError
from scviz.foundation.batching import pick_device
from scviz.foundation.model import FoundationModel
from scviz.metrics.evidence import counted
from scviz.tasks.attention_network import Request
from scviz.tasks.attention_network.known_targets import known_targets
from scviz.tasks.context import Context

FEWEST_CELLS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Two groups of cells and M genes of them."""

    adata: AnnData
    """All cells, raw counts."""
    model: FoundationModel
    groups: tuple[NDArray[np.int64], NDArray[np.int64]]
    """Rows of the cells of control and of perturbed, ascending."""
    columns: NDArray[np.int64]
    """(M,) genes of the dataset, ascending."""
    genes: tuple[str, ...]
    """(M,) their names."""
    regulators: NDArray[np.int64]
    """(R,) places among the M genes."""
    expression: tuple[sparse.csr_matrix, sparse.csr_matrix]
    """(n, M) log expression of both groups."""
    n_chosen: tuple[int, int]
    """Cells of both groups before sampling."""
    prior: str
    """Where known targets come from, a few words; empty for nowhere."""
    known: NDArray[np.bool_]
    """(R, M) known targets of each regulator."""


def gather(request: Request, context: Context) -> Inputs:
    """Read cells and model, and choose cells and genes.

    Raises
    ------
    RequestError, GeneMatchError, DataError
        If a group has too few cells, the model does not know a regulator, or the prior network cannot be read.
    """
    model = context.model(request.checkpoint, "attention_network")
    model.to(pick_device(context.device)).eval()
    folder = context.workspace.dataset_folder(request.dataset)
    prior = known_targets(request.prior, folder)
    adata = context.counts(request.dataset)
    names = gene_names(folder)
    known = _known_columns(adata, model)
    asked = np.array([_column(names, gene, known) for gene in request.regulators], dtype=np.int64)
    chosen = [_rows(folder, request.column, value) for value in (request.control, request.perturbed)]
    rng = np.random.default_rng(request.seed)
    groups = [np.sort(rng.permutation(rows)[: request.most_cells]) for rows in chosen]
    both_rows = np.concatenate(groups)
    both = log_expression(adata.X[both_rows], depth_of(adata).of(both_rows))
    columns = _variable(both, known, asked, most=request.most_genes)
    shown = both[:, columns]
    every = identifiers(adata.var).names
    genes = tuple(names[i] for i in columns)
    symbols = tuple(every[i] or names[i] for i in columns)
    regulators = np.searchsorted(columns, asked)
    prior = prior.as_in(tuple(dict.fromkeys((*symbols, *genes))))
    return Inputs(
        adata=adata,
        model=model,
        groups=(groups[0], groups[1]),
        columns=columns,
        genes=genes,
        regulators=regulators,
        expression=(shown[: len(groups[0])], shown[len(groups[0]) :]),
        n_chosen=(len(chosen[0]), len(chosen[1])),
        prior=prior.name,
        known=_known_targets(prior.targets, genes, symbols, regulators=regulators),
    )


def _known_columns(adata: AnnData, model: FoundationModel) -> NDArray[np.int64]:
    """Find the genes that the model knows, ascending; of two columns of one gene the first."""
    places = model.vocab.match(identifiers(adata.var))
    columns = np.flatnonzero(places >= 0)
    return np.sort(columns[np.unique(places[columns], return_index=True)[1]])


def _known_targets(
    targets: Mapping[str, frozenset[str]],
    genes: tuple[str, ...],
    symbols: tuple[str, ...],
    *,
    regulators: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Mark the known targets of each regulator, (R, M); a table may name genes by symbol or as the dataset does."""
    rows = []
    for at in regulators.tolist():
        of_this = targets.get(symbols[at], frozenset()) | targets.get(genes[at], frozenset())
        rows.append(
            [symbol in of_this or gene in of_this for symbol, gene in zip(symbols, genes, strict=True)]
        )
    return np.array(rows, dtype=bool)


def _column(names: tuple[str, ...], gene: str, known: NDArray[np.int64]) -> int:
    if gene not in names:
        raise GeneMatchError(f"The dataset has no gene {gene}.", hint="Choose a gene that was measured.")
    column = names.index(gene)
    if column not in known:
        raise GeneMatchError(
            f"The model does not know {gene}.", hint="Choose a gene of its vocabulary, or other weights."
        )
    return column


def _rows(folder: Path, column: str, value: str) -> NDArray[np.int64]:
    found = cell_column(folder, column)
    if found.categories is None or value not in found.categories:
        raise RequestError(
            f"The column {column!r} has no {value!r}.", hint="Choose a column of words and one of its values."
        )
    rows = np.flatnonzero(found.values == list(found.categories).index(value))
    if len(rows) < FEWEST_CELLS:
        raise RequestError(
            f"{value} has {counted(len(rows), 'cell')}, too few.",
            hint=f"Choose a group of {FEWEST_CELLS} or more.",
        )
    return rows


def _variable(
    expression: sparse.csr_matrix, known: NDArray[np.int64], asked: NDArray[np.int64], *, most: int
) -> NDArray[np.int64]:
    """Choose the most variable known genes, the regulators among them, ascending."""
    others = np.setdiff1d(known, asked)
    n_others = min(max(most - len(asked), 1), len(others))
    best = others[variable_genes(expression[:, others], n_others)] if n_others else others
    return np.sort(np.concatenate([asked, best]))
