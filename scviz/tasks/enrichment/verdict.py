"""What to say of enriched gene sets, beside random genes and shuffled groups."""

from __future__ import annotations

from scviz.metrics.evidence import Outcome
from scviz.tasks.enrichment import MOST_FDR, Term
from scviz.tasks.enrichment.inputs import Inputs
from scviz.tasks.enrichment.judging import Judgement

RATE = f"false discovery rate {100 * MOST_FDR:.0f} % over all sets"


def outcome(judgement: Judgement) -> Outcome:
    """Judge the sets; unknown where none passes and one could not have."""
    if judgement.n_passing:
        return "better"
    return "unknown" if judgement.lacking else "none"


def verdict(judgement: Judgement, inputs: Inputs) -> str:
    """Say in a few sentences how many sets are enriched, which first, and compared with what."""
    n_sets, n_passing, words = len(judgement.found), judgement.n_passing, inputs.words
    if outcome(judgement) == "unknown":
        return f"Cannot tell what {words} have in common: {judgement.lacking}. {_first(judgement)}"
    s = "s" if n_passing == 1 else ""
    held, others = (
        (f"lie{s} nearer an end of the ranking of", "do")
        if judgement.ranked
        else (f"hold{s} more of", "give")
    )
    count = f"{n_passing:,} of {n_sets:,} gene sets {held} {words} than {_random(inputs)} {others} ({RATE}). "
    return f"{count}{_first(judgement)} {_plain(judgement)}{_shuffled(judgement)}".strip()


def _random(inputs: Inputs) -> str:
    shuffled = " and the same cells in shuffled groups" if inputs.compared is not None else ""
    return f"expression-matched random genes{shuffled}"


def _first(judgement: Judgement) -> str:
    first = judgement.found[0]
    if isinstance(first, Term):
        return (
            f"First: {first.name}, {len(first.genes):,} of its {first.n_set:,} genes, where expression-matched random "
            f"genes give {first.expected_alike:.2g} (FDR {first.fdr:.2g})."
        )
    end = "top" if first.es > 0 else "bottom"
    return f"First: {first.name}, near the {end} (enrichment score {first.es:.2f}, FDR {first.fdr:.2g})."


def _plain(judgement: Judgement) -> str:
    """Say how many sets the plain test calls beyond those; GSEA may call others."""
    beyond = [one.fdr_published <= MOST_FDR < one.fdr for one in judgement.ranked]
    more = sum(beyond) if beyond else judgement.n_plain - judgement.n_passing
    if not more:
        return ""
    test = "GSEA with shuffled genes" if beyond else "The plain test"
    return f"{test} alone would call {more:,} more. "


def _shuffled(judgement: Judgement) -> str:
    passing = judgement.shuffled_passing
    if not len(passing):
        return ""
    return (
        f"With shuffled groups the same steps and the plain test call {passing.mean():.2g} sets on average."
    )
