"""Which matrix of a file holds the raw counts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from scviz.datasets.counts import READABLE, RELATIVE
from scviz.datasets.matrices import SUM
from scviz.datasets.reports import MatrixReport

NO_COUNTS = re.compile(
    r"(^|[^a-z])(un)?spliced|ambiguous|nascent|mature|velocity|^m[su]$|^fit_|binned|(^|[^a-z])bins?([^a-z]|$)|rank|scale"
    r"|denois|imput|magic|saver|alra|smooth|moment|norm|corrected|down_?sampl|subsampl|rarefi|residual|binary|mask|^sct|log",
    re.IGNORECASE,
)
"""Names of layers that hold no counts of all molecules, whatever their numbers look like; taken only when nothing else
is there."""
COUNTS_NAME = re.compile(r"count|raw|umi", re.IGNORECASE)
"""Names of layers that speak for raw counts."""


def choose_counts(matrices: Sequence[MatrixReport]) -> str | None:
    """Choose the matrix with raw counts; None where there is none.

    Names that speak against counts come last, whatever the numbers; then stored counts come before recovered ones,
    more genes before fewer, and layers whose names speak for counts before others.
    """
    fitting = [one for one in matrices if one.kind in READABLE or _unseen(one)]
    order = [*READABLE, *RELATIVE]
    best = min(
        fitting,
        key=lambda one: (
            against_counts(one.location),
            order.index(one.kind),
            -one.n_genes,
            not (one.location.startswith("layers/") and COUNTS_NAME.search(one.location)),
        ),
        default=None,
    )
    return best.location if best else None


def _unseen(matrix: MatrixReport) -> bool:
    """Tell whether fractions were seen gene by gene, so that only reading all of them tells what they are."""
    return matrix.kind in RELATIVE and not matrix.n_sampled


def against_counts(location: str) -> int:
    """Tell how much a name speaks against counts of all molecules: 0 not at all, 1 a sum of parts, 2 a part."""
    if location == SUM:
        return 1
    return 2 if location.startswith("layers/") and NO_COUNTS.search(location.removeprefix("layers/")) else 0
