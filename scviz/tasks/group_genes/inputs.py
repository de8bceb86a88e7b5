"""From a request to the side of each cell."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.cells_where import genes_in
from scviz.datasets.columns import cell_column
from scviz.datasets.donor_names import donors_first, says_attribute
from scviz.errors import RequestError
from scviz.metrics.donors import FEWEST_DONORS
from scviz.metrics.evidence import counted
from scviz.metrics.group_values import NEITHER
from scviz.metrics.two_groups import FIRST, SECOND
from scviz.tasks.cell_groups import members
from scviz.tasks.chosen_cells import passing
from scviz.tasks.group_genes import Request
from scviz.tasks.group_genes.donors import KINDS, Samples, donor_columns, samples_of
from scviz.workspace import DatasetInfo, Workspace

if TYPE_CHECKING:
    from scviz.tasks.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """N cells on two sides."""

    sides: NDArray[np.int8]
    """(N,) FIRST, SECOND or NEITHER."""
    cells: str
    """Which cells were looked at, in words."""
    donors: str
    """What is known of where the cells come from, in words; empty where nothing is."""
    donor_column: str
    """Likeliest column whose values stand for donors on both sides; empty where there is none."""
    chosen_by: tuple[str, ...]
    """Genes that the expressions of both groups compare."""
    samples: Samples | None
    """Donors of both sides, where these are compared."""
    notes: tuple[str, ...]

    @property
    def n_cells(self) -> tuple[int, int]:
        """Cells of both sides."""
        return int(np.sum(self.sides == FIRST)), int(np.sum(self.sides == SECOND))


def gather(request: Request, context: Context) -> Inputs:
    """Find the cells of both groups.

    Raises
    ------
    RequestError
        If a group is unknown or too small, or cells are in both.
    """
    info = context.workspace.dataset(request.dataset)
    folder = context.workspace.dataset_folder(request.dataset)
    inside, outside, notes = both_sides(request, context.workspace)
    _check(request, inside, outside)
    sides = np.full(info.n_cells, NEITHER, dtype=np.int8)
    sides[inside], sides[outside] = FIRST, SECOND
    samples = samples_of(request, folder, sides) if request.method == "deseq2" else None
    if samples is not None:
        sides[samples.codes < 0] = NEITHER
    columns = donor_columns(info, folder, sides)
    return Inputs(
        sides=sides,
        cells=_within(request),
        donors=_donors(info, folder, sides),
        donor_column=next(iter(columns), ""),
        chosen_by=_chosen_by(request, folder),
        samples=samples,
        notes=tuple(dict.fromkeys((*notes, *(samples.notes if samples else ())))),
    )


def both_sides(
    request: Request, workspace: Workspace
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], tuple[str, ...]]:
    """Find the cells of both groups, whether or not they can be compared.

    Returns
    -------
    (N,) cells of the first group, (N,) of the second, and what is to be said of them.

    Raises
    ------
    RequestError
        If a group is unknown.
    """
    info, folder = workspace.dataset(request.dataset), workspace.dataset_folder(request.dataset)
    within = np.zeros(info.n_cells, dtype=bool)
    within[passing(folder, request.within, info.n_cells)] = True
    first = members(request.a, request.dataset, workspace)
    other = None if request.b is None else members(request.b, request.dataset, workspace)
    outside = first.truth.no if other is None else other.truth.yes
    notes = (*first.notes, *(other.notes if other else ()))
    return first.truth.yes & within, outside & within, notes


def _check(request: Request, inside: NDArray[np.bool_], outside: NDArray[np.bool_]) -> None:
    """Refuse groups that share cells, and small ones."""
    shared = int(np.sum(inside & outside))
    if shared:
        raise RequestError(
            f"{counted(shared, 'cell')} of {request.a.words} {'is' if shared == 1 else 'are'} also in {request.other}; "
            "what differs between the groups cannot be told.",
            hint="Choose groups without cells in common, or compare the first with all other cells.",
        )
    for group, found in ((request.a.words, inside), (request.other, outside)):
        n_cells = int(found.sum())
        if n_cells < request.fewest_cells:
            raise RequestError(
                f"There {'is' if n_cells == 1 else 'are'} {counted(n_cells, 'cell')} of {group} {_within(request)}; "
                f"a comparison takes {request.fewest_cells:,} or more.",
                hint="Choose a larger group, or allow smaller ones (Minimum cells of a group).",
            )


def _within(request: Request) -> str:
    if not request.within:
        return "among all cells"
    return "among cells with " + " and ".join(
        f"{one.column} {' or '.join(one.values)}" for one in request.within
    )


def _chosen_by(request: Request, folder: Path) -> tuple[str, ...]:
    groups = (one for one in (request.a, request.b) if one is not None and one.expression)
    return tuple(dict.fromkeys(gene for one in groups for gene in genes_in(folder, one.expression)))


def _donors(info: DatasetInfo, folder: Path, sides: NDArray[np.int8]) -> str:
    """Say from how many donors, samples or batches the compared cells come, by the likeliest such column."""
    named = donors_first(one for one in info.columns if one.kind in KINDS)
    batches = (name for name in info.columns_of("batch") if not says_attribute(name))
    for name in dict.fromkeys((*named, *batches)):
        column = cell_column(folder, name)
        if column.categories is None or _is_question(column.values, sides):
            continue
        n_donors = [len(np.unique(column.values[sides == side])) for side in (FIRST, SECOND)]
        if max(n_donors) >= FEWEST_DONORS:
            return f"the cells of the groups come from {n_donors[0]:,} and {n_donors[1]:,} values of {name}"
    return ""


def _is_question(codes: NDArray[np.integer], sides: NDArray[np.int8]) -> bool:
    """Tell whether a column, (N,) codes, says no more than which side a cell is on."""
    return all(len(np.unique(codes[sides == side])) == 1 for side in (FIRST, SECOND))
