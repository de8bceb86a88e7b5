"""Samples and types of the cells, shares compared, genes compared, what to say."""

from __future__ import annotations

import time

from scviz.metrics.evidence import counted
from scviz.progress import Progress
from scviz.tasks.conditions import Request, Result
from scviz.tasks.conditions.changed_genes import changed_genes, equal_size, parts_of
from scviz.tasks.conditions.inputs import Inputs, gather
from scviz.tasks.conditions.shares import compare_shares
from scviz.tasks.conditions.verdict import (
    depth_words,
    genes_outcome,
    genes_verdict,
    method_words,
    reference_words,
    shares_outcome,
    shares_verdict,
)
from scviz.tasks.context import Context
from scviz.tasks.same_donors import same_note


def run(request: Request, context: Context) -> Result:
    """Carry the request out."""
    begun = time.monotonic()
    context.report(Progress(stage="Reading cells"))
    inputs = gather(request, context.workspace.dataset_folder(request.dataset))
    shares = compare_shares(request, inputs)
    context.report(Progress(stage="Comparing genes"))
    genes, equal_cells = changed_genes(request, inputs, context), equal_size(parts_of(request, inputs))
    design = inputs.design
    return Result(
        names=(request.first, request.second),
        donors=inputs.donors,
        sides=inputs.sides,
        types=inputs.types,
        counts=inputs.counts,
        n_donors=(len(design.first), len(design.second)),
        paired=design.paired,
        shares=shares.means,
        change=shares.change,
        low=shares.low,
        high=shares.high,
        p_value=shares.p_value,
        adjusted_p=shares.adjusted_p,
        answers=shares.answers,
        reference=reference_words(request, shares),
        without="" if shares.strongest < 0 else inputs.types[shares.strongest],
        adjusted_p_without=shares.adjusted_p_without,
        outcome=shares_outcome(shares),
        verdict=shares_verdict(request, inputs, shares),
        genes=genes,
        equal_cells=equal_cells,
        genes_outcome=genes_outcome(genes),
        genes_verdict=genes_verdict(request, genes, equal_cells),
        notes=(
            *inputs.notes,
            *_pairs(request, inputs),
            method_words(request, inputs),
            "Genes: moderated t test on counts summed by donor.",
            *depth_words(request, genes),
        ),
        seconds=time.monotonic() - begun,
    )


def _pairs(request: Request, inputs: Inputs) -> tuple[str, ...]:
    """Say how donors are compared."""
    design = inputs.design
    said = same_note(request.same_donors, request.donor_key, n_both=inputs.n_both, paired=design.paired)
    if not design.n_single:
        return said
    single = (
        f"{counted(design.n_single, 'donor')} of {request.donor_key} in one condition only "
        f"{'is' if design.n_single == 1 else 'are'} shown, not compared."
    )
    return (*said, single)
