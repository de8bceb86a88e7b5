"""What was found, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.evidence import LEVEL, Gain, Outcome, counted, random_needed
from scviz.tasks.attention_network import ATTENTION, Check, Request
from scviz.tasks.attention_network.inputs import Inputs
from scviz.tasks.attention_network.judging import Judged

UNTOLD = (
    "There are no known targets of these genes to check against, so nobody can tell from this run whether the links "
    "mean anything. A prior network (TF - target) with these regulators would tell."
)

UNREAD = (
    "Cannot tell: the model reads no regulator with known targets in both groups of cells, so there is no difference "
    "between the groups to check. More cells of each group, or other groups, may tell; each group alone is shown below."
)


def verdict_of(judged: Judged) -> tuple[Outcome, str]:
    """Judge attention by the difference between the groups, against co-expression and control regulators.

    It is called better only where it is better than both.
    """
    if judged.gain is None:
        return "unknown", UNREAD if judged.checks else UNTOLD
    own = [one for one in judged.checks if one.method == ATTENTION and one.setting == "difference"]
    passed = sum(one.fdr <= LEVEL for one in own)
    wanted = _more_needed(judged.checks)
    targets = f"Known targets of {_named(own)}. "
    controls = _one(own[0]) if len(own) == 1 else _many(own, passed)
    sentence = f"{targets}{judged.gain.sentence} {controls}{'' if passed else wanted}"
    return _outcome(judged.gain, passed=bool(passed), enough=not wanted), sentence


def _outcome(gain: Gain, *, passed: bool, enough: bool) -> Outcome:
    """Do not call better what other genes in the place of the regulators reach, too."""
    if gain.outcome != "better" or passed:
        return gain.outcome
    return "none" if enough else "unknown"


def _named(own: Sequence[Check]) -> str:
    return own[0].regulator if len(own) == 1 else f"{counted(len(own), 'regulator')}"


def _one(own: Check) -> str:
    """Say where a regulator stands among its control regulators."""
    place = own.place
    if place is None or not place.n:
        return f"No other gene could be tried in the place of {own.regulator}."
    larger = "larger" if own.fdr <= LEVEL else "not larger"
    return (
        f"That of {own.regulator} is {larger} than those of expression-matched control regulators: {place.words} "
        f"(false discovery rate {100 * own.fdr:.2g} % over regulators and settings)."
    )


def _many(own: Sequence[Check], passed: int) -> str:
    return (
        f"For {passed} of {len(own)} regulators it is larger than for expression-matched control regulators (false "
        f"discovery rate {100 * LEVEL:.0f} % over regulators and settings)."
    )


def _more_needed(checks: Sequence[Check]) -> str:
    """Say how many control regulators it would take where there are too few for any regulator to pass; else nothing."""
    places = [one.place for one in checks if one.place is not None]
    tried, wanted = min(one.n for one in places), random_needed(len(places))
    if tried >= wanted:
        return ""
    return (
        f" With {tried:,} control regulators none could pass alone: that takes {wanted:,}, so choose more genes "
        "or fewer regulators."
    )


def notes_of(request: Request, inputs: Inputs, *, seen: NDArray[np.bool_]) -> tuple[str, ...]:
    """Say what else to know.

    Parameters
    ----------
    seen
        (R,) whether the model read the regulator in both groups of cells.
    """
    return (
        *_about_attention(request, inputs),
        *_about_cells(request, inputs),
        *_about_regulators(request, inputs, seen),
    )


def _about_attention(request: Request, inputs: Inputs) -> list[str]:
    notes = []
    if not inputs.model.ranks_attention:
        notes.append(
            f"The authors of {inputs.model.card.title} did not make networks in this way: its attention after "
            "softmax, mean over heads, is ranked as scGPT's authors rank theirs, over all genes of a cell, and over "
            "cells that express both genes."
        )
    if request.published:
        notes.append(
            "As in the authors' code, the first cell of each group is left out of the sum and equal ranks fall in "
            "the order of the genes."
        )
    return notes


def _about_cells(request: Request, inputs: Inputs) -> list[str]:
    words = zip((request.control, request.perturbed), inputs.groups, inputs.n_chosen, strict=True)
    return [
        f"{len(rows):,} of {n_all:,} cells of {word} were drawn at random."
        for word, rows, n_all in words
        if len(rows) < n_all
    ]


def _about_regulators(request: Request, inputs: Inputs, seen: NDArray[np.bool_]) -> list[str]:
    notes = []
    unseen = [name for name, one in zip(request.regulators, seen, strict=True) if not one]
    if unseen:
        notes.append(f"The model reads {', '.join(unseen)} in no cell of one of the groups.")
    lost = [name for name, row in zip(request.regulators, inputs.known, strict=True) if not row.any()]
    if request.prior and lost:
        notes.append(f"No known target among these genes: {', '.join(lost)}.")
    return notes
