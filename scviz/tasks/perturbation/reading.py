"""What a column of a dataset says about perturbations; cheap, for pages too."""

from __future__ import annotations

from pathlib import Path

from scviz.datasets.columns import cell_column, gene_identifiers
from scviz.datasets.conditions import Conditions, read_conditions, symbols_of

FEWEST_CELLS = 5
"""Perturbations with fewer cells are left out: their mean would be chance."""


def conditions_of(folder: Path, column: str, control: str = "") -> Conditions:
    """Read the perturbation that each value of a column names."""
    symbols = symbols_of(gene_identifiers(folder))
    return read_conditions(cell_column(folder, column), symbols, control=control or None)
