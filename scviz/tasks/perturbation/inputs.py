"""Which cells of a dataset were perturbed how, and which perturbations are held out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.conditions import FEWEST_CELLS, MOST_TOGETHER, Conditions, conditions_of
from scviz.datasets.confounding import confounded_factors
from scviz.datasets.expression import depth_of
from scviz.datasets.gene_terms import Terms, read_terms, terms_for
from scviz.datasets.perturbation_split import PerturbationSplit, custom_split, split_perturbations
from scviz.datasets.screen import CONTROL, Perturbation, Screen
from scviz.datasets.screen_cells import screen_of
from scviz.errors import RequestError
from scviz.metrics.differential import differential_genes_of
from scviz.tasks.context import Context
from scviz.tasks.perturbation import TOP_DE, Request

TOO_FEW = f"fewer than {FEWEST_CELLS} cells have their perturbation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """A screen that is divided."""

    request: Request
    screen: Screen
    split: PerturbationSplit
    train: Screen
    """With the control cells that methods may see."""
    validation: Screen | None
    judged: Screen
    """The test perturbations, with the control cells from which measured changes start."""
    de_order: NDArray[np.int64]
    """(P, D) of each test perturbation, the genes with the largest absolute Welch t, the largest first."""
    terms: Terms | None
    left_out: dict[str, int]
    """Cells that are left out, by reason."""
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    """What makes changes other than they seem."""

    @property
    def test(self) -> tuple[Perturbation, ...]:
        """What is judged, in its order."""
        return self.split.test

    @property
    def wanted(self) -> tuple[Perturbation, ...]:
        """What is predicted: what is judged, then what was asked for besides."""
        return (*self.test, *(tuple(sorted(one)) for one in self.request.predict_also))

    @property
    def learned(self) -> tuple[Perturbation, ...]:
        """Training and validation perturbations, without control."""
        return tuple(one for one in (*self.split.train, *self.split.validation) if one)

    def columns_of(self, perturbation: Perturbation) -> tuple[int, ...]:
        """Columns of the perturbed genes that are measured."""
        column = self.screen.column
        return tuple(column[gene] for gene in perturbation if gene in column)


def division(request: Request, perturbations: Sequence[Perturbation]) -> PerturbationSplit:
    """Divide perturbations as a request says.

    Raises
    ------
    RequestError
        If nothing is left to learn from or to judge by, or the screen lacks what is to be held out.
    """
    if request.split == "own":
        return custom_split(perturbations, test=request.held_out, validation=request.stop_by)
    return split_perturbations(perturbations, request.split, seed=request.split_seed)


def gather(request: Request, context: Context) -> Inputs:
    """Read the screen and divide it.

    Raises
    ------
    RequestError
        If no cell is control, or the split leaves nothing to learn from or to judge by.
    """
    folder = context.workspace.dataset_folder(request.dataset)
    conditions = conditions_of(folder, request.column, request.control)
    few = {one for one, n_cells in conditions.n_cells.items() if n_cells < FEWEST_CELLS and one != CONTROL}
    mapping = {value: None if one in few else one for value, one in conditions.mapping.items()}
    counts = context.counts(request.dataset)
    whole = screen_of(counts, request.column, mapping, most_genes=request.most_genes or None)
    split = division(request, whole.perturbations)
    seen, judging = _controls(whole, request)
    judged = _with_controls(whole, split.test, judging)
    columns = context.workspace.dataset(request.dataset).columns
    factors = confounded_factors(folder, conditions, columns=columns, seed=request.seed)
    return Inputs(
        request=request,
        screen=whole,
        split=split,
        train=_with_controls(whole, split.train, seen),
        validation=whole.only(split.validation) if split.validation else None,
        judged=judged,
        de_order=_most_changed(judged, split.test),
        terms=_terms(request, context, whole),
        left_out=_left_out(conditions, few),
        notes=(
            *depth_of(counts).notes,
            *_notes(conditions, few, n_dropped=len(split.dropped)),
        ),
        warnings=tuple(one.sentence for one in factors),
    )


def _terms(request: Request, context: Context, screen: Screen) -> Terms | None:
    """Read the terms of genes, under the names of the screen."""
    if not request.terms:
        return None
    perturbed = [gene for one in screen.perturbations for gene in one]
    return terms_for(read_terms(context.workspace.terms_file(request.terms)), [*screen.genes, *perturbed])


def _notes(conditions: Conditions, few: Collection[Perturbation], *, n_dropped: int) -> tuple[str, ...]:
    """Say what is not used, by reason."""
    cells = sum(conditions.n_cells[one] for one in few)
    told = (
        (
            len(few),
            f"{{:,}} perturbations with fewer than {FEWEST_CELLS} cells are left out ({cells:,} cells).",
        ),
        (n_dropped, "The split uses {:,} perturbations for nothing: they tell about a test gene."),
    )
    return (*conditions.notes, *(words.format(number) for number, words in told if number))


def _left_out(conditions: Conditions, few: Collection[Perturbation]) -> dict[str, int]:
    """Count the cells that are left out, by reason."""
    cells = sum(conditions.n_cells[one] for one in few)
    return conditions.left_out | ({TOO_FEW: cells} if cells else {})


def _with_controls(
    screen: Screen, perturbations: Sequence[Perturbation], controls: NDArray[np.int64]
) -> Screen:
    """Take the cells of some perturbations, and these rows of control cells."""
    codes = [screen.index[one] for one in perturbations if one != CONTROL and one in screen.index]
    return screen.take(np.sort(np.concatenate([controls, np.flatnonzero(np.isin(screen.codes, codes))])))


def _most_changed(judged: Screen, test: Sequence[Perturbation]) -> NDArray[np.int64]:
    """Find the genes that each perturbation changes most, (P, D): as many as count where its targets are left out."""
    codes = [judged.index[one] for one in test]
    found = differential_genes_of(judged.expression, judged.codes, codes, control=judged.index[CONTROL])
    orders = [one.order[: TOP_DE + MOST_TOGETHER] for one in found]
    return np.array(orders, dtype=np.int64).reshape(len(test), -1)


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
