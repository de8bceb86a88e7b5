"""A perturbation screen: log expression of cells, and which genes were perturbed in each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Perturbation = tuple[str, ...]
"""Symbols of the genes that were perturbed together, sorted; () is control."""

CONTROL: Perturbation = ()


def label(perturbation: Perturbation) -> str:
    """Name a perturbation for people.

    Examples
    --------
    >>> label(("KLF1", "BAK1")), label(())
    ('KLF1+BAK1', 'control')
    """
    return "+".join(perturbation) or "control"


@dataclass(frozen=True, kw_only=True)
class Screen:
    """N cells of a screen, or of some of its perturbations."""

    expression: sp.csr_matrix
    """(N, G) log1p expression, float32."""
    genes: tuple[str, ...]
    """Symbols of the G genes."""
    perturbations: tuple[Perturbation, ...]
    """The P perturbations that have cells here, control among them where there are control cells."""
    codes: NDArray[np.int64]
    """(N,) index of each cell's perturbation in `perturbations`."""
    _means: dict[Perturbation, NDArray[np.float64]] = field(default_factory=dict, repr=False)

    @cached_property
    def index(self) -> dict[Perturbation, int]:
        """Place of each perturbation in `perturbations`."""
        return {perturbation: i for i, perturbation in enumerate(self.perturbations)}

    @cached_property
    def column(self) -> dict[str, int]:
        """Column of each gene; the first of a name."""
        return {gene: i for i, gene in reversed(list(enumerate(self.genes)))}

    def rows(self, perturbation: Perturbation) -> NDArray[np.int64]:
        """Return the n cells of a perturbation, ascending, (n,)."""
        return np.flatnonzero(self.codes == self.index[perturbation])

    def mean(self, perturbation: Perturbation) -> NDArray[np.float64]:
        """Return the mean expression of the cells of a perturbation, (G,)."""
        if perturbation not in self._means:
            cells = self.expression[self.rows(perturbation)].astype(np.float64)
            self._means[perturbation] = np.asarray(cells.mean(axis=0)).ravel()
        return self._means[perturbation]

    def means(self, perturbations: Sequence[Perturbation]) -> NDArray[np.float64]:
        """Return one mean per perturbation, (P, G)."""
        return np.array([self.mean(one) for one in perturbations]).reshape(-1, len(self.genes))

    @property
    def control(self) -> NDArray[np.float64]:
        """Mean expression of the control cells, (G,)."""
        return self.mean(CONTROL)

    @property
    def perturbed(self) -> tuple[Perturbation, ...]:
        """The perturbations without control."""
        return tuple(one for one in self.perturbations if one != CONTROL)

    def only(self, perturbations: Iterable[Perturbation]) -> Screen:
        """Return the cells of some perturbations, in their order here."""
        wanted = set(perturbations)
        return self.take(np.flatnonzero([self.perturbations[code] in wanted for code in self.codes]))

    def take(self, rows: NDArray[np.int64]) -> Screen:
        """Return some cells, (n,) rows."""
        present = np.unique(self.codes[rows])
        return Screen(
            expression=self.expression[rows],
            genes=self.genes,
            perturbations=tuple(self.perturbations[code] for code in present),
            codes=np.searchsorted(present, self.codes[rows]),
        )
