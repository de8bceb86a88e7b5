"""Mend an open dataset; what comes of it is a dataset of its own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from scviz.datasets.columns import NAME_IN_FILE, cell_column, column_names, gene_identifiers
from scviz.datasets.genes import guess_species, unique_names
from scviz.datasets.labels import alike_labels, joined_labels
from scviz.datasets.orthologs import mouse_to_human
from scviz.datasets.steps import Step, apply_step
from scviz.errors import RequestError
from scviz.metrics.evidence import counted
from scviz.tasks.cell_groups import members
from scviz.tasks.context import Context
from scviz.tasks.mending import Request, Result


def run(request: Request, context: Context) -> Result:
    """Carry the request out.

    Raises
    ------
    RequestError
        If there is nothing to mend.
    """
    step = _STEPS[request.what](request, context)
    info = apply_step(context.workspace, request.dataset, step, report=context.report)
    return Result(dataset=info.id, note=step.line)


def _orthologs(request: Request, context: Context) -> Step:
    ids = gene_identifiers(context.workspace.dataset_folder(request.dataset))
    guess = guess_species(ids)
    if guess.called not in ("", "mouse"):
        raise RequestError(
            f"These are genes of {guess.called}, and the orthologs are those of mouse: {guess.evidence}",
            hint="Go on with these genes as they are."
            if guess.called == "human"
            else "Map the genes to human ones with a table of orthologs of your species, then open that file.",
        )
    human = mouse_to_human(ids)
    if not len(human.columns):
        raise RequestError(
            "No gene of this dataset is a mouse gene with one human counterpart.",
            hint="Look at the names of the genes on the Data page.",
        )
    names = [ids.names[i] for i in human.columns]
    var = pd.DataFrame(
        {"gene_ids": list(human.ensembl), NAME_IN_FILE: names},
        index=pd.Index(unique_names(human.symbols), dtype=object),
    )
    return Step(line=human.note, genes=human.columns, var=var)


def _labels(request: Request, context: Context) -> Step:
    column = cell_column(context.workspace.dataset_folder(request.dataset), request.column)
    alike = alike_labels(column)
    if not alike:
        raise RequestError(
            f"No two labels of {request.column} differ by blanks or case alone.",
            hint="Choose another column.",
        )
    joined = joined_labels(column)
    told = "; ".join(f"{', '.join(map(repr, one.words))} became {one.into!r}" for one in alike)
    values = pd.Categorical.from_codes(joined.values, categories=list(joined.categories or ()))
    line = f"Labels of {request.column} that differ by blanks or case were joined: {told}."
    return Step(line=line, columns={request.column: values})


def _groups(request: Request, context: Context) -> Step:
    """Make one column of named groups, each cell in one of them at most."""
    folder = context.workspace.dataset_folder(request.dataset)
    n_cells = context.workspace.dataset(request.dataset).n_cells
    if request.column in column_names(folder):
        raise RequestError(
            f"The dataset has a column {request.column!r} already.",
            hint="Choose another name for the new one.",
        )
    codes = np.full(n_cells, -1, dtype=np.int32)
    for code, group in enumerate(request.groups):
        inside = members(group, request.dataset, context.workspace).truth.yes
        shared = int(np.sum(codes[inside] >= 0))
        if shared:
            raise RequestError(
                f"{counted(shared, 'cell')} of {group.named!r} {'is' if shared == 1 else 'are'} in another group, too, "
                "and a label is one for each cell.",
                hint="Take the shared cells from one of the groups first.",
            )
        codes[inside] = code
    names = [group.named for group in request.groups]
    told = ", ".join(
        f"{name!r} ({counted(int(np.sum(codes == code)), 'cell')})" for code, name in enumerate(names)
    )
    line = f"Named groups became the column {request.column}: {told}; {int(np.sum(codes < 0)):,} cells are in none."
    return Step(line=line, columns={request.column: pd.Categorical.from_codes(codes, categories=names)})


_STEPS: dict[str, Callable[[Request, Context], Step]] = {
    "orthologs": _orthologs,
    "labels": _labels,
    "groups": _groups,
}
