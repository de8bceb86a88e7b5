"""What an audit says, compared with what, and how much of what is wrong it finds."""

from __future__ import annotations

import math

from scviz.datasets.labels import Labels
from scviz.metrics.evidence import counted
from scviz.tasks.cell_groups import CIRCULAR
from scviz.tasks.label_audit import FEWEST_CELLS, LEAST_FOUND, Request, Result


def verdict(result: Result, request: Request) -> str:
    """Say how many labels are in doubt, compared with chance and with labels that are wrong for certain."""
    n, m, column = result.n_judged, len(result.rows), request.label_key
    if result.found < LEAST_FOUND:
        return (
            f"Cannot tell whether labels of {column} are wrong: expression hardly tells these labels apart. "
            f"{_test(result)} {counted(m, 'cell')} of {n:,} would be on the list."
        )
    if not m:
        return (
            f"No label of {column} is in doubt on {counted(n, 'cell')}: of none do most neighbors and the markers "
            f"both speak for one other label. {_chance(result)} {_test(result)}"
        )
    listed = f"{counted(m, 'label')} of {n:,} in {column} ({100 * m / n:.1f} %)"
    said = "most neighbors of the cell and its markers both speak for one other label"
    if result.outcome == "unknown":
        return (
            f"Cannot tell whether any label of {column} is wrong: of {listed} {said}, which is no more than by "
            f"chance. {_chance(result)} {_test(result)}"
        )
    verb = "is" if m == 1 else "are"
    return f"{listed} {verb} worth a second look: {said}. {_chance(result)} {_test(result)}"


def _chance(result: Result) -> str:
    """Say how many cells would be listed if neighbors and markers were independent, and if labels said nothing."""
    dealt = ""
    if not math.isnan(result.any_label):
        share = 100 * result.any_label
        dealt = f"; with the same labels dealt to the cells at random it would be {share:.0f} % of the cells"
    return (
        f"By chance {result.expected:.1f} would be listed, if neighbors and markers of a type erred independently "
        f"(95 % of permutations: {result.expected_low:.0f} to {result.expected_high:.0f}){dealt}."
    )


def _test(result: Result) -> str:
    """Say how many labels that were changed at random are found."""
    known = result.found_low <= result.found_high
    interval = (
        f" (95 % interval {100 * result.found_low:.0f} to {100 * result.found_high:.0f} %)"
        if known
        else ", too few for an interval"
    )
    return (
        f"Of {counted(result.n_planted, 'label')} changed at random as a test, {100 * result.found:.0f} % are "
        f"found{interval}."
    )


def notes(labels: Labels, names: tuple[str, ...], request: Request) -> tuple[str, ...]:
    """Say what was left out, and what the answer does not mean."""
    small = [name for name in labels.names if name not in names]
    said = [*labels.notes]
    if small:
        said.append(f"Not judged, with fewer than {FEWEST_CELLS} cells: {', '.join(small)}.")
    if CIRCULAR.search(request.label_key):
        said.append(
            "These labels are clusters: they were found on the expression that they are asked by, so that a short list "
            "is no evidence that they are right."
        )
    said.append(
        "Whether a label on the list is wrong cannot be told from expression: the cell may lie between two types or be "
        "a doublet. Labels taken for those of a close type are found less often than labels changed at random."
    )
    return tuple(said)
