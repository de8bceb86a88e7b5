"""What was found, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scviz.tasks.modules import (
    EXPRESSION,
    RANDOM_WEIGHTS,
    Facts,
    Gain,
    Judged,
    Request,
)
from scviz.tasks.modules.inputs import Inputs
from scviz.tasks.modules.judging import Judgement

TOLD_APART = 0.8
"""Scores below this area under the curve are not said to tell a type from others."""
TITLES = {EXPRESSION: "plain co-expression", RANDOM_WEIGHTS: "the same model with random weights"}
TOO_FEW = "too few modules to tell a difference"
WORDS = {
    EXPRESSION: (
        "the model finds genes that hold together better",
        "no gain",
        "genes of these modules hold together less",
        TOO_FEW,
    ),
    RANDOM_WEIGHTS: (
        "its weights know which genes go together",
        "its weights add nothing that is clear here",
        "its weights do worse",
        TOO_FEW,
    ),
}
"""What a gain, an interval that holds 0, a loss and no interval mean, by what is compared with."""


def verdict(request: Request, judgement: Judgement) -> str:
    """Say how many modules hold together, whether that is more than others find, and which types they tell apart."""
    methods = judgement.methods
    own = next(iter(methods.values()))
    if not own.n_modules:
        return (
            f"No module of {request.fewest_genes} genes or more. Take a lower resolution, more neighbors, or allow "
            "smaller modules."
        )
    words = [
        f"{own.n_modules} {'module holds' if own.n_modules == 1 else 'modules hold'} {100 * own.share:.0f} % of the "
        f"genes; {own.n_beyond} of {own.n_modules} hold together more than random genes that are expressed alike, in "
        f"cells not used to find them (mean correlation {own.coherence:.3f}, random genes {own.random:.3f})."
    ]
    if request.source == "expression":
        words.append("This is plain co-expression: no model was read.")
    words += [_compared(gain, methods) for gain in judgement.gains]
    if judgement.chance == judgement.chance:  # NaN is not
        words.append(_truth(methods, judgement.chance))
    words += _types(judgement.facts)
    return " ".join(words)


def _compared(gain: Gain, methods: Mapping[str, Judged]) -> str:
    """Compare the source with one other method."""
    own, other = next(iter(methods.values())), methods[gain.over]
    better, equal, worse, unknown = WORDS[gain.over]
    if not gain.low <= gain.high:  # NaN
        judged = unknown
    else:
        judged = better if gain.low > 0 and own.n_beyond else worse if gain.high < 0 else equal
    numbers = (
        f"gain of a gene {_number(own.gain)}, there {_number(other.gain)} "
        f"(95 % interval of the difference {_number(gain.low)} to {_number(gain.high)})"
    )
    alike = f"; the modules agree by {other.agreement:.2f}, 0 is chance" if gain.over == EXPRESSION else ""
    return f"Against {TITLES[gain.over]}, {judged}: {numbers}{alike}."


def _number(value: float) -> str:
    """Write a number; one that is nearly 0 has no sign."""
    return f"{round(value, 3) + 0.0:.3f}"


def _truth(methods: Mapping[str, Judged], chance: float) -> str:
    """Hold pairs of genes against the known network."""
    own, plain = next(iter(methods.values())), methods[EXPRESSION]
    known = plain is not own and plain.n_modules > 0
    beside = f", of plain co-expression {100 * plain.precision:.0f} %" if known else ""
    return (
        f"Of the pairs in one module {100 * own.precision:.0f} % have a regulator in common{beside}, of all pairs "
        f"{100 * chance:.0f} %."
    )


def _types(facts: Sequence[Facts]) -> list[str]:
    """Name the module that tells a type best from all others."""
    told = [(one.auroc, i) for i, one in enumerate(facts) if one.auroc >= TOLD_APART]
    if not told:
        return []
    auroc, best = max(told)
    one = facts[best]
    more = "more than random genes do" if one.auroc > one.random_auroc else "no more than random genes do"
    return [
        f"Module {best + 1} tells {one.best_type} from all other cells, {more} (AUROC {auroc:.2f}; 95 % of random "
        f"sets stay below {one.random_auroc:.2f})."
    ]


def notes_of(request: Request, inputs: Inputs, *, n_lost: int) -> tuple[str, ...]:
    """Say what else to know."""
    notes = []
    n_used = len(inputs.found_in) + len(inputs.held_out)
    if n_used < inputs.n_chosen:
        notes.append(
            f"{n_used:,} of {inputs.n_chosen:,} cells were drawn at random; scores are of all cells."
        )
    if request.source == "static":
        notes.append(
            "The model's own vectors of genes were compared: no cell was read to find these modules."
        )
    if request.source == "context" and inputs.model is not None:
        n_read = min(request.context_cells, len(inputs.found_in))
        notes.append(f"{inputs.model.card.title} read {n_read:,} cells to make a vector of each gene.")
    if n_lost:
        notes.append(f"{n_lost:,} genes were left out: the model saw them in none of the cells that it read.")
    if request.graph == "threshold" and request.source != "expression":
        notes.append("The other methods link as many pairs as the model does, whatever their cosine.")
    if request.graph == "published":
        notes.append(
            "Neighbors are those of the vectors as they are, without the mean subtracted, as published."
        )
    return tuple(notes)
