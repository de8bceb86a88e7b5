"""What a request comes to: which cells, which edits, which random genes beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray
from scipy.stats import rankdata

from scviz.datasets.expression import depth_of, log_expression
from scviz.errors import RequestError
from scviz.foundation.edits import Edit
from scviz.foundation.model import FoundationModel
from scviz.metrics.evidence import random_needed
from scviz.metrics.matched_null import MatchedNull
from scviz.tasks.chosen_cells import chosen_rows, passing, sample
from scviz.tasks.context import Context
from scviz.tasks.in_silico import FEWEST_CELLS, Request
from scviz.tasks.in_silico.genes import GenesSeen, by_name, check_genes, genes_seen
from scviz.tasks.in_silico.screening import can_screen
from scviz.tasks.in_silico.statistics import Null

FEW, MANY = 199, 999
"""Random genes of one edit or a short list, and of all genes after a screen."""
ALIKE = 5
"""Of the genes that could be drawn for one edit, the fifth that is nearest in expression is enough."""
ENOUGH = 39
"""But at least so many genes."""

Genes: TypeAlias = tuple[int, ...]
"""Positions of genes that are edited together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Cells and edits of a run."""

    adata: AnnData
    """All cells, raw counts."""
    rows: NDArray[np.int64]
    """(n,) cells that are edited."""
    n_chosen: int
    goal_rows: NDArray[np.int64]
    edits: tuple[Edit, ...]
    """What is asked for, then the random genes."""
    n_asked: int
    null: Null
    random: NDArray[np.int64]
    """(R,) which of `edits` are the random genes; of all genes, some are asked for, too."""
    levels: NDArray[np.float64]
    """(all edits,) how high each is expressed, as a mean rank among the genes of the dataset."""
    expression: NDArray[np.float64]
    """(all edits,) mean log expression in the cells used."""
    n_tests: int
    """Edits that there were to choose from."""
    n_drawable: int
    """Genes that random ones could be drawn from."""
    n_changed: tuple[int, ...]
    """About how many cells each of `edits` changes."""

    @property
    def used(self) -> AnnData:
        """The cells that are edited."""
        return self.adata[self.rows].copy()


def gather(
    request: Request,
    context: Context,
    model: FoundationModel,
    *,
    scores: NDArray[np.float64] | None = None,
) -> Inputs:
    """Find cells and genes, and draw random genes.

    Parameters
    ----------
    scores
        (G,) what a screen gives to all genes, the best of which are edited then. Without it those that are expressed
        most stand for them.

    Raises
    ------
    RequestError, GeneMatchError
        If there are no such cells, a gene cannot be edited in them, or the model cannot read the edit.
    """
    _check_kind(request, model)
    folder = context.workspace.dataset_folder(request.dataset)
    adata = context.counts(request.dataset)
    chosen = chosen_rows(folder, request, adata.n_obs)
    rows = sample(chosen, request.most_cells, request.seed)
    seen = genes_seen(folder, model.vocab, rows, n_cells=adata.n_obs)
    mean = np.asarray(
        log_expression(adata.X[rows], depth_of(adata).of(rows)).mean(axis=0), dtype=np.float64
    ).ravel()
    asked = _asked(request, folder, seen, order=mean if scores is None else scores)
    n_tests = len(asked)
    if can_screen(request, model):
        asked = asked[: request.n_exact]
    drawn = _Drawing(request, seen, mean).beside(asked, n_tests)
    sets = list(dict.fromkeys([*asked, *drawn.sets]))
    at = {genes: number for number, genes in enumerate(sets)}
    levels = _levels(seen, mean)
    return Inputs(
        adata=adata,
        rows=rows,
        n_chosen=len(chosen),
        goal_rows=_goal(request, folder, chosen, n_cells=adata.n_obs),
        edits=tuple(
            Edit(kind=request.kind, genes=tuple(seen.names[gene] for gene in genes), share=request.share)
            for genes in sets
        ),
        n_asked=len(asked),
        null=drawn.null,
        random=np.array([at[genes] for genes in drawn.sets], dtype=np.int64),
        levels=np.array([levels[list(genes)].mean() for genes in sets]),
        expression=np.array([mean[list(genes)].mean() for genes in sets]),
        n_tests=n_tests,
        n_drawable=drawn.n_drawable,
        n_changed=tuple(_n_changed(request, seen, genes) for genes in sets),
    )


def _check_kind(request: Request, model: FoundationModel) -> None:
    """Refuse an edit that the model cannot read."""
    if request.kind not in model.card.edits:
        raise RequestError(
            f"{model.card.title} does not read an order of genes, in which a gene could be moved.",
            hint="Choose another edit, or Geneformer.",
        )


def _levels(seen: GenesSeen, mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rank genes by mean expression and by the cells in which they were seen, and average the ranks, (G,)."""
    ranks: NDArray[np.float64] = rankdata(np.stack([mean, seen.n_cells], axis=1), axis=0).mean(axis=1)
    return ranks


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    """Random genes, or sets of them."""

    null: Null
    sets: list[Genes]
    n_drawable: int


