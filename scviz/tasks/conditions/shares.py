"""How the share of each type differs between conditions, donor by donor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.errors import RequestError
from scviz.metrics.composition import FEWEST_EXPECTED, frequent, log_ratios, shares_of
from scviz.metrics.donors import Design, Differences, differences
from scviz.metrics.evidence import LEVEL, fdr
from scviz.tasks.conditions import MOST_FDR, TWOFOLD, Answer, Request
from scviz.tasks.conditions.inputs import Inputs

MOST_NEEDED = 500
"""More donors are not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """What is known of K types."""

    means: NDArray[np.float64]
    """(2, K) mean share over the samples of a condition."""
    compared: NDArray[np.bool_]
    """(K,) types with enough cells, the reference type left out."""
    change: NDArray[np.float64]
    """(K,) log2 of type over reference, first condition less second; NaN where not compared."""
    low: NDArray[np.float64]
    """(K,) 95 % interval."""
    high: NDArray[np.float64]
    """(K,)."""
    p_value: NDArray[np.float64]
    """(K,)."""
    adjusted_p: NDArray[np.float64]
    """(K,) over the compared types."""
    answers: tuple[Answer, ...]
    needed: NDArray[np.float64]
    """(K,) donors in each condition with which an interval, all types together, is no wider than TWOFOLD to each side;
    NaN where not known."""
    strongest: int
    """The type with the smallest p, where one passes; -1 otherwise."""
    adjusted_p_without: NDArray[np.float64]
    """(K,) with that type left out of the reference; NaN without one."""


def compare_shares(request: Request, inputs: Inputs) -> Shares:
    """Compare the log-ratio of each type to the reference between conditions.

    Raises
    ------
    RequestError
        If the reference is no type of these cells, or has too few cells.
    """
    design, counts = inputs.design, inputs.counts
    n_types = counts.shape[1]
    enough = frequent(counts, inputs.sides)
    reference = _reference(request, inputs, enough)
    tested = enough & ~reference if request.reference else enough
    if enough.sum() < 2:
        tested = np.zeros(n_types, dtype=bool)
    found = _differences(counts, reference, design, tested=tested)
    adjusted = fdr(found.p_value)
    half = found.half_width()
    wide = found.half_width(LEVEL / max(1, int(tested.sum())))
    passing = np.nan_to_num(adjusted, nan=1.0) <= MOST_FDR
    strongest = int(np.nanargmin(found.p_value)) if passing.any() else -1
    without = _without(counts, tested, design, strongest=strongest, given=bool(request.reference))
    if not np.isnan(without).all():  # the others may change only against the one that changed most
        passing &= (np.arange(n_types) == strongest) | (np.nan_to_num(without, nan=1.0) <= MOST_FDR)
    return Shares(
        means=np.stack([shares_of(counts[inputs.sides == side]).mean(axis=0) for side in (0, 1)]),
        compared=tested,
        change=found.mean,
        low=found.mean - half,
        high=found.mean + half,
        p_value=found.p_value,
        adjusted_p=adjusted,
        answers=tuple(
            _answer(float(found.mean[i]), float(wide[i]), passes=bool(passing[i])) if tested[i] else other
            for i, other in enumerate(_others(request, reference, n_types))
        ),
        needed=_needed(found, design, tested),
        strongest=strongest,
        adjusted_p_without=without,
    )


def _reference(request: Request, inputs: Inputs, enough: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which types, (K,), the others are compared with."""
    if not request.reference:
        return enough
    if request.reference not in inputs.types:
        raise RequestError(
            f"No compared cell is a {request.reference}, which was to be the reference.",
            hint=f"Choose one of {', '.join(inputs.types[:12])}.",
        )
    chosen = np.arange(len(enough)) == inputs.types.index(request.reference)
    if not enough[chosen].all():
        raise RequestError(
            f"{request.reference} has fewer than {FEWEST_EXPECTED:g} cells in a usual sample, too few for a reference.",
            hint="Choose a more frequent type, or the average of all types.",
        )
    return np.asarray(chosen)


def _differences(
    counts: NDArray[np.int64], reference: NDArray[np.bool_], design: Design, *, tested: NDArray[np.bool_]
) -> Differences:
    """Compare the tested ones of K types; NaN for the others."""
    n_types = counts.shape[1]
    mean, error, freedom = (np.full(n_types, np.nan) for _ in range(3))
    if tested.any():
        ratios, least = log_ratios(counts, reference)
        found = differences(ratios[:, tested], design, least=least[:, tested])
        mean[tested], error[tested], freedom[tested] = found.mean, found.error, found.freedom
    return Differences(mean=mean, error=error, freedom=freedom)


def _answer(change: float, wide: float, *, passes: bool) -> Answer:
    """Judge one type; no change is said only where a twofold one is ruled out, all types together."""
    if passes:
        return "higher" if change > 0 else "lower"
    return "none" if abs(change) + wide < TWOFOLD else "unknown"  # NaN is unknown


def _others(request: Request, reference: NDArray[np.bool_], n_types: int) -> list[Answer]:
    """Say why a type that is not compared is not."""
    return ["reference" if request.reference and reference[i] else "rare" for i in range(n_types)]


def _needed(found: Differences, design: Design, tested: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Find for each type, (K,), with how many donors as different as these its interval would be narrow enough."""
    n, m = len(design.first), len(design.second)
    times = n if design.paired else 2 * n * m / (n + m)
    spread = found.error * np.sqrt(times)  # (K,) of one donor and side
    needed = np.full(len(spread), np.nan)
    level = LEVEL / max(1, int(tested.sum()))
    sizes = np.arange(2, MOST_NEEDED + 1)
    freedom = (sizes - 1) * (1 if design.paired else 2)
    for i in np.flatnonzero(np.isfinite(spread)):
        error = spread[i] / np.sqrt(sizes)
        whole = Differences(mean=np.zeros(len(sizes)), error=error, freedom=freedom.astype(np.float64))
        narrow = np.flatnonzero(whole.half_width(level) < TWOFOLD)
        needed[i] = sizes[narrow[0]] if len(narrow) else MOST_NEEDED + 1
    return needed


def _without(
    counts: NDArray[np.int64], tested: NDArray[np.bool_], design: Design, *, strongest: int, given: bool
) -> NDArray[np.float64]:
    """Compare again with the type that changed most left out: the others change only if they do of themselves."""
    nothing = np.full(counts.shape[1], np.nan)
    if strongest < 0 or given or tested.sum() < 3:
        return nothing
    rest = tested & (np.arange(len(tested)) != strongest)
    return fdr(_differences(counts, rest, design, tested=rest).p_value)
