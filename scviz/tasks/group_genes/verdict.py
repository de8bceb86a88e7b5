"""What to say of the genes of two groups."""

from __future__ import annotations

import numpy as np

from scviz.metrics.evidence import Outcome, counted
from scviz.metrics.two_groups import GeneTable, smallest_p
from scviz.tasks.group_genes import METHODS, MOST_FDR, TWOFOLD, Request
from scviz.tasks.group_genes.inputs import Inputs

MOST_NAMED = 3


def verdict(request: Request, inputs: Inputs, table: GeneTable, *, genes: tuple[str, ...]) -> str:
    """Say how many genes differ, compared with what, on which cells, and what the cells stand for."""
    said = f"{_number(request, inputs, table)} {_first(request, table, genes)}{replicates(inputs)}"
    return f"{said}{_circular(request, inputs)}"


def _circular(request: Request, inputs: Inputs) -> str:
    """Say that the groups were found on what is tested, where they were."""
    said = ""
    groups = [one for one in (request.a, request.b) if one is not None]
    named = " and ".join(one.words for one in groups if one.circular)
    if named:
        said = (
            f" The cells of {named} were grouped by their expression, or on a map of it, which makes p values too "
            "small whatever the cells are: ranks count."
        )
    if inputs.chosen_by:
        said += " Genes that an expression names differ by choice."
    return said


def outcome(request: Request, inputs: Inputs, table: GeneTable) -> Outcome:
    """Judge whether genes differ; unknown where none does and that may be for too few cells or donors."""
    if np.any(table.adjusted_p <= MOST_FDR):
        return "better"
    return "unknown" if _lacking(request, inputs, table) else "none"


def _lacking(request: Request, inputs: Inputs, table: GeneTable) -> str:
    """Say why genes may differ though none passes.

    Of few cells not even the largest difference of ranks could pass. Of donors there are never so many that small
    differences would be seen. Empty where neither holds.
    """
    n_genes = _n_tested(table)
    if inputs.samples is not None:
        fewest = min(inputs.samples.n_donors)
        return (
            f"none of {counted(n_genes, 'tested gene')} passes. With {counted(fewest, 'donor')} in a group, small "
            "differences are not seen"
        )
    if request.method != "wilcoxon":
        return ""
    smallest = smallest_p(*inputs.n_cells)
    if smallest * n_genes <= MOST_FDR:
        return ""
    return (
        f"with so few cells even a gene that differs in all of them has p = {smallest:.2g}, too much for one of "
        f"{counted(n_genes, 'gene')}"
    )


def _n_tested(table: GeneTable) -> int:
    """Count the genes with a p value."""
    return int(np.isfinite(table.p_value).sum())


def replicates(inputs: Inputs) -> str:
    """Say what counts as a replicate, and what that does to p."""
    if inputs.samples is not None:
        return "Every donor counts as a replicate; genes with few counts are not tested" + (
            ", and each donor is compared with itself." if inputs.samples.paired else "."
        )
    where = f"; {inputs.donors}, whose sums DESeq2 compares" if inputs.donors else ""
    return (
        "Every cell counts as a replicate: cells of one donor are alike, so p values are too small for a statement "
        f"about donors{where}."
    )


def _number(request: Request, inputs: Inputs, table: GeneTable) -> str:
    passing = table.adjusted_p <= MOST_FDR
    large = int(np.sum(passing & (np.abs(table.log2_fold_change) >= TWOFOLD)))
    n, m = _sizes(inputs)
    where = (
        f"between {request.a.words} ({n}) and {request.other} ({m}) {inputs.cells} "
        f"({METHODS[request.method].split(',')[0]}, adjusted p {100 * MOST_FDR:.0f} % or less)"
    )
    if not passing.any():
        if lacking := _lacking(request, inputs, table):
            return f"Cannot tell which genes differ {where}: {lacking}."
        return f"None of {counted(_n_tested(table), 'gene')} differs {where}."
    up = int(np.sum(passing & (table.score > 0)))
    n_tested = counted(_n_tested(table), "gene" if inputs.samples is None else "tested gene")
    return (
        f"{int(passing.sum()):,} of {n_tested} differ{'s' if passing.sum() == 1 else ''} {where}: "
        f"{up:,} higher, {int(passing.sum()) - up:,} lower, {large:,} at least twofold."
    )


def _sizes(inputs: Inputs) -> list[str]:
    """Say of how many cells, and donors, each side is."""
    cells = [counted(n, "cell") for n in inputs.n_cells]
    if inputs.samples is None:
        return cells
    donors = (counted(n, "donor") for n in inputs.samples.n_donors)
    return [f"{n}, {m}" for n, m in zip(donors, cells, strict=True)]


def _first(request: Request, table: GeneTable, genes: tuple[str, ...]) -> str:
    """Name the first genes on either side."""
    said = []
    for side, sign in (("Higher", 1), ("Lower", -1)):
        named = [
            genes[i]
            for i in table.order[:200]
            if table.adjusted_p[i] <= MOST_FDR and sign * table.score[i] > 0
        ]
        if named:
            said.append(f"{side} in {request.a.words}: {', '.join(named[:MOST_NAMED])}. ")
    return "".join(said)
