"""What is said of the names: how many, how sure, how good the method was on known cells, which clusters are strange."""

from __future__ import annotations

import numpy as np

from scviz.metrics.evidence import counted
from scviz.tasks.transfer import LARGEST_SHIFT, Method, Result

MOST_NAMED = 4
"""Clusters that a sentence names."""


def verdict_of(result: Result) -> str:
    """Say what was found, and what it rests on."""
    best = result.best()
    named = best >= 0
    confidence = float(result.confidence()[named].mean()) if named.any() else 0.0
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
    taken = (
        ""
        if fit.is_foreign
        else f" ({100 * fit.beyond_before:.0f} % before what all types share was taken off)"
    )
    share = (
        f"{100 * fit.beyond:.0f} % of the cells are unlike {result.reference_name}: farther from every type than 95 % "
        f"of its own held-out cells{taken}"
    )
    if not far:
        return f"{share}." if fit.is_foreign else f"{share}; no cluster lies mostly beyond."
    such = ", ".join(
        f"cluster {one.number} ({one.n_cells:,} cells, named {one.name})" for one in far[:MOST_NAMED]
    )
    more = f" and {len(far) - MOST_NAMED} more" if len(far) > MOST_NAMED else ""
    if len(far) == len(fit.clusters):
        return f"{share}. All clusters lie beyond: the reference does not fit these cells, and their names are guesses."
    verb, whose = ("has", "Its cells' names") if len(far) == 1 else ("have", "The names of their cells")
    return (
        f"{share}. {counted(len(far), 'cluster')} of {len(fit.clusters)} {verb} no counterpart in the reference: "
        f"{such}{more}. {whose} are guesses."
    )


def _judged(result: Result) -> str:
    own = next(one for one in result.methods if one.name == result.chosen)
    if np.isnan(own.accuracy):
        return "How good this method is on known cells was not kept."
    return (
        f"On {result.held_out}, it names {100 * own.accuracy:.0f} % right; cells of another study are named less well, "
        "and how many of these it names right cannot be told without labels."
    )


def notes_of(result: Result) -> tuple[str, ...]:
    """Say what else to know, a sentence each."""
    fit = result.fit
    notes = [
        f"{fit.n_shared:,} of the {fit.n_reference:,} genes of the reference are in the dataset; they hold "
        f"{100 * fit.read:.0f} % of its molecules; ribosomal and mitochondrial genes are left out."
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
