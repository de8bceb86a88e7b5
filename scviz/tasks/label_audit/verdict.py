"""What an audit says, compared with what, and how much of what is wrong it finds."""

from __future__ import annotations

from scviz.datasets.labels import Labels
from scviz.metrics.evidence import counted
from scviz.tasks.cell_groups import CIRCULAR
from scviz.tasks.label_audit import FEWEST_CELLS, Request, Result

LEAST_FOUND = 0.5
"""Where fewer of the labels that were changed as a test are found, these labels cannot be audited by expression."""


def verdict(result: Result, request: Request) -> str:
    """Say how many labels may be wrong, compared with chance and with labels that are wrong for certain."""
    n, m = result.n_judged, len(result.rows)
    interval = (
        f" (95 % interval {100 * result.found_low:.0f} to {100 * result.found_high:.0f} %)"
        if result.found_low <= result.found_high
        else ""
    )
    test = (
        f"Of {counted(result.n_planted, 'label')} changed at random as a test, {100 * result.found:.0f} %{interval} "
        "are spoken against in this way"
    )
    if result.found < LEAST_FOUND:
        return (
            f"Whether labels of {request.label_key} are wrong cannot be told from expression here. {test}. "
            f"{counted(m, 'cell')} of {n:,} would be on the list."
        )
    more = "more than" if result.p <= 0.05 else "not more than"
    return (
        f"{counted(m, 'cell')} of {n:,} ({100 * m / n:.1f} %) may have a wrong label in {request.label_key}: most of "
        f"their neighbors and their markers speak for one and the same other label. That is {more} the "
        f"{result.expected:.1f} expected if neighbors and markers had nothing to do with each other (95 % of "
        f"permutations: {result.expected_low:.0f} to {result.expected_high:.0f}). {test}."
    )


def notes(labels: Labels, names: tuple[str, ...], request: Request) -> tuple[str, ...]:
    """Say what was left out, and what the answer does not mean."""
    small = [name for name in labels.names if name not in names]
    said = [*labels.notes]
    if small:
        said.append(f"Not judged, with fewer than {FEWEST_CELLS} cells: {', '.join(small)}.")
    if CIRCULAR.search(request.label_key):
        said.append("These labels are clusters: they were found on the expression that they are asked by.")
    said.append(
        "A cell on the list lies between types or is a doublet more often than it was named wrong; types that "
        "expression hardly tells apart have many."
    )
    return tuple(said)
