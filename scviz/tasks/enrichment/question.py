"""From a request to genes: which are asked for, and among which they could have been chosen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

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
        """Keep some of the genes."""
        return Measured(
            expression=self.expression[:, chosen],
            genes=tuple(self.genes[i] for i in chosen),
            ensembl=tuple(self.ensembl[i] for i in chosen),
            words=words,
            notes=self.notes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
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
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sides:
    """The cells of two groups."""

    rows: tuple[NDArray[np.int64], NDArray[np.int64]]
    """Rows of the dataset, ascending."""
    notes: tuple[str, ...]


def ask(request: Request, context: Context) -> Question:
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
        return _listed(f"the genes of {request.name}", found.sets[request.name], measured)
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
    return replace(_unique(expression, ids, np.flatnonzero(seen), words), notes=depth.notes)


def _unique(
    expression: sp.csr_matrix, ids: GeneIdentifiers, columns: NDArray[np.int64], words: str
) -> Measured:
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


def _listed(words: str, wanted: Sequence[str], measured: Measured) -> Question:
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
    return Question(
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
    symbols = {gene: i for i, gene in enumerate(measured.genes)}
    ensembl = {name: i for i, name in enumerate(measured.ensembl) if name}
    letters = {gene.upper(): i for i, gene in reversed(list(enumerate(measured.genes)))}
    places: dict[str, int] = {}
    changed = []
    for gene in wanted:
        exact = symbols.get(gene, ensembl.get(strip_version(gene)))
        place = letters.get(gene.upper()) if exact is None else exact
        if place is not None:
            places[gene] = place
        if exact is None and place is not None:
            changed.append(f"{gene} as {measured.genes[place]}")
    if not changed:
        return places, ()
    more = f", and {len(changed) - 5:,} more" if len(changed) > 5 else ""
    return places, (f"Taken in other letters: {', '.join(changed[:5])}{more}.",)


def _between_groups(request: Request, context: Context, measured: Measured) -> Question:
    """Compare two groups of cells gene by gene."""
    chosen = _rows(request, context)
    sides = [_sample(rows, request, i) for i, rows in enumerate(chosen.rows)]
    parts = [sp.csr_matrix(measured.expression[rows]) for rows in sides]
    enough = [
        np.asarray((part > 0).sum(axis=0)).ravel() >= max(FEWEST_CELLS, LEAST_SEEN * part.shape[0])
        for part in parts
    ]
    tested = np.flatnonzero(enough[0] | enough[1])
    if len(tested) < 10:
        raise RequestError(
            f"Only {len(tested)} genes are seen in enough of these cells.", hint="Compare larger groups."
        )
    parts = [sp.csr_matrix(part[:, tested]) for part in parts]
    table = rank_sum_table(*parts)
    t = welch_t(*map(moments, parts))
    change = table.log2_fold_change
    signs = {"up": change > 0, "down": change < 0, "both": change != 0}
    strong = np.abs(change) >= request.least_change
    query = np.flatnonzero((table.fdr <= request.max_fdr) & signs[request.direction] & strong)
    other = request.against or "all other cells"
    words = f"the genes {DIRECTIONS[request.direction]} in {request.group} than in {other}"
    if request.method == "prerank":
        words = f"all genes by {request.group} against {other}"
    question = Question(
        words=words,
        background=f"{measured.words}, seen in at least {100 * LEAST_SEEN:.0f} % of the cells of a side",
        genes=tuple(measured.genes[i] for i in tested),
        levels=np.asarray(sp.vstack(parts).mean(axis=0), dtype=np.float64).ravel(),
        query=query,
        n_asked=len(query),
        change=change[query],
        gene_fdr=table.fdr[query],
        scores=np.clip(t, -LARGEST_T, LARGEST_T),
    )
    note = (
        f"{len(sides[0]):,} cells of {request.group} against {len(sides[1]):,} of {other}; {len(query):,} of "
        f"{len(tested):,} genes pass (rank-sum test, false discovery rate {100 * request.max_fdr:g} %, log2 fold "
        f"change of {request.least_change:g} or more). Cells of one donor are alike, so p values of single "
        "genes are optimistic."
    )
    if not len(query) and request.method == "over-representation":
        raise RequestError(
            f"No gene is {DIRECTIONS[request.direction]} in {request.group} than in {other} at these cuts.",
            hint="Allow smaller changes, or rank all genes (prerank).",
        )
    return replace(question, notes=(note, *chosen.notes, *measured.notes))


def _rows(request: Request, context: Context) -> _Sides:
    """Find the cells of both sides."""
    folder = context.workspace.dataset_folder(request.dataset)
    if not request.column:
        groups = read_groups(folder)
        if request.group not in groups or group_version(groups[request.group]) != request.group_version:
            raise RequestError(
                f"The group {request.group!r} is gone or has other cells by now.", hint="Choose it again."
            )
        n_cells = context.workspace.dataset(request.dataset).n_cells
        inside = np.isin(np.arange(n_cells), groups[request.group])
        outside = ~inside
        notes: tuple[str, ...] = ()
    else:
        asked = [value for value in (request.group, request.against) if value]
        labels = cell_labels(folder, request.column, asked=asked)
        lost = [value for value in asked if value not in labels.names]
        if lost:
            raise RequestError(
                f"The column {request.column!r} has no group {lost[0]!r}.",
                hint=f"It has {', '.join(labels.names[:12])}.",
            )
        inside = labels.codes == labels.names.index(request.group)
        against = labels.names.index(request.against) if request.against else None
        outside = ~inside & (labels.codes >= 0) if against is None else labels.codes == against
        notes = labels.notes
    rows = [np.flatnonzero(inside), np.flatnonzero(outside)]
    if min(map(len, rows)) < FEWEST_CELLS:
        raise RequestError(
            f"One side has {min(map(len, rows))} cells.",
            hint=f"Each needs {FEWEST_CELLS}: choose larger groups.",
        )
    return _Sides(rows=(rows[0], rows[1]), notes=notes)


def _sample(rows: NDArray[np.int64], request: Request, side: int) -> NDArray[np.int64]:
    if len(rows) <= request.most_cells:
        return rows
    rng = np.random.default_rng((request.seed, side))
    return np.sort(rng.choice(rows, request.most_cells, replace=False))
