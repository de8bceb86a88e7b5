"""What is said of the names: how many, how sure, how good the method was on known cells, which clusters are strange."""

from __future__ import annotations

import numpy as np

from scviz.metrics.evidence import bootstrap, counted
from scviz.metrics.shares import share_interval
from scviz.tasks.transfer import LARGEST_OFFSET, LARGEST_SHIFT, Method, Result
from scviz.tasks.transfer.held_out import FEWEST_NAMED, NameDoubt
from scviz.tasks.transfer.measured import NEARLY_ALL, measured_with, share_read

MOST_NAMED = 4
"""Clusters that a sentence names."""


def verdict_of(result: Result) -> str:
    """Say what was found, and what it rests on."""
    best = result.best()
    named = best >= 0
    if not named.any():
        return (
            f"No cell gets a name: {result.chosen} sees nothing in these cells. {result.fit.n_shared:,} of the "
            f"{result.fit.n_reference:,} genes of {result.reference_name} are here."
        )
    confidence = float(result.confidence()[named].mean())
    types = counted(len(np.unique(best[named])), "type")
    lead = (
        f"{int(named.sum()):,} of {counted(len(best), 'cell')} named with {types} by {result.chosen}, "
        f"mean confidence {confidence:.2f}."
    )
    return " ".join(filter(None, [_doubt(result), lead, _fit(result), _judged(result)]))


def _doubt(result: Result) -> str:
    """Say first where the reference cannot be trusted with these cells; empty where it may be."""
    fit, name = result.fit, result.reference_name
    if fit.is_thin:
        return (
            f"Whether {name} fits these cells cannot be told: only {fit.n_shared:,} of its {fit.n_reference:,} genes, "
            f"which hold {100 * fit.read:.0f} % of its molecules, are here. The names are guesses."
        )
    if fit.offset > LARGEST_OFFSET:
        return (
            f"{name} does not fit these cells: on average they lie {fit.offset:.1f} of its reach off the types that "
            f"they are named, more than another preparation explains (up to {LARGEST_OFFSET:g}). The names are guesses."
        )
    if fit.is_foreign:
        return (
            f"{name} does not fit these cells: all types lie {fit.shift:.1f} of its reach off alike, more than another "
            f"preparation explains (up to {LARGEST_SHIFT:g}). The names are guesses."
        )
    return ""


def _fit(result: Result) -> str:
    fit, far = result.fit, result.fit.far
    if fit.is_thin:
        return ""
    if fit.taught:
        return (
            f"Whether cells are unlike {result.reference_name} is not told: many of them taught it, and such cells lie "
            "farther out than new ones."
        )
    share = _unlike(result)
    if not far:
        return f"{share}." if fit.is_foreign else f"{share}; no cluster lies mostly beyond."
    such = ", ".join(
        f"cluster {one.number} ({counted(one.n_cells, 'cell')}, named {one.name})" for one in far[:MOST_NAMED]
    )
    more = f" and {len(far) - MOST_NAMED} more" if len(far) > MOST_NAMED else ""
    if len(far) == len(fit.clusters):
        return f"{share}. All clusters lie beyond: the reference does not fit these cells, and their names are guesses."
    verb, whose = ("has", "Its cells' names") if len(far) == 1 else ("have", "The names of their cells")
    return (
        f"{share}. {counted(len(far), 'cluster')} of {len(fit.clusters)} {verb} no counterpart in the reference: "
        f"{such}{more}. {whose} are guesses."
    )


def _unlike(result: Result) -> str:
    """Say how many cells lie beyond the reach of the reference, and what that number does not hold."""
    fit = result.fit
    before = f" ({100 * fit.beyond_before:.0f} % before what all types share was taken off)"
    lacking = ", and genes that are missing make cells look nearer than they are"
    return (
        f"{100 * fit.beyond:.0f} % of the cells are unlike {result.reference_name}: farther from every type than 95 % "
        f"of its own held-out cells{before if fit.is_moved else ''}"
        f"{lacking if fit.read < NEARLY_ALL and not fit.exact else ''}"
    )


