"""What to say of two conditions."""

from __future__ import annotations

import numpy as np

from scviz.metrics.composition import FEWEST_EXPECTED
from scviz.metrics.evidence import Outcome, counted
from scviz.metrics.thinning import MOST_UNLIKE
from scviz.tasks.conditions import MOST_FDR, Request, TypeGenes
from scviz.tasks.conditions.inputs import Inputs
from scviz.tasks.conditions.shares import MOST_NEEDED, Shares

MOST_NAMED = 4
HOW_SHARES = (
    "Shares add up to 100 %, so one type up makes all others go down: each is compared with the reference within each "
    "sample (log2, half a cell added), and these are compared between conditions by Student's t, one number for each "
    "donor: of the differences within donors where these are in both conditions, else Welch's. No interval is narrower "
    f"than counting allows. Types with fewer than {FEWEST_EXPECTED:g} expected cells in a usual sample are shown, "
    f"not compared. Differs: adjusted p (Benjamini-Hochberg over types) {100 * MOST_FDR:.0f} % or less. No twofold "
    "change: the interval, widened for all types together, ends before twice and half. A type "
    "that passes only with the one that changed most in the average is not said to differ."
)
WORKED = (
    "In simulated blood with 2 to 8 donors in each condition, these 95 % intervals hold the truth in 94 to 100 of 100 "
    "cases; those of a bootstrap over donors in 47 to 89."
)
HOW_GENES = (
    "Counts are summed over the cells of each donor in each condition, scaled by the median gene, and compared by a "
    "moderated t test (as limma does it), in which genes share what is known of their spread; "
    "donors in both conditions are compared with themselves. Where the samples of one condition hold more than "
    f"{MOST_UNLIKE:g} times as many counts, some are dropped at random first, until both hold as many. "
    "Changed: adjusted p (Benjamini-Hochberg over the genes of "
    f"the type) {100 * MOST_FDR:.0f} % or less. Types with more cells or donors show more changed genes; the column "
    "with equally many cells draws each sample down to the smallest one, the numbers of donors stay as they are. "
    "Swapped: genes that pass when the conditions of half of the donors are exchanged, which should be about none."
)
WITH_DONORS = "4 or more are better, since with 2 or 3 only very large changes pass"


def shares_outcome(shares: Shares) -> Outcome:
    """Judge whether the composition differs; none only where a twofold change of every compared type is ruled out."""
    answers = [answer for answer in shares.answers if answer not in ("rare", "reference")]
    if not answers:
        return "unknown"
    if "higher" in answers or "lower" in answers:
        return "better"
    return "none" if set(answers) == {"none"} else "unknown"


def shares_verdict(request: Request, inputs: Inputs, shares: Shares) -> str:
    """Say which types differ, by how much, compared with what, on how many donors, how sure."""
    where = f"between {request.first} and {request.second}"
    lead = f"Cannot tell whether the composition differs {where}"
    if not inputs.design.enough:
        return f"{lead}: {_lacking(request, inputs)}"
    n_compared = int(shares.compared.sum())
    if not n_compared:
        return (
            f"{lead}: fewer than 2 types have {FEWEST_EXPECTED:g} cells or more in a usual sample. More cells of each "
            "donor, or larger types, would help."
        )
    how = _donors(inputs)
    outcome = shares_outcome(shares)
    if outcome == "better":
        passing = [i for i, answer in enumerate(shares.answers) if answer in ("higher", "lower")]
        verb = "differs" if len(passing) == 1 else "differ"
        return (
            f"{len(passing):,} of {counted(n_compared, 'type')} {verb} in share {where} ({how}): "
            f"{_listed(request, inputs, shares, chosen=passing)}.{_rest(inputs, shares)}"
        )
    if outcome == "none":
        return (
            f"No type differs in share {where} ({how}): a twofold change of each of {counted(n_compared, 'type')} is "
            "ruled out."
        )
    unsure = [i for i, answer in enumerate(shares.answers) if answer == "unknown"]
    return (
        f"{lead}: none of {counted(n_compared, 'type')} passes ({how}), but a twofold change of "
        f"{_names(inputs, unsure)} is not ruled out. {_needed(shares, unsure)}"
    )


def reference_words(request: Request, shares: Shares) -> str:
    """Name what types are compared with."""
    if request.reference:
        return request.reference
    return f"the average of {counted(int(shares.compared.sum()), 'type')} (geometric mean)"


def _lacking(request: Request, inputs: Inputs) -> str:
    said = []
    for side, name in enumerate((request.first, request.second)):
        said.append(f"{counted(int(np.sum(inputs.sides == side)), 'donor')} in {name}")
    return (
        f"there {'is' if said[0].startswith('1 ') else 'are'} {' and '.join(said)}, and of one donor nobody knows how "
        f"much donors differ among themselves. It takes 2 donors in each condition; {WITH_DONORS}."
    )


def _donors(inputs: Inputs) -> str:
    design = inputs.design
    if design.paired:
        return f"{counted(len(design.first), 'donor')}, each compared with itself"
    return f"{len(design.first):,} and {counted(len(design.second), 'donor')}"


def method_words(request: Request, inputs: Inputs) -> str:
    """Name the test of the shares."""
    test = "paired t test" if inputs.design.paired else "Welch's t test"
    ratio = f"log-ratios to {request.reference}" if request.reference else "centered log-ratios"
    return f"Shares: {test} over donors on {ratio}."


