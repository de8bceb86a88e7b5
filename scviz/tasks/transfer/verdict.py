"""What is said of the names: how many, how sure, how good the method was on known cells, which clusters are strange."""

from __future__ import annotations

import numpy as np

from scviz.metrics.evidence import counted
from scviz.tasks.transfer import Method, Result

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
    return " ".join([lead, _fit(result), _judged(result)]).strip()


def _fit(result: Result) -> str:
    fit, far = result.fit, result.fit.far
    share = (
        f"{100 * fit.beyond:.0f} % of the cells lie farther from {result.reference_name} than 95 % of its own "
        f"held-out cells do ({100 * fit.beyond_before:.0f} % before a shift common to all types was taken off)"
    )
    if not far:
        return f"{share}; no cluster lies mostly beyond."
    such = ", ".join(f"{one.number} ({one.n_cells:,} cells, named {one.name})" for one in far[:MOST_NAMED])
    more = f" and {len(far) - MOST_NAMED} more" if len(far) > MOST_NAMED else ""
    if len(far) == len(fit.clusters):
        return f"{share}. All clusters lie beyond: the reference does not fit these cells, and their names are guesses."
    verb = "has" if len(far) == 1 else "have"
    return (
        f"{share}. {counted(len(far), 'cluster')} of {len(fit.clusters)} {verb} no counterpart in the reference: "
        f"{such}{more}. Their names are guesses."
    )


def _judged(result: Result) -> str:
    own = next(one for one in result.methods if one.name == result.chosen)
    if np.isnan(own.accuracy):
        return "How good this method is on known cells was not kept."
    return (
        f"On {result.held_out} it names {100 * own.accuracy:.0f} % right; how many of these cells it names right "
        "cannot be told without labels."
    )


def notes_of(result: Result) -> tuple[str, ...]:
    """Say what else to know, a sentence each."""
    fit = result.fit
    notes = [
        f"{fit.n_shared:,} of the {fit.n_reference:,} genes of the reference are in the dataset; they hold "
        f"{100 * fit.read:.0f} % of its molecules."
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
