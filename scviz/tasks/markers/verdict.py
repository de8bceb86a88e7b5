"""What to say of the markers of groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.evidence import counted
from scviz.tasks.cell_groups import CIRCULAR
from scviz.tasks.markers import METHODS, MOST_FDR, Request, Suggestion

MOST_NAMED = 4


def is_circular(request: Request) -> bool:
    """Tell whether the groups were found on the expression that is tested."""
    return bool(request.run) or CIRCULAR.search(request.column) is not None


def verdict(
    request: Request,
    names: Sequence[str],
    order: Sequence[NDArray[np.int64]],
    *,
    suggestions: Sequence[Suggestion],
    genes: Sequence[str],
) -> str:
    """Say of how many groups there are markers, which come first, and what p stands for.

    Parameters
    ----------
    order
        Of each group, (m,) places of its markers, the best first.
    """
    marked = [k for k, own in enumerate(order) if len(own)]
    numbers = [len(order[k]) for k in marked]
    where = (
        f"compared with all other cells ({METHODS[request.method].split(',')[0]}, adjusted p {100 * MOST_FDR:.0f} % or "
        "less)"
    )
    if not marked:
        return f"None of {counted(len(names), 'group')} has a marker {where}. {_replicates(request)}"
    first = ", ".join(f"{names[k]}: {genes[order[k][0]]}" for k in marked[:MOST_NAMED])
    n_named = sum(bool(one.name) for one in suggestions)
    return (
        f"{len(marked):,} of {counted(len(names), 'group')} {'has' if len(marked) == 1 else 'have'} markers {where}, "
        f"{min(numbers):,} to {max(numbers):,} each. First of all: {first}. {n_named:,} of {len(names):,} resemble a "
        f"type of cells known by its markers. {_replicates(request)}"
    )


def _replicates(request: Request) -> str:
    if is_circular(request):
        return (
            "The groups were found on the expression that is tested, which makes p values too small whatever the "
            "cells are: ranks count, p values do not."
        )
    return "Every cell counts as a replicate, which makes p values too small for a statement about donors."