class _Drawing:
    """Random genes for what is asked."""

    def __init__(self, request: Request, seen: GenesSeen, mean: NDArray[np.float64]) -> None:
        self.request = request
        fewest = FEWEST_CELLS if request.all_genes else 1
        self.pool = np.flatnonzero(seen.known & (seen.n_cells >= fewest))
        self.null = MatchedNull(np.stack([mean, seen.n_cells], axis=1), pool=self.pool)
        self.rng = np.random.default_rng(request.seed)

    def beside(self, asked: list[Genes], n_tests: int) -> _Drawn:
        """Draw for one edit, for a list, or from all genes that were screened, those asked for among them."""
        if self.request.all_genes:
            return self._of_all(asked, n_tests)
        if self.request.sweep:
            return self._shared(np.array([gene for (gene,) in asked]))
        return self._of_one(np.array(asked[0]))

    def _of_one(self, genes: NDArray[np.int64]) -> _Drawn:
        n_drawable = len(np.setdiff1d(self.pool, genes))
        n = self.request.n_random or min(FEW, max(ENOUGH, n_drawable // ALIKE))
        if len(genes) == 1:
            drawn = self.null.genes(int(genes[0]), n, rng=self.rng)
            return _Drawn(null="own", sets=[(int(gene),) for gene in drawn], n_drawable=n_drawable)
        sets = self.null.sets(genes, n, rng=self.rng)
        different = {frozenset(row): tuple(row) for row in sets.tolist()}
        return _Drawn(null="own", sets=list(different.values()), n_drawable=n_drawable)

    def _shared(self, genes: NDArray[np.int64]) -> _Drawn:
        """Draw as many for each gene, so that all together are expressed like the list; none twice."""
        n_drawable = len(np.setdiff1d(self.pool, genes))
        n = min(self.request.n_random or max(FEW, random_needed(len(genes))), n_drawable)
        taken: list[int] = []
        for turn, gene in enumerate(genes):
            wanted = round(n * (turn + 1) / len(genes)) - len(taken)
            if wanted > 0:
                taken += self.null.genes(int(gene), wanted, rng=self.rng, without=[*genes, *taken]).tolist()
        return _Drawn(null="shared", sets=[(gene,) for gene in taken], n_drawable=n_drawable)

    def _of_all(self, asked: list[Genes], n_tests: int) -> _Drawn:
        if len(asked) == n_tests:
            return _Drawn(null="all", sets=list(asked), n_drawable=n_tests)
        n = min(self.request.n_random or MANY, len(self.pool))
        drawn = np.sort(self.rng.choice(self.pool, n, replace=False))
        return _Drawn(null="all", sets=[(int(gene),) for gene in drawn], n_drawable=len(self.pool))


def _asked(
    request: Request, folder: Path, seen: GenesSeen, *, order: NDArray[np.float64]
) -> list[tuple[int, ...]]:
    """List the genes of each edit asked for, as positions; all genes come in the given order, the highest first."""
    if request.all_genes:
        genes = seen.editable("delete")
        genes = genes[seen.n_cells[genes] >= FEWEST_CELLS]
        if not len(genes):
            raise RequestError(
                f"The model sees no gene in {FEWEST_CELLS} or more of these cells.",
                hint="Choose other cells or weights.",
            )
        return [(int(gene),) for gene in genes[np.argsort(-order[genes], kind="stable")]]
    names = tuple(by_name(folder, gene) for gene in request.genes)
    check_genes(seen, names, request.kind)
    positions = tuple(dict.fromkeys(seen.names.index(name) for name in names))
    return [(gene,) for gene in positions] if request.sweep else [positions]


def _goal(request: Request, folder: Path, chosen: NDArray[np.int64], *, n_cells: int) -> NDArray[np.int64]:
    """Sample the cells of the goal that are of the same kind as those chosen and none of them."""
    if request.goal is None:
        return np.empty(0, dtype=np.int64)
    others = [one for one in request.cells if one.column != request.goal.column]
    rows = np.setdiff1d(passing(folder, [request.goal, *others], n_cells), chosen)
    if not len(rows):
        raise RequestError(
            f"All cells of the goal {', '.join(request.goal.values)} are among the {len(chosen):,} chosen to be "
            "edited.",
            hint="Choose another goal, or the cells of a type or group that leaves some of the goal out; a lower "
            "maximum does not, since it only says how many of the chosen cells are drawn.",
        )
    return sample(rows, request.most_cells, request.seed)


def _n_changed(request: Request, seen: GenesSeen, genes: tuple[int, ...]) -> int:
    if request.kind == "overexpress":
        return seen.n_used
    return min(seen.n_used, int(seen.n_cells[list(genes)].sum()))
