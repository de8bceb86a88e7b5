"""What each method can predict, told before it runs; cheap, for pages too.

The predictors refuse in the same words: they ask `lacking` for the same genes, see `scviz.foundation.predictor`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from scviz.datasets.perturbation_split import PerturbationSplit
from scviz.datasets.screen import Perturbation
from scviz.foundation.perturbing import NO_TERMS, NO_VECTOR, NOT_MEASURED, NOT_SEEN_ALONE, KnownGenes, lacking
from scviz.tasks.perturbation.methods import Method


@dataclass(frozen=True, slots=True, kw_only=True)
class Known(KnownGenes):
    """What is known of genes before a run."""

    vocabulary: Collection[str] = ()
    """Genes of the dataset, and perturbed ones, that the weights of a method know."""
    seen_alone: Collection[str] = ()
    """Genes that are perturbed alone in training or validation."""


def seen_alone(split: PerturbationSplit) -> frozenset[str]:
    """Name the genes that are perturbed alone in training or validation."""
    return frozenset(one[0] for one in (*split.train, *split.validation) if len(one) == 1)


def reason_against(method: Method, one: Perturbation, known: Known) -> str:
    """Say why a method cannot predict a perturbation, in a few words; empty when it can."""
    card = method.card
    if card.of_model is not None:
        return card.of_model.reason_against(one, known)
    if card.needs == "nothing":
        return ""
    genes, words = {
        "measured": (known.measured, NOT_MEASURED),
        "seen alone": (known.seen_alone, NOT_SEEN_ALONE),
        "vector": (known.vocabulary, NO_VECTOR),
        "annotated": (known.with_terms or (), NO_TERMS),
    }[card.needs]
    return lacking(one, genes, words)
