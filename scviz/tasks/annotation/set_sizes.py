"""What a promise for every type by itself costs: how large its sets are beside those of one promise for all cells."""

from __future__ import annotations

from scviz.metrics.conformal import least_cells
from scviz.metrics.evidence import bootstrap, counted
from scviz.tasks.annotation import SET_WAYS, Result
from scviz.tasks.annotation.confidence import SetsOfWay, sets_by_way


def sizes_sentence(result: Result) -> str:
    """Say how large sets for each type are, compared with sets by probability, why, and what they buy; else empty."""
    found = {one.way: one for one in sets_by_way(result)}
    if "class" not in found or "lac" not in found:
        return ""
    own, plain = found["class"], found["lac"]
    more = bootstrap(result.test_sets["class"].sum(axis=1) - result.test_sets["lac"].sum(axis=1))
    span = f" ({more.mean:+.2f}, 95 % interval {more.low:+.2f} to {more.high:+.2f})" if more.known else ""
    return (
        f"Sets {SET_WAYS['class']} hold {own.coverage.size:.2f} types on average, sets {SET_WAYS['lac']} "
        f"{plain.coverage.size:.2f} on the same {counted(len(result.truth), 'cell')}{span}. {_why(result, own)} "
        f"{_bought(own, plain)}"
    )


def _why(result: Result, own: SetsOfWay) -> str:
    if not own.in_all:
        return (
            "A promise for every type by itself rests on the few cells of that type that were set aside, and a hard "
            "type is added to the sets of others until it is found often enough."
        )
    names, few = ", ".join(own.in_all), least_cells(result.coverage)
    return (
        f"{counted(len(own.in_all), 'type')} of these in every set for want of cells: {names} had fewer than {few} set "
        "aside, too few to leave a type out. The rest is the price of a promise for every type by itself."
    )


def _bought(own: SetsOfWay, plain: SetsOfWay) -> str:
    """Say how often the set of the worst type holds it, both ways."""
    worst = min(plain.by_type, key=plain.by_type.__getitem__)
    return (
        f"What it buys: {worst}, held worst by sets {SET_WAYS['lac']}, is in {100 * own.by_type[worst]:.0f} % of the "
        f"sets of its cells instead of {100 * plain.by_type[worst]:.0f} %."
    )
