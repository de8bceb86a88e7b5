"""Genes, gene sets, tests, random genes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from scviz.datasets.gene_keys import matched
from scviz.errors import DataError
from scviz.networks.contract import GeneSet
from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.enrichment import Request, Result
from scviz.tasks.enrichment.inputs import Inputs, gather
from scviz.tasks.enrichment.judging import judge
from scviz.tasks.enrichment.sources import libraries, library
from scviz.tasks.enrichment.verdict import outcome, verdict


def run(request: Request, context: Context) -> Result:
    """Carry the request out."""
    begun = time.monotonic()
    context.report(Progress(stage="Reading gene sets"))
    sets = library(context.workspace, request.sets)
    context.report(Progress(stage="Reading cells"))
    inputs = gather(request, context)
    tested = _tested(request, sets, inputs)
    judgement = judge(request, tested, inputs, context=context)
    return Result(
        question=inputs.words,
        background=inputs.background,
        sets_name=libraries(context.workspace)[request.sets],
        method=request.method,
        terms=judgement.terms,
        ranked=judgement.ranked,
        genes=tuple(inputs.genes[i] for i in inputs.query),
        change=inputs.change,
        gene_fdr=inputs.gene_fdr,
        n_asked=inputs.n_asked,
        not_found=inputs.not_found,
        n_background=len(inputs.genes),
        n_sets=len(tested),
        n_untested=len(sets) - len(tested),
        n_passing=judgement.n_passing,
        n_plain=judgement.n_plain,
        shuffled_passing=judgement.shuffled_passing,
        outcome=outcome(judgement),
        verdict=verdict(judgement, inputs),
        notes=inputs.notes,
        seconds=time.monotonic() - begun,
    )


def _tested(request: Request, sets: Sequence[GeneSet], inputs: Inputs) -> list[GeneSet]:
    """Keep sets of a size that can be tested."""
    measured = frozenset(inputs.genes)
    listed = {gene for one in sets for gene in one.genes}
    own = matched(listed, inputs.genes).genes
    sets = [
        replace(one, genes=tuple(dict.fromkeys(own.get(gene, gene) for gene in one.genes))) for one in sets
    ]
    sizes = [len(measured & set(one.genes)) for one in sets]
    if not any(sizes):
        raise DataError(
            f"The gene sets name genes such as {sets[0].genes[0]}, the data {inputs.genes[0]}: none is in both.",
            hint="Take gene sets of the same species, with symbols as the data have them.",
        )
    kept = [
        one
        for one, size in zip(sets, sizes, strict=True)
        if request.fewest_genes <= size <= min(request.most_genes, len(measured) - 1)
    ]
    if not kept:
        raise DataError(
            f"No gene set has {request.fewest_genes:,} to {request.most_genes:,} of the {len(measured):,} genes of the "
            "background.",
            hint="Allow smaller sets, or take other ones.",
        )
    return kept
