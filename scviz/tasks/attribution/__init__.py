"""Ask which genes make a classifier say a type, and whether those are the genes that tell the type by expression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from scviz.tasks.fields import SEED, Needs, Number, check_fields

TITLE = "Genes behind a name"
HEAVY = True
NEEDS = Needs(cells=12, genes=10)
"""Two types of six held-out cells, and so many genes as make a ranking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which finished run of cell types, and how closely it is asked."""

    dataset: str
    run: str
    """A finished run of cell types whose classifier was kept, with cells that judge it."""
    n_cells: Annotated[
        int,
        Number(
            "Cells of each type",
            6,
            500,
            unit="cells",
            help="Held-out cells whose genes are asked about: half of them choose genes, half of them test those.",
        ),
    ] = 12
    n_steps: Annotated[
        int,
        Number(
            "Steps of the integral", 2, 200, help="More steps, closer to the exact integral.", advanced=True
        ),
    ] = 8
    n_deleted: Annotated[
        int,
        Number(
            "Genes deleted as a test", 1, 200, unit="genes", help="The first of each ranking.", advanced=True
        ),
    ] = 20
    n_random: Annotated[
        int,
        Number(
            "Random sets",
            5,
            200,
            help="Of expression-matched random genes. With fewer than 19 no type can be told from chance.",
            advanced=True,
        ),
    ] = 19
    seed: Annotated[int, SEED] = 0

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """K types, and G genes of the dataset that the model knows, in the order of the dataset."""

    types: tuple[str, ...]
    """Those with held-out cells enough."""
    genes: tuple[str, ...]
    n_cells: tuple[int, ...]
    """(K,) held-out cells that were asked."""
    integrated: NDArray[np.float32]
    """(K, G) what a gene adds to the score of the type, by integrated gradients; mean over its cells."""
    gradient: NDArray[np.float32]
    """(K, G) the same by gradient times input."""
    seen: NDArray[np.float32]
    """(K, G) share of these cells in which the model reads the gene."""
    differential: NDArray[np.float32]
    """(K, G) Welch's t of the type against all others, on cells that were not asked."""
    agreement: NDArray[np.float64]
    """(K,) rank correlation of integrated gradients and t, over the genes that are read in some of the cells."""
    gradient_agreement: NDArray[np.float64]
    """(K,) of gradient times input and t."""
    level_agreement: NDArray[np.float64]
    """(K,) of the mean expression in the type and t: what a ranking reaches that knows how much a gene is expressed."""
    repeated: NDArray[np.float64]
    """(K,) rank correlation of integrated gradients between the two halves of the cells."""
    drop: NDArray[np.float64]
    """(K, 2 + R) loss of the score in the second half of the cells without genes that the first half chose: by
    integrated gradients, by t, and R sets of expression-matched random genes."""
    unexplained: float
    """Median share of the score that the integral misses, for want of steps."""
    verdict: str
    notes: tuple[str, ...]
    seconds: float
    matched: NDArray[np.float64] | None = None
    """(K, 2) rank correlation with t where t is dealt anew among genes that are expressed as much, and the share of
    such deals that agree as much or more than the data."""
    other_types: NDArray[np.float64] | None = None
    """(K, K) rank correlation of the integrated gradients of a type, in rows, with t of each type."""
