"""Mend an open dataset; what comes of it is a dataset of its own."""

from __future__ import annotations

import pandas as pd

from scviz.datasets.columns import NAME_IN_FILE, cell_column, gene_identifiers
from scviz.datasets.genes import guess_species, unique_names
from scviz.datasets.labels import alike_labels, joined_labels
from scviz.datasets.orthologs import mouse_to_human
from scviz.datasets.steps import Step, apply_step
from scviz.errors import RequestError
from scviz.tasks.context import Context
from scviz.tasks.mending import Request, Result


def run(request: Request, context: Context) -> Result:
    """Carry the request out.

    Raises
    ------
    RequestError
        If there is nothing to mend.
    """
    step = _orthologs(request, context) if request.what == "orthologs" else _labels(request, context)
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
