"""Cells on two sides, genes one block at a time, a table."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.sparse import csc_matrix

from scviz.datasets.columns import gene_blocks, gene_names
from scviz.datasets.donor_sums import donor_sums
from scviz.metrics.two_groups import GeneTable, Method, two_groups
from scviz.networks.contract import GeneSet
from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.group_genes import MOST_FDR, MOST_IN_SET, TWOFOLD, Request, Result
from scviz.tasks.group_genes.cost import price as price
from scviz.tasks.group_genes.deseq2 import GROUP, donors_compared
from scviz.tasks.group_genes.inputs import gather
from scviz.tasks.group_genes.verdict import outcome, verdict

OF_DONORS = ("log2_fold_change", "score", "p_value", "adjusted_p")
"""What the test of donors says of each gene in place of that of cells."""


def run(request: Request, context: Context) -> Result:
    """Carry the request out."""
    begun = time.monotonic()
    context.report(Progress(stage="Reading cells"))
    inputs = gather(request, context)
    folder = context.workspace.dataset_folder(request.dataset)
    method: Method = "welch" if request.method == "deseq2" else request.method
    table = two_groups(_reported(folder, len(inputs.sides), context), inputs.sides, method=method)
    notes = inputs.notes
    if inputs.samples is not None:
        context.report(Progress(stage="Comparing donors"))
        sums = donor_sums(folder, inputs.samples.codes, len(inputs.samples.factors[GROUP]))
        found = donors_compared(sums, inputs.samples.factors)
        table = replace(table, **{name: getattr(found, name) for name in OF_DONORS})
        notes = (*notes, *found.notes)
    genes = gene_names(folder)
    passing = table.adjusted_p <= MOST_FDR
    order = table.order
    return Result(
        names=(request.a.words, request.other),
        n_cells=inputs.n_cells,
        n_donors=inputs.samples.n_donors if inputs.samples else (0, 0),
        genes=tuple(genes[i] for i in order),
        log2_fold_change=table.log2_fold_change[order],
        score=table.score[order],
        p_value=table.p_value[order],
        adjusted_p=table.adjusted_p[order],
        share_a=table.shares[0, order],
        share_b=table.shares[1, order],
        mean_a=table.means[0, order],
        mean_b=table.means[1, order],
        n_higher=int(np.sum(passing & (table.score > 0))),
        n_lower=int(np.sum(passing & (table.score < 0))),
        n_large=int(np.sum(passing & (np.abs(table.log2_fold_change) >= TWOFOLD))),
        outcome=outcome(request, inputs, table),
        verdict=verdict(request, inputs, table, genes=genes),
        notes=notes,
        seconds=time.monotonic() - begun,
        sides=inputs.sides,
        donors="" if inputs.samples else inputs.donor_column,
        sets=_sets(request, table, genes),
    )


def _sets(request: Request, table: GeneTable, genes: tuple[str, ...]) -> tuple[GeneSet, ...]:
    """Hand on the first genes of both sides."""
    order = table.order[table.adjusted_p[table.order] <= MOST_FDR]
    sides = {"higher": order[table.score[order] > 0], "lower": order[table.score[order] < 0]}
    return tuple(
        GeneSet(
            name=f"{word} in {request.a.words} than in {request.other}",
            genes=tuple(genes[i] for i in chosen[:MOST_IN_SET]),
        )
        for word, chosen in sides.items()
        if len(chosen)
    )


def _reported(folder: Path, n_cells: int, context: Context) -> Iterator[csc_matrix]:
    """Give the expression, (N, g) at a time, and say how far it is."""
    done, n_genes = 0, len(gene_names(folder))
    for block in gene_blocks(folder, n_cells):
        yield block
        done += block.shape[1]
        context.report(Progress(stage="Comparing genes", done=done, total=n_genes))
