"""What was found, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scviz.tasks.attention_network import ATTENTION, COEXPRESSION, Check, Request
from scviz.tasks.attention_network.subject import Subject

CLEAR = 0.05


def verdict_of(request: Request, checks: Sequence[Check]) -> str:
    """Judge attention by the difference between the groups, against co-expression and other genes."""
    own = [one for one in checks if one.method == ATTENTION and one.setting == "difference"]
    beside = [one for one in checks if one.method == COEXPRESSION and one.setting == "difference"]
    if not own:
        return (
            "There are no known targets of these genes to check against, so nobody can tell from this run whether "
            "the links mean anything."
        )
    mine, theirs = (float(np.median([one.auroc for one in many])) for many in (own, beside))
    clear = sum(one.p_null <= CLEAR and one.p <= CLEAR for one in own)
    who = f"{len(own)} regulators" if len(own) > 1 else own[0].regulator
    lead = (
        f"Attention finds the known targets of {who} with an area under the curve of {mine:.2f}, "
        f"co-expression with {theirs:.2f}, chance with 0.50. "
    )
    if len(own) == 1:
        one = own[0]
        hits = (
            f"{one.hits:.0f} of the top {one.top} are known targets where {one.top * one.share:.1f} are expected "
            f"(p = {one.p:.2g}); "
        )
        other = "better than" if one.p_null <= CLEAR else "no better than"
        return lead + hits + f"that is {other} other genes do in its place (p = {one.p_null:.2g})."
    return lead + (
        f"For {clear} of them the top {request.top} hold more known targets than chance and than other genes in "
        "their place would give."
    )


def notes_of(
    request: Request, subject: Subject, targets: NDArray[np.bool_], *, seen: NDArray[np.bool_]
) -> tuple[str, ...]:
    """Say what else to know.

    Parameters
    ----------
    targets
        (R, M) known targets of each regulator.
    seen
        (R,) whether the model read the regulator in both groups of cells.
    """
    notes = []
    if not subject.model.ranks_attention:
        notes.append(
            f"The authors of {subject.model.card.title} did not make networks in this way: its attention after "
            "softmax, mean over heads, is ranked as scGPT's authors rank theirs, in whole cells, over cells that "
            "express both genes."
        )
    words = (request.control, request.perturbed)
    for word, rows, n_all in zip(words, subject.groups, subject.n_chosen, strict=True):
        if len(rows) < n_all:
            notes.append(f"{len(rows):,} of {n_all:,} cells of {word} were drawn at random.")
    unseen = [name for name, one in zip(request.regulators, seen, strict=True) if not one]
    if unseen:
        notes.append(f"The model reads {', '.join(unseen)} in no cell of one of the groups.")
    lost = [name for name, row in zip(request.regulators, targets, strict=True) if not row.any()]
    if request.prior and lost:
        notes.append(f"No known target among these genes: {', '.join(lost)}.")
    if request.published:
        notes.append(
            "As in the authors' code, the first cell of each group is left out of the sum and equal ranks fall in "
            "the order of the genes."
        )
    return tuple(notes)
