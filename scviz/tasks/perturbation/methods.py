"""Which methods predict a screen, and what pages say of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from scviz.errors import RequestError

Name = Literal[
    "no_change",
    "train_mean",
    "additive",
    "linear",
    "linear_genes",
    "linear_perturbations",
    "linear_terms",
    "ridge",
    "neighbors",
    "gears",
    "scgpt",
    "scfoundation_gears",
]
Weights = Literal["none", "any", "scgpt", "scfoundation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodCard:
    """A method in a biologist's words."""

    title: str
    how: str
    weights: Weights = "none"
    """Whose weights it needs: none, those of any model, or of one."""
    trains: bool = False
    """Whether it trains a network, which takes minutes."""
    uses_terms: bool = False
    """Whether it reads which terms genes share."""


METHODS: dict[Name, MethodCard] = {
    "no_change": MethodCard(title="No change", how="Predicts the mean of the control cells."),
    "train_mean": MethodCard(
        title="Mean of perturbations",
        how="Predicts the same for every perturbation: the mean over those of training. It knows nothing of the "
        "gene, and is hard to beat.",
    ),
    "additive": MethodCard(
        title="Additive",
        how="Adds the changes of the two single perturbations of a pair; both must have been seen.",
    ),
    "linear": MethodCard(
        title="Linear",
        how="Bilinear ridge regression on ten principal components of the training perturbations. The perturbed "
        "gene must be measured. For pairs the components of both genes are added, which is our extension.",
    ),
    "linear_genes": MethodCard(
        title="Linear, model's vectors of genes",
        how="The linear model with the gene vectors of a foundation model for the genes that are predicted.",
        weights="any",
    ),
    "linear_perturbations": MethodCard(
        title="Linear, model's vectors of targets",
        how="The linear model with the gene vectors of a foundation model for the genes that are perturbed.",
        weights="any",
    ),
    "linear_terms": MethodCard(
        title="Linear, gene terms",
        how="The linear model, where ten numbers that sum up which terms genes share describe the perturbed gene.",
        uses_terms=True,
    ),
    "ridge": MethodCard(
        title="Ridge on a model's vectors",
        how="Ridge regression from a foundation model's vector of the perturbed gene to the change; its strength "
        "is chosen by leaving each training perturbation out.",
        weights="any",
    ),
    "neighbors": MethodCard(
        title="Nearest genes in a model",
        how="Mean change of the training perturbations whose genes are nearest in a foundation model.",
        weights="any",
    ),
    "gears": MethodCard(
        title="GEARS",
        how="A graph network over genes that share terms and genes expressed together, trained on cells "
        "(Roohani 2024).",
        trains=True,
        uses_terms=True,
    ),
    "scgpt": MethodCard(
        title="scGPT",
        how="The foundation model, trained further to turn control cells into perturbed ones (Cui 2024).",
        weights="scgpt",
        trains=True,
    ),
    "scfoundation_gears": MethodCard(
        title="scFoundation + GEARS",
        how="GEARS, where what scFoundation makes of each gene in a control cell takes the place of the gene's "
        "own vector (Hao 2024).",
        weights="scfoundation",
        trains=True,
        uses_terms=True,
    ),
}
BASELINES: tuple[Name, ...] = ("no_change", "train_mean", "additive", "linear")
"""They come beside every method, and cost seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A method and the weights that it uses."""

    name: Name
    checkpoint: str = ""
    """Id of the weights; empty for a method without."""

    def __post_init__(self) -> None:
        if self.name not in get_args(Name):
            raise RequestError(f"There is no method {self.name!r}.", hint=f"There are {', '.join(METHODS)}.")
        needs = self.card.weights
        model = self.checkpoint.partition("/")[0]
        if (needs == "none") != (not self.checkpoint) or needs not in ("none", "any", model):
            words = {"none": "no weights", "any": "weights of a model"}.get(needs, f"weights of {needs}")
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

    Examples
    --------
    >>> method_of("scgpt:scgpt/demo-1").checkpoint
    'scgpt/demo-1'
    """
    name, _, checkpoint = key.partition(":")
    return Method(name=name, checkpoint=checkpoint)  # type: ignore[arg-type]  # checked there
