"""From a request to genes: which are asked for, and among which they could have been chosen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.stats import norm

from scviz.datasets.expression import depth_of, log_expression, variable_genes
from scviz.datasets.genes import GeneIdentifiers, identifiers, strip_version
from scviz.datasets.labels import cell_labels
from scviz.errors import RequestError
from scviz.foundation.vocab import GeneVocab
from scviz.metrics.differential import moments, rank_sum_table, welch_t
from scviz.tasks.context import Context
from scviz.tasks.enrichment import DIRECTIONS, Request
from scviz.tasks.enrichment.sources import RunSets, sets_of_run
from scviz.workspace.groups import group_version, read_groups

FEWEST_CELLS = 3
FEWEST_GENES = 10
LEAST_SEEN = 0.01
"""Genes that fewer cells of both sides have are not compared."""
LARGEST_T = 1e6
"""Stands for the infinite t of a gene that is constant within both sides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The genes of a dataset that can be asked for: seen in some cell, and known to the model if one is named."""

    expression: sp.csr_matrix
    """(C, N) log1p expression of all cells."""
    genes: tuple[str, ...]
    """(N,) symbols, each once."""
    ensembl: tuple[str, ...]
    """(N,) Ensembl ids; '' where unknown."""
    words: str
    """Which genes these are."""
    notes: tuple[str, ...] = ()
    """What to know of the expression."""

    def among(self, chosen: NDArray[np.int64], words: str) -> Measured:
        """Keep some of the genes, (n,) of them."""
        return Measured(
            expression=self.expression[:, chosen],
            genes=tuple(self.genes[i] for i in chosen),
            ensembl=tuple(self.ensembl[i] for i in chosen),
            words=words,
            notes=self.notes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The cells between which genes were compared, for the same comparison between shuffled groups."""

    cells: sp.csr_matrix
    """(C, N) log1p expression, cells of the first group first."""
    n_first: int

    @property
    def first(self) -> NDArray[np.float64]:
        """(C, 1) 1 for the cells of the first group."""
        return (np.arange(self.cells.shape[0]) < self.n_first).astype(np.float64)[:, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """k genes of a background of N."""

    words: str
    background: str
    genes: tuple[str, ...]
    """(N,) the background."""
    levels: NDArray[np.float64]
    """(N,) mean log1p expression in the cells that were looked at."""
    query: NDArray[np.int64]
    """(k,) places of the genes that are asked for."""
    n_asked: int
    not_found: tuple[str, ...] = ()
    change: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """(k,) log2 fold change; empty for genes that were not compared."""
    gene_fdr: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """(k,)."""
    scores: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """(N,) Welch's t of each gene of the background; empty for genes that were not compared."""
    compared: Compared | None = None
    """Where genes were compared between groups."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sides:
    """The cells of two groups."""

    rows: tuple[NDArray[np.int64], NDArray[np.int64]]
    """Rows of the dataset, ascending."""
    notes: tuple[str, ...]


def gather(request: Request, context: Context) -> Inputs:
    """Find the genes that a request means.

    Raises
    ------
    RequestError
        If none of them is measured, or the cells or the run that it names are not there.
    """
    measured = _measured(request, context)
    if request.group:
        return _between_groups(request, context, measured)
    if request.run:
        found = sets_of_run(context.workspace, request.run)
        if request.name not in found.sets:
            raise RequestError(
                f"The run has no gene set {request.name!r}.",
                hint=f"It has {', '.join(list(found.sets)[:12])}.",
            )
        measured = _compared(measured, found)
        asked = _listed(f"the genes of {request.name}", found.sets[request.name], measured)
        return replace(asked, notes=(*asked.notes, *_of_many(found)))
    return _listed("the genes that were typed", request.genes, measured)


def _measured(request: Request, context: Context) -> Measured:
    """Read the cells; of columns with one symbol the first counts."""
    adata = context.counts(request.dataset)
    ids = identifiers(adata.var)
    depth = depth_of(adata)
    expression = log_expression(sp.csr_matrix(adata.X), depth)
    seen = np.asarray(expression.sum(axis=0)).ravel() > 0
    words = "genes measured in these cells"
    if request.checkpoint:
        words += f" that {context.workspace.checkpoint(request.checkpoint).name} knows"
        folder = context.workspace.checkpoint_folder(request.checkpoint)
        seen &= GeneVocab.load(folder / "vocab.json").match(ids) >= 0
    return replace(_unique(expression, ids, np.flatnonzero(seen), words=words), notes=depth.notes)


def _unique(
    expression: sp.csr_matrix, ids: GeneIdentifiers, columns: NDArray[np.int64], *, words: str
) -> Measured:
    """Keep one column of each gene, of (C, G) expression and the (n,) columns that may be kept."""
    names = ids.names
    first = {names[i]: i for i in reversed(columns.tolist())}
    kept = np.sort(np.array(list(first.values()), dtype=np.int64))
    ensembl = ids.ensembl or ("",) * len(ids)
    return Measured(
        expression=sp.csr_matrix(expression[:, kept]),
        genes=tuple(names[i] for i in kept),
        ensembl=tuple(ensembl[i] for i in kept),
        words=words,
    )


def _compared(measured: Measured, found: RunSets) -> Measured:
    """Keep the genes that the run could have put into its sets, where it says which."""
    own = {gene for genes in found.sets.values() for gene in genes}
    if found.compared:
        kept = own | set(found.compared)
        words = f"{measured.words}, of those that the run compared"
    elif found.most_genes:
        variable = variable_genes(measured.expression, found.most_genes)
        kept = own | {measured.genes[i] for i in variable}
        words = f"{measured.words}: the most variable, among which the run looked, and all genes of its sets"
    else:
        return measured
    return measured.among(
        np.array([i for i, g in enumerate(measured.genes) if g in kept], dtype=np.int64), words
    )


def _of_many(found: RunSets) -> tuple[str, ...]:
    """Say that the correction counts the gene sets tested, not the questions asked."""
    if len(found.sets) < 2:
        return ()
    return (
        f"The run has {len(found.sets):,} sets of genes. False discovery rates are those of one question: ask about "
        "all of them and some pass by chance.",
    )


def _listed(words: str, wanted: Sequence[str], measured: Measured) -> Inputs:
    """Look genes up by symbol, then by Ensembl id, then in other letters; what was changed is said."""
    wanted = tuple(dict.fromkeys(wanted))
    places, notes = _places(wanted, measured)
    found = [gene for gene in wanted if gene in places]
    if not found:
        raise RequestError(
            f"None of the {len(wanted):,} genes, such as {', '.join(wanted[:3])}, is among the "
            f"{len(measured.genes):,} {measured.words}.",
            hint=f"Symbols here look like {', '.join(measured.genes[:5])}.",
        )
    return Inputs(
        words=words,
        background=measured.words,
        genes=measured.genes,
        levels=np.asarray(measured.expression.mean(axis=0), dtype=np.float64).ravel(),
        query=np.unique([places[gene] for gene in found]),
        n_asked=len(wanted),
        not_found=tuple(gene for gene in wanted if gene not in places),
        notes=(*notes, *measured.notes),
    )


def _places(wanted: Iterable[str], measured: Measured) -> tuple[dict[str, int], tuple[str, ...]]:
    """Look genes up by symbol, by Ensembl id, then in other letters, and say which were taken so."""
    exact = {name: i for i, name in enumerate(measured.ensembl) if name}
    exact |= {gene: i for i, gene in enumerate(measured.genes)}
    letters = {gene.upper(): i for i, gene in reversed(list(enumerate(measured.genes)))}
    places, changed = {}, []
    for gene in wanted:
        at = exact.get(gene, exact.get(strip_version(gene)))
        if at is None and gene.upper() in letters:
            at = letters[gene.upper()]
            changed.append(f"{gene} as {measured.genes[at]}")
        if at is not None:
            places[gene] = at
    return places, _in_other_letters(changed)


def _in_other_letters(changed: Sequence[str]) -> tuple[str, ...]:
    if not changed:
        return ()
    more = f", and {len(changed) - 5:,} more" if len(changed) > 5 else ""
    return (f"Taken in other letters: {', '.join(changed[:5])}{more}.",)


def _between_groups(request: Request, context: Context, measured: Measured) -> Inputs:
    """Compare two groups of cells gene by gene."""
    chosen = _rows(request, context)
    sides = [_sample(rows, request, i) for i, rows in enumerate(chosen.rows)]
    parts = [sp.csr_matrix(measured.expression[rows]) for rows in sides]
    tested = _seen(parts)
    parts = [sp.csr_matrix(part[:, tested]) for part in parts]
    table = rank_sum_table(*parts)
    query = np.flatnonzero(passes(request, table.fdr, table.log2_fold_change))
    if not len(query) and request.method == "over-representation":
        raise _nothing_chosen(request, n_genes=len(tested), sizes=(len(sides[0]), len(sides[1])))
    return Inputs(
        words=f"all genes by {request.group} compared with {_other(request)}"
        if request.method == "prerank"
        else f"the genes {DIRECTIONS[request.direction]} in {request.group} than in {_other(request)}",
        background=f"{measured.words}, seen in at least {100 * LEAST_SEEN:.0f} % of the cells of a side",
        genes=tuple(measured.genes[i] for i in tested),
        levels=np.asarray(sp.vstack(parts).mean(axis=0), dtype=np.float64).ravel(),
        query=query,
        n_asked=len(query),
        change=table.log2_fold_change[query],
        gene_fdr=table.fdr[query],
        scores=np.clip(welch_t(*map(moments, parts)), -LARGEST_T, LARGEST_T),
        compared=Compared(cells=sp.csr_matrix(sp.vstack(parts)), n_first=len(sides[0])),
        notes=(
            _of_comparison(request, sides, n_passing=len(query), n_genes=len(tested)),
            *chosen.notes,
            *measured.notes,
        ),
    )


def passes(
    request: Request, gene_fdr: NDArray[np.float64], log2_fold_change: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Tell which genes change as asked for.

    Parameters
    ----------
    gene_fdr, log2_fold_change
        (N,) or (N, P) of the comparison.
    """
    signs = {"up": log2_fold_change > 0, "down": log2_fold_change < 0, "both": log2_fold_change != 0}
    strong = np.abs(log2_fold_change) >= request.least_change
    return np.asarray((gene_fdr <= request.max_fdr) & signs[request.direction] & strong)


def _other(request: Request) -> str:
    return request.against or "all other cells"


def _seen(parts: Sequence[sp.csr_matrix]) -> NDArray[np.int64]:
    """Find the genes that enough cells of a side have, (T,); both sides are (n, G)."""
    enough = [
        np.asarray((part > 0).sum(axis=0)).ravel() >= max(FEWEST_CELLS, LEAST_SEEN * part.shape[0])
        for part in parts
    ]
    tested = np.flatnonzero(enough[0] | enough[1])
    if len(tested) < FEWEST_GENES:
        raise RequestError(
            f"Only {len(tested)} genes are seen in enough of these cells.", hint="Compare larger groups."
        )
    return tested


def _nothing_chosen(request: Request, *, n_genes: int, sizes: tuple[int, int]) -> RequestError:
    """Say that no gene passes, or that none could: of a few cells not even the largest difference is significant."""
    n, m = sizes
    farthest = (n * m / 2 - 0.5) / np.sqrt(n * m * (n + m + 1) / 12)
    smallest = 2 * float(norm.sf(farthest))
    where = f"{request.group} than in {_other(request)}"
    if smallest * n_genes > request.max_fdr:
        return RequestError(
            f"Cannot tell which genes are {DIRECTIONS[request.direction]} in {where}: with {n:,} and {m:,} cells even "
            f"a gene that differs in all of them has p = {smallest:.2g}, too much for one of {n_genes:,} genes.",
            hint="Choose larger groups, or rank all genes (prerank).",
        )
    return RequestError(
        f"No gene is {DIRECTIONS[request.direction]} in {where} at these cuts.",
        hint="Allow smaller changes, or rank all genes (prerank).",
    )


def _of_comparison(
    request: Request, sides: Sequence[NDArray[np.int64]], *, n_passing: int, n_genes: int
) -> str:
    return (
        f"{len(sides[0]):,} cells of {request.group} compared with {len(sides[1]):,} of {_other(request)}; "
        f"{n_passing:,} of {n_genes:,} genes pass (rank-sum test, false discovery rate {100 * request.max_fdr:g} %, "
        f"log2 fold change of {request.least_change:g} or more). Cells of one donor are alike: what differs between "
        "these cells need not differ between other donors."
    )


def _rows(request: Request, context: Context) -> _Sides:
    """Find the cells of both sides."""
    folder = context.workspace.dataset_folder(request.dataset)
    sides = _in_column(request, folder) if request.column else _circled(request, context, folder)
    fewest = min(map(len, sides.rows))
    if fewest < FEWEST_CELLS:
        raise RequestError(
            f"One side has {fewest} cells.", hint=f"Each needs {FEWEST_CELLS}: choose larger groups."
        )
    return sides


def _circled(request: Request, context: Context, folder: Path) -> _Sides:
    """Find the cells of a group that was circled on a map, and all others."""
    groups = read_groups(folder)
    if request.group not in groups or group_version(groups[request.group]) != request.group_version:
        raise RequestError(
            f"The group {request.group!r} is gone or has other cells by now.", hint="Choose it again."
        )
    n_cells = context.workspace.dataset(request.dataset).n_cells
    inside = np.isin(np.arange(n_cells), groups[request.group])
    return _Sides(rows=(np.flatnonzero(inside), np.flatnonzero(~inside)), notes=())


def _in_column(request: Request, folder: Path) -> _Sides:
    """Find the cells with a value of a column, and those with another or any other."""
    asked = [value for value in (request.group, request.against) if value]
    labels = cell_labels(folder, request.column, asked=asked)
    lost = [value for value in asked if value not in labels.names]
    if lost:
        raise RequestError(
            f"The column {request.column!r} has no group {lost[0]!r}.",
            hint=f"It has {', '.join(labels.names[:12])}.",
        )
    inside = labels.codes == labels.names.index(request.group)
    outside = ~inside & (labels.codes >= 0)
    if request.against:
        outside = labels.codes == labels.names.index(request.against)
    return _Sides(rows=(np.flatnonzero(inside), np.flatnonzero(outside)), notes=labels.notes)


def _sample(rows: NDArray[np.int64], request: Request, side: int) -> NDArray[np.int64]:
    if len(rows) <= request.most_cells:
        return rows
    rng = np.random.default_rng((request.seed, side))
    return np.sort(rng.choice(rows, request.most_cells, replace=False))
