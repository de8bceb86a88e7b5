"""Measure how good cells are: counts, genes, mitochondrial and ribosomal share, doublets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.thresholds import N_MADS
from scviz.tasks.fields import SEED, TYPE_KINDS, Column, Number, Switch, check_fields

TITLE = "Quality control"
HEAVY = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which cells; and what thresholds are suggested and losses counted by, which changes no measure."""

    dataset: str
    label_key: Annotated[
        str | None,
        Column(
            "Column with cell types",
            help="Losses are counted by type, so that a rare type does not vanish unseen.",
            kinds=TYPE_KINDS,
        ),
    ] = None
    batch_key: Annotated[
        str | None,
        Column(
            "Column with batches",
            help="Doublets are looked for in each batch by itself, since both cells of a doublet come from one batch; "
            "losses are counted by batch.",
            kinds=("batch",),
        ),
    ] = None
    doublets: Annotated[
        bool,
        Switch(
            "Find doublets", help="With scrublet: seconds for 10,000 cells, minutes for 100,000 in one batch."
        ),
    ] = True
    expected_doublets: Annotated[
        float,
        Number(
            "Expected doublets",
            0.01,
            0.5,
            unit="%",
            help="Share of cells that are doublets; 10x tells it for the number of cells that were loaded.",
            advanced=True,
        ),
    ] = 0.05
    n_mads: Annotated[
        float,
        Number(
            "MADs from the median",
            1,
            10,
            step=0.5,
            help="Suggested thresholds lie so many median absolute deviations from the median; 5 keeps more cells.",
            advanced=True,
        ),
    ] = N_MADS
    seed: Annotated[int, SEED] = 0

    def __post_init__(self) -> None:
        check_fields(self)


CHANGES_NOTHING = ("label_key", "n_mads")
"""Fields that the measures do not depend on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The measures of N cells and G genes; which cells are kept is decided with them, by the page or the command."""

    measures: dict[str, NDArray[np.float64]]
    """(N,) by name, as `cell_quality.MEASURES` has them; NaN where nothing is known. No doublet score where none was
    asked for or could be told."""
    gene_cells: NDArray[np.int64]
    """(G,) cells in which each gene is seen."""
    doublet_thresholds: dict[str, float]
    """Score above which scrublet calls doublets, by batch; one with the name "" without batches. Batches where it
    finds no threshold are not there."""
    n_mitochondrial: int
    """Genes that are mitochondrial."""
    n_ribosomal: int
    """Genes that are ribosomal."""
    seconds: float
    notes: tuple[str, ...] = ()
