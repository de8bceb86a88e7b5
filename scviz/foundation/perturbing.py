"""What a model that predicts perturbations says of itself and is given; cheap to import."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

NOT_MEASURED = "not measured"
NO_VECTOR = "not in the model's vocabulary"
NO_TERMS = "without terms"
NOT_SEEN_ALONE = "not seen alone"
"""What the genes of a perturbation lack that cannot be predicted, before a run and after it."""

Need = Literal["nothing", "measured", "terms"]
"""What a gene must have to be perturbed: nothing, a column among the measured genes, or terms where terms are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownGenes:
    """What is known of genes before a run."""

    measured: Collection[str]
    """Genes of the dataset."""
    with_terms: Collection[str] | None = None
    """Genes that have terms; None where no terms are chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PerturbationCard:
    """A model as a method that predicts perturbations, in a biologist's words."""

    key: str
    """Name of the method in requests and on the command line: "scgpt"."""
    title: str
    how: str
    """What it does, a sentence or two."""
    needs: Need = "nothing"
    uses_terms: bool = False
    """Whether it reads which terms genes share."""

    def reason_against(self, perturbation: tuple[str, ...], known: KnownGenes) -> str:
        """Say why a perturbation cannot be predicted, in a few words; empty when it can.

        The predictor that the model makes refuses the same perturbations.

        Examples
        --------
        >>> card = PerturbationCard(key="a", title="A", how="", needs="measured")
        >>> card.reason_against(("LAT", "CD3E"), KnownGenes(measured={"CD3E"}))
        'LAT not measured'
        """
        if self.needs == "measured":
            return lacking(perturbation, known.measured, NOT_MEASURED)
        if self.needs == "terms" and known.with_terms is not None:
            return lacking(perturbation, known.with_terms, NO_TERMS)
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PerturbationInputs:
    """What a predictor is given besides the screen; 0 of a number takes what its authors take."""

    terms: Mapping[str, frozenset[str]] | None = None
    """Terms of each gene, for those that read them; None goes without."""
    also: Collection[str] = ()
    """Genes that may be asked for and are neither measured nor perturbed in the cells that are learned from."""
    epochs: int = 0
    batch_size: int = 0
    seed: int = 0

    @property
    def training(self) -> dict[str, Any]:
        """What differs from the settings of the authors, by the names `epochs`, `batch_size` and `seed`."""
        numbers = {"epochs": self.epochs, "batch_size": self.batch_size}
        return {name: value for name, value in numbers.items() if value} | {"seed": self.seed}


def lacking(perturbation: tuple[str, ...], known: Collection[str], words: str) -> str:
    """Name the genes of a perturbation that are not among those known, and say what they lack; empty when none do."""
    missing = [gene for gene in perturbation if gene not in known]
    return f"{' and '.join(missing)} {words}" if missing else ""
