"""What was found, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.labels import Labels
from scviz.metrics.evidence import LEVEL, Outcome, counted
from scviz.tasks.modules import EXPRESSION, MOST_FDR, Facts, Judged, Request
from scviz.tasks.modules.inputs import Inputs
from scviz.tasks.modules.judging import WORTHWHILE_MODULE, Judgement
from scviz.tasks.modules.telling import FEWEST_OF_TYPE

TOLD_APART = 0.8
"""Scores below this area under the curve are not said to tell a type from others."""


def outcome(judgement: Judgement) -> Outcome:
    """Judge a model by co-expression, and co-expression by random genes."""
    own = next(iter(judgement.methods.values()))
    if EXPRESSION in judgement.gains:
        return judgement.gains[EXPRESSION].outcome
    if own.n_beyond:
        return "better"
    return "none" if own.n_modules and own.reach < WORTHWHILE_MODULE else "unknown"


def verdict(request: Request, judgement: Judgement, facts: Sequence[Facts]) -> str:
    """Say how many modules hold together, whether that is more than others find, and which types they tell apart."""
    methods = judgement.methods
    own = next(iter(methods.values()))
    if not own.n_modules:
        return (
            f"No module of {request.fewest_genes} genes or more. Take a lower resolution, more neighbors, or allow "
            "smaller modules."
        )
    words = [_together(own, n_cells=judgement.n_held_out, lasting=judgement.lasting)]
    if request.source == "expression":
        words.append("This is plain co-expression: no model was read.")
    words += [gain.sentence for gain in judgement.gains.values()]
    if EXPRESSION in judgement.gains:
        words.append(
            f"Its modules agree with those of co-expression by {methods[EXPRESSION].agreement:.2f} (0 is chance)."
        )
    if judgement.chance == judgement.chance:  # NaN is not
        words.append(_truth(methods, judgement.chance))
    words += _types(facts)
    return " ".join(words)


def _together(own: Judged, *, n_cells: int, lasting: float) -> str:
    """Say how many modules hold together more than random genes; where none does, what would have been seen.

    Parameters
    ----------
    lasting
        Share of the variance of random sets that more cells would not take away.
    """
    holds = "holds" if own.n_modules == 1 else "hold"
    found = f"{counted(own.n_modules, 'module')} {holds} {100 * own.share:.0f} % of the genes. "
    where = f"in {counted(n_cells, 'cell')} not used to find them"
    numbers = f"mean correlation {own.coherence:.3f}, random genes {own.random:.3f}"
    if own.n_beyond:
        verb = "holds" if own.n_beyond == 1 else "hold"
        return found + (
            f"{own.n_beyond} of {own.n_modules} {verb} together more than expression-matched random genes, {where} "
            f"({numbers}; false discovery rate {100 * MOST_FDR:.0f} %)."
        )
    if own.reach != own.reach:  # NaN
        return (
            found
            + "Cannot tell whether they hold together: there are too few other genes to compare all with."
        )
    if own.reach < WORTHWHILE_MODULE:
        return found + (
            f"No module holds together more than expression-matched random genes, {where} ({numbers}): in any "
            f"of them a mean correlation {own.reach:.3f} above theirs would have been seen."
        )
    return found + (
        f"Cannot tell whether any holds together more than expression-matched random genes, {where} ({numbers}): only "
        f"a mean correlation {own.reach:.3f} above theirs would have been seen in any of them. "
        f"{_needed(own, n_cells=n_cells, lasting=lasting)}"
    )


def _needed(own: Judged, *, n_cells: int, lasting: float) -> str:
    """Say how many cells would show a module worth looking at, or that no number would."""
    wanted = (WORTHWHILE_MODULE / own.reach) ** 2  # share of the variance of random sets that may be left
    if lasting >= wanted:
        return (
            f"More cells would not show {WORTHWHILE_MODULE:g}, as random genes of these cells hold together more or "
            "less in any number of them; fewer and larger modules may."
        )
    needed = round(n_cells * (1 - lasting) / (wanted - lasting))
    return f"About {needed:,} such cells would show {WORTHWHILE_MODULE:g}."


def _truth(methods: Mapping[str, Judged], chance: float) -> str:
    """Compare pairs of genes with the known network."""
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
    lead = f"Module {best + 1} tells {one.best_type} from all other cells"
    numbers = f"its score is higher in {one.best_type} for {100 * auroc:.0f} % of the pairs of cells"
    if not one.type_place.n:
        return [
            f"{lead}: {numbers}. Cannot tell whether random genes do as well: there are too few to draw from."
        ]
    place = f"{one.type_place.words} among the best of {one.type_place.n} draws of random genes"
    more = "better" if one.type_place.p <= LEVEL else "no better"
    return [f"{lead}, {more} than random genes do: {numbers}, {place}."]


def notes_of(
    request: Request, inputs: Inputs, types: Labels, *, few: NDArray[np.int64], n_lost: int
) -> tuple[str, ...]:
    """Say what else to know.

    Parameters
    ----------
    few
        (F,) types of too few cells to be told apart.
    n_lost
        Genes that the model saw in no cell.
    """
    return (
        *_notes_of_cells(request, inputs),
        *_notes_of_types(types, few),
        *_notes_of_genes(request, n_lost),
    )


def _notes_of_cells(request: Request, inputs: Inputs) -> list[str]:
    notes = []
    n_used = len(inputs.found_in) + len(inputs.held_out)
    if n_used < inputs.n_chosen:
        notes.append(
            f"{n_used:,} of {inputs.n_chosen:,} cells were drawn at random; scores are of all cells."
        )
    notes.append(
        "The cells that judge the modules are a random half of the same cells, so of the same donors: whether the "
        "modules hold in other donors is not tested."
    )
    if request.source == "static":
        notes.append(
            "The model's own vectors of genes were compared: no cell was read to find these modules."
        )
    if request.source == "context" and inputs.model is not None:
        n_read = min(request.context_cells, len(inputs.found_in))
        notes.append(
            f"{inputs.model.card.title} read {counted(n_read, 'cell')} to make a vector of each gene."
        )
    return notes


def _notes_of_types(types: Labels, few: NDArray[np.int64]) -> list[str]:
    if not len(few):
        return list(types.notes)
    names = ", ".join(types.names[i] for i in few)
    return [
        *types.notes,
        f"Not told apart, as fewer than {FEWEST_OF_TYPE} cells that did not make the modules are of the type: {names}.",
    ]


def _notes_of_genes(request: Request, n_lost: int) -> list[str]:
    notes = []
    if n_lost:
        notes.append(f"{n_lost:,} genes were left out: the model saw them in none of the cells that it read.")
    if request.graph == "threshold" and request.source != "expression":
        notes.append("The other methods link as many pairs as the model does, whatever their cosine.")
    if request.graph == "published":
        notes.append(
            "Neighbors are those of the vectors as they are, without the mean subtracted, as published."
        )
    return notes
