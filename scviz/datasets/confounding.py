"""Second factors of a screen: what else differs between control cells and perturbed ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.columns import cell_column
from scviz.datasets.conditions import Conditions, read_values, symbols_in
from scviz.datasets.gene_keys import key
from scviz.datasets.labels import Labels, labels_of
from scviz.datasets.screen import CONTROL
from scviz.workspace import ColumnInfo

LEAST_DISTANCE = 0.1
"""Share of cells that would have to change sides, beyond what chance gives. Cells of one donor or guide are not
independent, so a small difference is certain by any test of single cells and means nothing."""
LARGEST_P = 0.05
"""Of all columns together (Bonferroni)."""
N_DRAWS = 999
MOST_VALUES = 50
APART = 0.95
"""From this distance on a column tells controls from perturbed cells by itself."""
COMPUTED = ("phase", "cluster", "leiden", "louvain", "snn_res")
"""Parts of names of columns that are computed from expression: they follow from a perturbation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfoundedFactor:
    """A column on whose values control cells differ from perturbed ones."""

    column: str
    value: str
    """The value whose share differs most."""
    control_share: float
    """Share of the control cells that have it, 0 to 1."""
    perturbed_share: float
    """Share of the perturbed cells that have it, 0 to 1."""
    distance: float
    """Total variation distance of all values, 0 to 1: half the sum of the differences of shares."""
    p_value: float
    """Share of random choices of as many controls that differ as much."""

    @property
    def sentence(self) -> str:
        """Say what differs, in shares of cells, and what follows."""
        return (
            f"Control cells differ from perturbed ones in {self.column}: {self.control_share:.0%} of the controls are "
            f"{self.value}, {self.perturbed_share:.0%} of the perturbed cells. What {self.column} does to expression "
            "counts as an effect of the perturbations."
        ).replace("%", " %")


def confounded_factors(
    folder: Path, conditions: Conditions, *, columns: Sequence[ColumnInfo], seed: int = 0
) -> tuple[ConfoundedFactor, ...]:
    """Find columns of words on whose values the control cells of a screen differ from its perturbed cells.

    A column counts if its distance is at least `LEAST_DISTANCE` beyond that of random choices of as many cells, and
    larger than in nearly all of them. Left out are columns that say again what was perturbed, and those that are
    computed from expression, such as clusters and the phase of the cell cycle.

    Parameters
    ----------
    folder
        Folder of the dataset.
    conditions
        What the column of perturbations says; cells that it does not understand are left out.
    columns
        What is known of the columns of the dataset, as in `DatasetInfo.columns`.
    seed
        Same seed, same draws.

    Returns
    -------
    The largest difference first; empty where controls are like the others, or there are none.
    """
    control, perturbed = _sides(folder, conditions)
    if not control.any() or not perturbed.any():
        return ()
    symbols = symbols_in(folder)
    asked = [info.name for info in columns if _may_be_factor(info, conditions.column, symbols)]
    n_draws = max(N_DRAWS, int(2 * len(asked) / LARGEST_P))
    rng = np.random.default_rng(seed)
    found = []
    for name in asked:
        labels = labels_of(cell_column(folder, name))
        table = _table(labels, control, perturbed)
        factor = _judged(labels, table, rng, n_draws=n_draws)
        if factor is not None and factor.p_value * len(asked) <= LARGEST_P:
            found.append(factor)
    return tuple(sorted(found, key=lambda one: -one.distance))


def _sides(folder: Path, conditions: Conditions) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which cells are control, and which are perturbed, (N,) each."""
    of_value = conditions.mapping
    each = [of_value.get(text) for text in cell_column(folder, conditions.column).strings()]
    control = np.array([one == CONTROL for one in each])
    return control, ~control & np.array([one is not None for one in each])


def _may_be_factor(info: ColumnInfo, perturbations: str, symbols: dict[str, str]) -> bool:
    """Tell whether a column of words may be a second factor; one that names perturbed genes is none."""
    if info.name == perturbations or not 2 <= info.n_values <= MOST_VALUES or not info.values:
        return False
    if any(word in info.name.lower() for word in COMPUTED):
        return False
    genes = [
        bool(one.perturbation) and all(key(gene) in symbols for gene in one.perturbation or ())
        for one in read_values(info.values, symbols)
    ]
    return 2 * sum(genes) < len(genes)


def _table(labels: Labels, control: NDArray[np.bool_], perturbed: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count control cells and perturbed ones of each label, (2, K)."""
    used, n_names = labels.codes >= 0, len(labels.names)
    return np.array(
        [np.bincount(labels.codes[used & side], minlength=n_names) for side in (control, perturbed)]
    )


def _judged(
    labels: Labels, table: NDArray[np.int64], rng: np.random.Generator, *, n_draws: int
) -> ConfoundedFactor | None:
    """Compare a table, (2, K), with random choices of as many controls; None where nothing differs by itself."""
    totals, n_control = table.sum(axis=0), int(table[0].sum())
    if not n_control or n_control == totals.sum():
        return None
    shares = table / table.sum(axis=1, keepdims=True)  # (2, K)
    distance = float(np.abs(shares[0] - shares[1]).sum() / 2)
    drawn = rng.multivariate_hypergeometric(totals, n_control, size=n_draws, method="marginals")
    others = (totals - drawn) / (totals.sum() - n_control)
    by_chance = np.abs(drawn / n_control - others).sum(axis=1) / 2  # (n_draws,)
    if distance - by_chance.mean() < LEAST_DISTANCE:
        return None
    if distance >= APART and _says_control(labels.names, table):
        return None
    place = int(np.argmax(np.abs(shares[0] - shares[1])))
    return ConfoundedFactor(
        column=labels.column,
        value=labels.names[place],
        control_share=float(shares[0, place]),
        perturbed_share=float(shares[1, place]),
        distance=distance,
        p_value=float((1 + np.sum(by_chance >= distance)) / (1 + n_draws)),
    )


def _says_control(names: Sequence[str], table: NDArray[np.int64]) -> bool:
    """Tell whether a column that parts controls from the others is another word for that, (2, K) cells of each name.

    It is if its values are yes and no, numbers such as that of genes perturbed, or one of controls reads as control;
    batches that hold controls alone are none.
    """
    if set(names) <= {"True", "False"} or all(name.replace(".", "").isdigit() for name in names):
        return True
    of_controls = [name for name, n_cells in zip(names, table[0], strict=True) if n_cells]
    return any(one.perturbation == CONTROL for one in read_values(of_controls, {}))
