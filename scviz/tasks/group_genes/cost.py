"""What a comparison of two groups will take, from a part of its genes."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.columns import gene_blocks, n_cells_seen
from scviz.datasets.donor_sums import donor_sums
from scviz.memory import peak_gb
from scviz.metrics.evidence import counted
from scviz.metrics.two_groups import two_groups
from scviz.tasks.context import Context
from scviz.tasks.group_genes import Request
from scviz.tasks.group_genes.deseq2 import GROUP, counted_enough, wald_test
from scviz.tasks.group_genes.donors import Samples
from scviz.tasks.group_genes.inputs import gather
from scviz.tasks.price import Price

TRIED = 60
"""Genes that DESeq2 tests to see how long one takes; the trend of their dispersions is fitted among them."""
LOADING = 2.0
"""Seconds that libraries take, and cells to be read."""


def price(request: Request, context: Context) -> Price:
    """Compare some genes, and say how long all take."""
    inputs = gather(request, context)
    folder = context.workspace.dataset_folder(request.dataset)
    seconds, how = _of_cells(folder, inputs.sides)
    if inputs.samples is not None:
        of_donors, how = _of_donors(folder, inputs.samples)
        seconds += of_donors
    return Price(seconds=seconds + LOADING, gigabytes=peak_gb(), how=how)


def _of_cells(folder: Path, sides: NDArray[np.int8]) -> tuple[float, str]:
    """Time the first block of genes; returns seconds for all genes, and how they are known."""
    seen = n_cells_seen(folder)
    begun = time.perf_counter()
    block = next(gene_blocks(folder, len(sides)))
    two_groups([block], sides, method="wilcoxon")
    seconds = (time.perf_counter() - begun) * float(seen.sum()) / max(block.nnz, 1)
    how = f"{counted(len(seen), 'gene')} with {int(seen.sum()):,} values, timed on {block.shape[1]:,}"
    return seconds, how


def _of_donors(folder: Path, samples: Samples) -> tuple[float, str]:
    """Time DESeq2 on some of the genes that it will test; returns seconds for all of these, and how they are known."""
    begun = time.perf_counter()
    sums = donor_sums(folder, samples.codes, len(samples.factors[GROUP]))
    tested = np.flatnonzero(counted_enough(sums, samples.factors[GROUP]))
    seconds, how = time.perf_counter() - begun, f"{counted(len(tested), 'gene')} by DESeq2"
    if not len(tested):
        return seconds, how
    some = tested[np.linspace(0, len(tested) - 1, min(TRIED, len(tested))).astype(np.int64)]
    wald_test(sums[:, some[:1]], samples.factors)  # loads its libraries
    begun = time.perf_counter()
    wald_test(sums[:, some], samples.factors)
    of_one = (time.perf_counter() - begun) / len(some)
    return seconds + of_one * len(tested), f"{how}, timed on {len(some):,}"
