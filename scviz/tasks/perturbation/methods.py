"""Which methods predict a screen, and what pages say of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scviz.errors import RequestError
from scviz.foundation.perturbing import PerturbationCard
from scviz.models import cards

Needs = Literal["nothing", "measured", "seen alone", "vector", "annotated"]
"""What a gene must have to be perturbed: a column among the measured genes, a training perturbation of it alone, a
vector in the model, or gene annotations."""
NO_WEIGHTS, ANY_MODEL = "none", "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodCard:
    """A method in a biologist's words."""

    title: str
    how: str
    needs: Needs = "nothing"
    weights: str = NO_WEIGHTS
    """Whose weights it needs: none, those of any model, or of one, by its name."""
    trains: bool = False
    """Whether it trains a network, which takes minutes."""
    uses_terms: bool = False
    """Whether it reads which terms genes share."""
    of_model: PerturbationCard | None = None
    """The card of the model that it is."""


_OURS: dict[str, MethodCard] = {
    "no_change": MethodCard(title="No change", how="Predicts the mean of the control cells."),
    "train_mean": MethodCard(
        title="Mean of perturbations",
        how="Predicts the same for every perturbation: the mean over those of training. It knows nothing of the "
        "gene, and is hard to beat.",
    ),
    "additive": MethodCard(
        title="Additive",
        how="Adds the changes of the two single perturbations of a pair; both must have been seen.",
        needs="seen alone",
    ),
    "matching_mean": MethodCard(
        title="Matching mean",
        how="The mean after the single perturbations of a pair; for a gene never perturbed alone, the mean of all "
        "perturbed cells (Viñas Torné 2025).",
    ),
    "linear": MethodCard(
        title="Linear",
        how="Bilinear ridge regression on ten principal components of the training perturbations. The perturbed "
        "gene must be measured. For pairs the components of both genes are added, which is our extension.",
        needs="measured",
    ),
    "linear_genes": MethodCard(
        title="Linear, model's vectors of genes",
        how="The linear model with the gene vectors of a foundation model for the genes that are predicted.",
        needs="measured",
        weights=ANY_MODEL,
    ),
    "linear_perturbations": MethodCard(
        title="Linear, model's vectors of targets",
        how="The linear model with the gene vectors of a foundation model for the genes that are perturbed.",
        needs="vector",
        weights=ANY_MODEL,
    ),
    "linear_terms": MethodCard(
        title="Linear, gene terms",
        how="The linear model, where ten numbers that sum up which terms genes share describe the perturbed gene.",
        needs="annotated",
        uses_terms=True,
    ),
    "ridge": MethodCard(
        title="Ridge on a model's vectors",
        how="Ridge regression from a foundation model's vector of the perturbed gene to the change; its strength "
        "is chosen by leaving each training perturbation out.",
        needs="vector",
        weights=ANY_MODEL,
    ),
    "neighbors": MethodCard(
        title="Nearest genes in a model",
        how="Mean change of the training perturbations whose genes are nearest in a foundation model.",
        needs="vector",
        weights=ANY_MODEL,
    ),
}
_GEARS = PerturbationCard(
    key="gears",
    title="GEARS",
    how="A graph network over genes that share terms and genes expressed together, trained on cells (Roohani 2024).",
    needs="terms",
    uses_terms=True,
)


def _trained(card: PerturbationCard, weights: str) -> MethodCard:
    return MethodCard(
        title=card.title,
        how=card.how,
        weights=weights,
        trains=True,
        uses_terms=card.uses_terms,
        of_model=card,
    )


METHODS: dict[str, MethodCard] = (
    _OURS
    | {_GEARS.key: _trained(_GEARS, NO_WEIGHTS)}
    | {
        card.perturbation.key: _trained(card.perturbation, name)
        for name, card in cards().items()
        if card.perturbation is not None
    }
)
"""Ours, GEARS, and each model whose card says that it predicts perturbations."""
BASELINES = ("no_change", "train_mean", "additive", "linear")
"""They come with every method, and cost seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A method and the weights that it uses."""

    name: str
    checkpoint: str = ""
    """Id of the weights; empty for a method without."""

    def __post_init__(self) -> None:
        if self.name not in METHODS:
            raise RequestError(f"There is no method {self.name!r}.", hint=f"There are {', '.join(METHODS)}.")
        needs = self.card.weights
        model = self.checkpoint.partition("/")[0]
        if (needs == NO_WEIGHTS) != (not self.checkpoint) or needs not in (NO_WEIGHTS, ANY_MODEL, model):
            words = {NO_WEIGHTS: "no weights", ANY_MODEL: "weights of a model"}.get(
                needs, f"weights of {needs}"
            )
            raise RequestError(
                f"{self.card.title} takes {words}, not {self.checkpoint or 'none'}.",
                hint="Choose the weights for it, or leave the method out.",
            )

    @property
    def card(self) -> MethodCard:
        """What it is."""
        return METHODS[self.name]

    @property
    def key(self) -> str:
        """Tells the methods of a run apart."""
        return f"{self.name}:{self.checkpoint}" if self.checkpoint else self.name


def method_of(key: str) -> Method:
    """Read the key of a method.

    Raises
    ------
    RequestError
        If there is no such method, or it takes other weights.

    Examples
    --------
    >>> method_of("scgpt:scgpt/demo-1").checkpoint
    'scgpt/demo-1'
    """
    name, _, checkpoint = key.partition(":")
    return Method(name=name, checkpoint=checkpoint)
