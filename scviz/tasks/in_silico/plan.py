"""What a request comes to: which cells, which edits, which random genes beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from scviz.datasets.expression import depth_of, log_expression
from scviz.errors import RequestError
from scviz.foundation.edits import Edit
from scviz.foundation.model import FoundationModel
from scviz.tasks.chosen_cells import chosen_rows, passing, sample
from scviz.tasks.context import Context
from scviz.tasks.in_silico import FEWEST_CELLS, Request
from scviz.tasks.in_silico.genes import GenesSeen, by_name, check_genes, genes_seen
from scviz.tasks.in_silico.null import Expressed, random_genes, random_sets
from scviz.tasks.in_silico.screening import can_screen


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
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
    random: tuple[tuple[int, ...], ...]
    """For each edit asked for, which of `edits` are its random genes."""
    expression: NDArray[np.float64]
    """(G,) mean log expression in the cells used."""
    n_seen: int
    """Edits that there were to choose from."""
    n_changed: tuple[int, ...]
    """About how many cells each of `edits` changes."""

    @property
    def used(self) -> AnnData:
        """The cells that are edited."""
        return self.adata[self.rows].copy()


def make_plan(
    request: Request,
    context: Context,
    model: FoundationModel,
    *,
    scores: NDArray[np.float64] | None = None,
) -> Plan:
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
    if request.kind not in model.card.edits:
        raise RequestError(
            f"{model.card.title} does not read an order of genes, in which a gene could be moved.",
            hint="Choose another edit, or Geneformer.",
        )
    folder = context.workspace.dataset_folder(request.dataset)
    adata = context.counts(request.dataset)
    chosen = chosen_rows(folder, request, adata.n_obs)
    rows = sample(chosen, request.most_cells, request.seed)
    seen = genes_seen(folder, model.vocab, rows, adata.n_obs)
    mean = np.asarray(
        log_expression(adata.X[rows], depth_of(adata).of(rows)).mean(axis=0), dtype=np.float64
    ).ravel()
    expressed = Expressed(
        mean=mean,
        detected=seen.n_cells / len(rows),
        drawable=np.flatnonzero(seen.known & (seen.n_cells > 0)),
    )
    asked = _asked(request, folder, seen, mean if scores is None else scores)
    n_seen = len(asked)
    if can_screen(request, model):
        asked = asked[: request.n_exact]
    beside = _random(request, asked, expressed, exhaustive=request.all_genes and len(asked) == n_seen)
    sets = list(dict.fromkeys([*asked, *(genes for drawn in beside for genes in drawn)]))
    at = {genes: number for number, genes in enumerate(sets)}
    names = [tuple(seen.names[gene] for gene in genes) for genes in sets]
    return Plan(
        adata=adata,
        rows=rows,
        n_chosen=len(chosen),
        goal_rows=_goal(request, folder, chosen, adata.n_obs),
        edits=tuple(Edit(kind=request.kind, genes=genes, share=request.share) for genes in names),
        n_asked=len(asked),
        random=tuple(tuple(at[genes] for genes in drawn) for drawn in beside),
        expression=mean,
        n_seen=n_seen,
        n_changed=tuple(_n_changed(request, seen, genes) for genes in sets),
    )


def _asked(
    request: Request, folder: Path, seen: GenesSeen, order: NDArray[np.float64]
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


def _random(
    request: Request, asked: list[tuple[int, ...]], expressed: Expressed, *, exhaustive: bool
) -> list[list[tuple[int, ...]]]:
    """Draw the random genes of each edit; where all genes are edited, these are all that are expressed alike."""
    if not request.sweep:
        return [random_sets(expressed, np.array(asked[0]), request.n_random, seed=request.seed)]
    without = np.array([] if exhaustive else [gene for (gene,) in asked], dtype=np.int64)
    places = expressed.places()
    beside: list[list[tuple[int, ...]]] = []
    for (gene,) in asked:
        drawn = random_genes(expressed, gene, None, without=without, seed=request.seed, places=places)
        if not exhaustive or len(drawn) < request.n_random:
            drawn = random_genes(
                expressed, gene, request.n_random, without=without, seed=request.seed, places=places
            )
        beside.append([(int(other),) for other in drawn])
    return beside


def _goal(request: Request, folder: Path, chosen: NDArray[np.int64], n_cells: int) -> NDArray[np.int64]:
    """Sample the cells of the goal that are of the same kind as those chosen and none of them."""
    if request.goal is None:
        return np.empty(0, dtype=np.int64)
    others = [one for one in request.cells if one.column != request.goal.column]
    rows = np.setdiff1d(passing(folder, [request.goal, *others], n_cells), chosen)
    if not len(rows):
        raise RequestError(
            "The goal holds no cell beside those that are edited.",
            hint="Choose another goal, or edit fewer cells.",
        )
    return sample(rows, request.most_cells, request.seed)


def _n_changed(request: Request, seen: GenesSeen, genes: tuple[int, ...]) -> int:
    if request.kind == "overexpress":
        return seen.n_used
    return min(seen.n_used, int(seen.n_cells[list(genes)].sum()))
