"""What each method can predict, told before it runs; cheap, for pages too."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from scviz.datasets.perturbation_split import PerturbationSplit
from scviz.datasets.screen import Perturbation
from scviz.tasks.perturbation.methods import Method


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of genes before a run."""

    measured: Collection[str]
    """Genes of the dataset."""
    with_terms: Collection[str] | None
    """Genes that have terms; None where no terms are chosen."""
    vocabulary: Collection[str]
    """Genes of the dataset, and perturbed ones, that the weights of a method know."""


def reason_against(method: Method, one: Perturbation, split: PerturbationSplit, known: Known) -> str:
    """Say why a method cannot predict a perturbation, in a few words; empty when it can."""
    name = method.name
    if name == "additive":
        unseen = [gene for gene in one if (gene,) not in (*split.train, *split.validation)]
        return f"{_names(unseen)} not seen alone" if unseen else ""
    if name in ("linear", "linear_genes", "scgpt"):
        return _lacks(one, known.measured, "not measured")
    if name in ("linear_perturbations", "ridge", "neighbors"):
        return _lacks(one, known.vocabulary, "not in the model's vocabulary")
    if name == "linear_terms":
        return _lacks(one, known.with_terms or (), "without terms")
    if name in ("gears", "scfoundation_gears") and known.with_terms is not None:
        return _lacks(one, known.with_terms, "without terms")
    return ""


def _lacks(one: Perturbation, known: Collection[str], words: str) -> str:
    missing = [gene for gene in one if gene not in known]
    return f"{_names(missing)} {words}" if missing else ""


def _names(genes: Collection[str]) -> str:
    return " and ".join(genes)