def _listed(request: Request, inputs: Inputs, shares: Shares, *, chosen: list[int]) -> str:
    """Give the shares, which users know, and how the type changed relative to the reference, which was tested."""
    order = sorted(chosen, key=lambda i: float(shares.p_value[i]))
    against = request.reference or "the average of the types"
    said = [
        f"{inputs.types[i]} from {_percent(shares.means[1, i])} % in {request.second} to "
        f"{_percent(shares.means[0, i])} % in {request.first}, {2 ** shares.change[i]:.2g} times relative to {against} "
        f"(95 % interval {2 ** shares.low[i]:.2g} to {2 ** shares.high[i]:.2g})"
        for i in order[:MOST_NAMED]
    ]
    more = len(order) - MOST_NAMED
    return "; ".join(said) + (f"; and {more:,} more" if more > 0 else "")


def _percent(share: float) -> str:
    return f"{100 * share:.0f}" if share >= 0.0995 else f"{100 * share:.2g}"


def _rest(inputs: Inputs, shares: Shares) -> str:
    """Say what the type that changed most makes of the others."""
    if shares.strongest < 0 or np.isnan(shares.adjusted_p_without).all():
        return ""
    name = inputs.types[shares.strongest]
    passing = np.flatnonzero(np.nan_to_num(shares.adjusted_p_without, nan=1.0) <= MOST_FDR).tolist()
    counts = [shares.answers[i] in ("higher", "lower") for i in passing]
    said = ""
    for lead, counted_too in (("Also", True), ("Only", False)):
        chosen = [i for i, one in zip(passing, counts, strict=True) if one is counted_too]
        if chosen:
            verb = "differs" if len(chosen) == 1 else "differ"
            said += f" {lead} with {name} left out of the reference, {_names(inputs, chosen)} {verb}."
    return said or f" With {name} left out of the reference, no other type differs."


def _names(inputs: Inputs, chosen: list[int]) -> str:
    named = [inputs.types[i] for i in chosen[:MOST_NAMED]]
    more = len(chosen) - len(named)
    return ", ".join(named) + (f" and {more:,} more" if more > 0 else "")


def _needed(shares: Shares, unsure: list[int]) -> str:
    """Say how many donors would tell."""
    wanted = float(np.nanmax(shares.needed[unsure]))
    number = f"More than {MOST_NEEDED:,}" if wanted > MOST_NEEDED else f"About {wanted:,.0f}"
    return f"{number} donors in each condition that vary as these do would show it, or rule it out."


def genes_outcome(genes: tuple[TypeGenes, ...]) -> Outcome:
    """Judge whether genes change in some type."""
    if any(one.n_changed for one in genes):
        return "better"
    return "unknown"


def genes_verdict(request: Request, genes: tuple[TypeGenes, ...], equal_cells: int) -> str:
    """Say in which types genes change, how many, and what equally many cells make of it."""
    where = f"between {request.first} and {request.second}"
    compared = [one for one in genes if not one.reason]
    if not compared:
        return (
            f"Cannot tell which genes change {where}: no type has 2 donors with {request.fewest_cells} cells or more "
            f"in each condition. It takes 2; {WITH_DONORS}."
        )
    if genes_outcome(genes) == "unknown":
        fewest = min(min(one.n_donors) for one in compared)
        return (
            f"Cannot tell which genes change {where}: none passes in {counted(len(compared), 'type')}. With "
            f"{counted(fewest, 'donor')} in a condition, small changes are not seen."
        )
    order = sorted(compared, key=lambda one: -one.n_changed)
    first = order[0]
    said = (
        f"Most genes change in {first.type} {where}: {first.n_changed:,} of {first.n_tested:,} "
        f"tested genes ({_of_donors(first)})"
    )
    if len(order) == 1:
        return f"{said}."
    equal = sorted(compared, key=lambda one: -one.n_equal)
    then = ", ".join(f"{one.type} {one.n_equal:,}" for one in equal[:3])
    return (
        f"{said}{_others(order[1:3])}. That number grows with "
        f"the number of cells: with {equal_cells:,} cells in each sample it is {then}."
    )


def depth_words(request: Request, genes: tuple[TypeGenes, ...]) -> tuple[str, ...]:
    """Say in which types counts were dropped, so that both conditions have as many; nothing where in none."""
    uneven = sorted((one for one in genes if one.more_counts != 1), key=lambda one: -_times(one))
    if not uneven:
        return ()
    first = uneven[0]
    deep = request.first if first.more_counts > 1 else request.second
    return (
        f"In {counted(len(uneven), 'type')} the samples of one condition hold more counts than those of the other, by "
        f"more cells or deeper sequencing ({first.type}: {_times(first):,.3g} times as many in {deep}). Counts were "
        "dropped there at random until both hold as many: few counts beside many look changed where nothing is.",
    )


def _times(one: TypeGenes) -> float:
    return max(one.more_counts, 1 / one.more_counts)


def _others(types: list[TypeGenes]) -> str:
    named = [f"{one.type} ({one.n_changed:,})" for one in types if one.n_changed]
    return f", then {', '.join(named)}" if named else ""


def _of_donors(one: TypeGenes) -> str:
    if one.paired:
        return f"{counted(one.n_donors[0], 'donor')}, each compared with itself"
    return f"{one.n_donors[0]:,} and {counted(one.n_donors[1], 'donor')}"
