"""See which genes a model lets a regulator influence, and hold them against known targets, beside co-expression."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scviz.errors import RequestError
from scviz.networks.attention import SETTINGS, Setting
from scviz.networks.contract import Edges
from scviz.networks.drawing import Drawing

TITLE = "Attention network"
HEAVY = True

TRUTH = "truth"
"""The known network of a simulated screen, in the place of a table of targets."""
ATTENTION, COEXPRESSION, RANDOM = "attention", "co-expression", "random genes"
MOST_REGULATORS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which regulators, in which two groups of cells, with which model."""

    dataset: str
    checkpoint: str
    column: str
    """Column that tells the two groups of cells apart: what was perturbed, or a cell type."""
    control: str
    """Value of control cells, or of group A."""
    perturbed: str
    """Value of perturbed cells, or of group B."""
    regulators: tuple[str, ...]
    """Names of genes of the dataset."""
    prior: str = ""
    """Table of known targets, as `read_prior` reads them; "truth" for a simulated screen; empty for none."""
    most_genes: int = 1200
    """The most variable genes that the model knows; the regulators are always among them."""
    most_cells: int = 100
    """Of each group; more are sampled."""
    top: int = 20
    """Genes with the highest influence that are counted as targets."""
    n_null: int = 20
    """Other genes, expressed like the regulator, that are tried in its place."""
    published: bool = False
    """Rank equal values in their order and leave out the first cell of each group, as the authors' code does."""
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.regulators:
            raise RequestError(
                "No regulator was chosen.", hint="Name a gene, such as a transcription factor."
            )
        if len(set(self.regulators)) < len(self.regulators):
            raise RequestError("A regulator is named twice.", hint="Name each gene once.")
        if self.control == self.perturbed:
            raise RequestError(
                "Both groups are the same cells.", hint="Choose two different values of the column."
            )
        for name, value, low, high in (
            ("regulators", len(self.regulators), 1, MOST_REGULATORS),
            ("genes", self.most_genes, 20, 5000),
            ("cells", self.most_cells, 5, 5000),
            ("top targets", self.top, 1, 500),
            ("other genes", self.n_null, 5, 1000),
        ):
            if not low <= value <= high:
                raise RequestError(f"{value:,} {name} cannot be.", hint=f"Choose between {low} and {high:,}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """How well one ranking of genes agrees with the known targets of a regulator."""

    regulator: str
    setting: Setting
    method: str
    """ATTENTION, COEXPRESSION or RANDOM."""
    n_candidates: int
    """Genes that were ranked, the regulator left out."""
    n_known: int
    """Known targets among them."""
    share: float
    """Of known targets among all candidates: what random genes would hit."""
    top: int
    hits: float
    """Known targets among the top genes; for random genes what is expected."""
    odds_ratio: float
    p: float
    """Hypergeometric chance of at least so many hits; NaN for random genes."""
    auroc: float
    """Chance that a known target stands before another gene; 0.5 is chance."""
    p_null: float
    """Share of other genes in the place of the regulator that do as well, (1 + as well) / (1 + all); NaN where it
    was not tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Influence of R regulators on M genes."""

    genes: tuple[str, ...]
    regulators: tuple[str, ...]
    influence: dict[str, NDArray[np.float32]]
    """By setting, (R, M); NaN for the regulator itself and for genes that no cell holds together with it."""
    coexpression: dict[str, NDArray[np.float32]]
    """By setting, (R, M): change of the correlation without its sign, or the correlation without its sign."""
    null_auroc: dict[str, NDArray[np.float64]]
    """By setting, (R, n) of other genes in the place of each regulator; NaN where there are no known targets."""
    null_genes: tuple[tuple[str, ...], ...]
    """The n other genes of each of the R regulators."""
    checks: tuple[Check, ...]
    """Empty without known targets."""
    n_control: int
    n_perturbed: int
    prior: str
    """Where known targets come from, a few words; empty for nowhere."""
    verdict: str
    notes: tuple[str, ...]
    seconds: float
    drawings: dict[str, Drawing] = field(default_factory=dict)
    """By setting: the regulators and their top targets; empty in records of runs that did not draw them."""

    def edges(self, setting: Setting, top: int) -> Edges:
        """Give the links from each regulator to its top targets of positive influence, the strongest first."""
        from scviz.networks.attention import top_targets

        links = [
            (float(values[target]), regulator, self.genes[target])
            for regulator, values in zip(self.regulators, self.influence[setting], strict=True)
            for target in top_targets(values, top)
            if values[target] > 0
        ]
        links.sort(key=lambda link: -link[0])
        return Edges(
            sources=tuple(source for _, source, _ in links),
            targets=tuple(target for _, _, target in links),
            weights=np.array([weight for weight, _, _ in links], dtype=np.float64),
        )


__all__ = ["SETTINGS", "Check", "Request", "Result", "Setting"]
