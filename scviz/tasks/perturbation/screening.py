"""Which cells of a dataset were perturbed how, and which perturbations are held out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.conditions import FEWEST_CELLS, conditions_of
from scviz.datasets.expression import depth_of
from scviz.datasets.gene_terms import Terms, read_terms
from scviz.datasets.perturbation_split import PerturbationSplit, split_perturbations
from scviz.datasets.screen import CONTROL, Perturbation, Screen
from scviz.datasets.screen_cells import screen_of
from scviz.errors import RequestError
from scviz.metrics.differential import TOP_DE, differential_genes_of
from scviz.tasks.context import Context
from scviz.tasks.perturbation import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A screen that is divided."""

    screen: Screen
    split: PerturbationSplit
    train: Screen
    """With the control cells that methods may see."""
    validation: Screen | None
    control_rows: NDArray[np.int64]
    """Control cells of `screen` from which measured changes start."""
    de_order: tuple[NDArray[np.int64], ...]
    """Of each test perturbation, all genes, the largest absolute Welch t first."""
    terms: Terms | None
    n_left_out: int
    notes: tuple[str, ...]

    @property
    def test(self) -> tuple[Perturbation, ...]:
        """What is judged, in its order."""
        return self.split.test

    @property
    def control(self) -> NDArray[np.float64]:
        """Mean expression of the control cells from which measured changes start, (G,)."""
        return np.asarray(self.screen.expression[self.control_rows].mean(axis=0)).ravel()

    @property
    def targets(self) -> tuple[tuple[int, ...], ...]:
        """Columns of the perturbed genes of each test perturbation, where they are measured."""
        return tuple(map(self.columns_of, self.test))

    def columns_of(self, perturbation: Perturbation) -> tuple[int, ...]:
        """Columns of the perturbed genes that are measured."""
        column = self.screen.column
        return tuple(column[gene] for gene in perturbation if gene in column)

    @property
    def de_genes(self) -> NDArray[np.int64]:
        """The genes that each test perturbation changes most, (P, TOP_DE)."""
        return np.array([order[:TOP_DE] for order in self.de_order], dtype=np.int64).reshape(
            len(self.test), -1
        )


def prepare(request: Request, context: Context) -> Task:
    """Read the screen and divide it.

    Raises
    ------
    RequestError
        If no cell is control, or the split leaves nothing to learn from or to judge by.
    """
    folder = context.workspace.dataset_folder(request.dataset)
    conditions = conditions_of(folder, request.column, request.control)
    few = [one for one, n_cells in conditions.n_cells.items() if n_cells < FEWEST_CELLS and one != CONTROL]
    mapping = {value: None if one in few else one for value, one in conditions.mapping.items()}
    adata = context.counts(request.dataset)
    whole = screen_of(adata, request.column, mapping, most_genes=request.most_genes or None)
    split = split_perturbations(whole.perturbations, request.split, seed=request.split_seed)
    seen, judging = _controls(whole, request)
    train_rows = np.flatnonzero(_are_of(whole, split.train) & ~_are_of(whole, [CONTROL]))
    notes = [f"{len(few)} perturbations with fewer than {FEWEST_CELLS} cells are left out."] if few else []
    notes += depth_of(adata).notes
    if split.dropped:
        notes.append(
            f"The split uses {len(split.dropped)} perturbations for nothing: they tell about a test gene."
        )
    own = whole.take(np.sort(np.concatenate([judging, np.flatnonzero(_are_of(whole, split.test))])))
    genes = differential_genes_of(
        own.expression, own.codes, [own.index[one] for one in split.test], control=own.index[CONTROL]
    )
    return Task(
        screen=whole,
        split=split,
        train=whole.take(np.sort(np.concatenate([seen, train_rows]))),
        validation=whole.only(split.validation) if split.validation else None,
        control_rows=judging,
        de_order=tuple(one.order for one in genes),
        terms=read_terms(context.workspace.terms_file(request.terms)) if request.terms else None,
        n_left_out=conditions.n_left_out,
        notes=tuple(notes),
    )


def _controls(screen: Screen, request: Request) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the control cells that methods see, and those from which measured changes start."""
    rows = screen.rows(CONTROL)
    if not request.independent_controls:
        return rows, rows
    if len(rows) < 2 * FEWEST_CELLS:
        raise RequestError(
            f"{len(rows)} control cells are too few to part.", hint="Let both sides share the control cells."
        )
    shuffled = np.random.default_rng((request.seed, 7)).permutation(rows)
    half = len(rows) // 2
    return np.sort(shuffled[:half]), np.sort(shuffled[half:])


def _are_of(
    screen: Screen, perturbations: tuple[Perturbation, ...] | list[Perturbation]
) -> NDArray[np.bool_]:
    """Tell which cells are of some perturbations, (N,)."""
    return np.isin(screen.codes, [screen.index[one] for one in perturbations if one in screen.index])