def _judged(result: Result) -> str:
    own = next(one for one in result.methods if one.name == result.chosen)
    if np.isnan(own.accuracy):
        return "How good this method is on known cells was not kept."
    known = f"On {result.held_out}, it names {100 * own.accuracy:.0f} % right{_beside(result)}"
    measured = measured_with(result)
    if result.fit.is_thin or result.fit.is_foreign:
        return f"{known}. {measured}"
    less = "" if result.fit.taught else "cells of another study are named less well, and "
    said = f"{known}; {less}how many of these it names right cannot be told without labels. {measured}"
    return " ".join(filter(None, [said, weak_names(result), _untested(result), _missed(result)]))


def _beside(result: Result) -> str:
    """Say how sure that is, and what names without any knowledge reach on the same cells; empty where not kept."""
    if result.truth is None or not result.baselines or not result.predicted:
        return ""
    named = result.predicted[result.chosen]
    span = share_interval(named == result.truth)
    others = {name: float((one == result.truth).mean()) for name, one in result.baselines.items()}
    beside = " and ".join(f"{100 * share:.0f} % by {name}" for name, share in others.items())
    best = result.baselines[max(others, key=others.__getitem__)]
    gap = bootstrap((named == result.truth).astype(np.float64) - (best == result.truth))
    doubt = "" if gap.known and gap.low > 0 else ", so that it is not shown to know anything of them"
    return (
        f" (95 % interval {100 * span.low:.0f} to {100 * span.high:.0f} %), compared with {beside} on the same cells"
        f"{doubt}"
    )


def weak_names(result: Result, method: str = "") -> str:
    """Name the names that cells here have, and that are often wrong on held-out cells; empty where there is none."""
    doubts, counts = _doubts(result, method)
    weak = [one for one in doubts if one.weak and counts[one.name]]
    if not weak:
        return ""
    such = ", ".join(
        f"{one.name} (right for {100 * one.right.mean:.0f} % of {one.right.n:,} held-out cells of that name, most "
        f"others {one.others})"
        for one in weak
    )
    n, word = sum(counts[one.name] for one in weak), "name" if len(weak) == 1 else "names"
    have = "has it" if n == 1 else "have it" if len(weak) == 1 else "have one of them"
    return f"Weak {word}: {such}; {counted(n, 'cell')} here {have}."


def _untested(result: Result) -> str:
    """Name the names that cells here have, and that too few held-out cells have."""
    doubts, counts = _doubts(result)
    such = [one.name for one in doubts if one.untested and counts[one.name]]
    if not such:
        return ""
    return (
        f"How far {', '.join(such)} can be trusted cannot be told: fewer than {FEWEST_NAMED} held-out cells were named "
        "so."
    )


def _missed(result: Result) -> str:
    """Name the types that are not found among held-out cells, so that they may be here under another name."""
    missed = [one for one in _doubts(result)[0] if one.missed]
    if not missed:
        return ""
    such = ", ".join(
        f"{one.name} (found for {100 * one.found.mean:.0f} % of {one.found.n:,} held-out ones, most others named "
        f"{one.named_instead})"
        for one in missed
    )
    return f"May be missed: {such}."


def _doubts(result: Result, method: str = "") -> tuple[tuple[NameDoubt, ...], dict[str, int]]:
    """Say how far each name can be trusted, and how many cells here have it."""
    best = result.best(method)
    counts = np.bincount(best[best >= 0], minlength=len(result.types))
    return result.doubts(method), dict(zip(result.types, counts.tolist(), strict=True))


def notes_of(result: Result) -> tuple[str, ...]:
    """Say what else to know, a sentence each."""
    fit = result.fit
    notes = [
        f"{fit.n_shared:,} of the {fit.n_reference:,} genes of the reference are in the dataset; they hold "
        f"{share_read(fit)} of its molecules; ribosomal and mitochondrial genes are left out."
    ]
    hot = [one for one in result.methods if one.name == result.chosen and abs(one.temperature - 1) > 0.05]
    notes += [f"Confidence was calibrated on validation cells of the reference, {_heat(one)}." for one in hot]
    unseen = int((result.best() < 0).sum())
    if unseen:
        have, get = ("has", "gets") if unseen == 1 else ("have", "get")
        notes.append(f"{counted(unseen, 'cell')} {have} no gene that the method reads and {get} no name.")
    return tuple(notes)


def _heat(method: Method) -> str:
    word = "lowered" if method.temperature > 1 else "raised"
    return f"which {word} it (temperature {method.temperature:.2f})"
