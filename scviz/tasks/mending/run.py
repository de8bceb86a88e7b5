"""Mend an open dataset; what comes of it is a dataset of its own."""

from __future__ import annotations

import pandas as pd

from scviz.datasets.cleaning import NAME_IN_FILE
from scviz.datasets.columns import gene_identifiers
from scviz.datasets.genes import unique_names
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
        If no gene of the dataset has a human counterpart that is its alone.
    """
    ids = gene_identifiers(context.workspace.dataset_folder(request.dataset))
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
    step = Step(line=human.note, genes=human.columns, var=var)
    info = apply_step(context.workspace, request.dataset, step, report=context.report)
    return Result(dataset=info.id, note=human.note)
