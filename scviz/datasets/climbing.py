"""Sets of cell types as one name: the narrowest that the Cell Ontology has for all types of a set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.cell_ontology import CELL, ancestors, common_name, label_of
from scviz.metrics.conformal import BETWEEN, NONE_KNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Climbed:
    """One name for the set of each cell."""

    names: NDArray[np.object_]
    """(N,) such as "T cell" for CD4 or CD8; the types of the set where nothing narrower than a cell holds them."""
    terms: NDArray[np.object_]
    """(N,) id of that name; empty where it has none."""
    holds: NDArray[np.bool_]
    """(N, K) types that are of that name: those of the set, and others of their kind."""

    @property
    def above(self) -> NDArray[np.bool_]:
        """(N,) whether the name stands for several types."""
        return np.asarray((self.holds.sum(axis=1) > 1) & (self.terms != ""))


def climb(sets: NDArray[np.bool_], types: Sequence[str], terms: Sequence[str]) -> Climbed:
    """Give each set one name; a type without a term is never climbed from.

    Parameters
    ----------
    sets
        (N, K) types of each cell.
    types
        K names.
    terms
        Their ids in the Cell Ontology; empty for none.

    Examples
    --------
    >>> types, terms = ["CD4 T", "CD8 T", "B"], ["CL:0000624", "CL:0000625", "CL:0000236"]
    >>> sets = np.array([[True, True, False], [False, False, True], [False, False, False]])
    >>> climb(sets, types, terms).names.tolist()
    ['T cell', 'B', 'none of the known types']
    """
    unique, place = np.unique(sets, axis=0, return_inverse=True)
    found = [_one(row, types, terms) for row in unique]
    place = place.ravel()
    return Climbed(
        names=np.array([name for name, _, _ in found], dtype=object)[place],
        terms=np.array([term for _, term, _ in found], dtype=object)[place],
        holds=np.array([holds for _, _, holds in found], dtype=bool).reshape(len(found), len(types))[place],
    )


def _one(
    row: NDArray[np.bool_], types: Sequence[str], terms: Sequence[str]
) -> tuple[str, str, NDArray[np.bool_]]:
    """Name one set, (K,): the name, its term, and the types that it holds, (K,)."""
    inside = np.flatnonzero(row).tolist()
    if not inside:
        return NONE_KNOWN, "", row
    if len(inside) == 1:
        return types[inside[0]], terms[inside[0]], row
    own = [terms[k] for k in inside]
    shared = common_name(own) if all(own) else None
    if shared is None or shared == CELL:
        return BETWEEN.join(types[k] for k in inside), "", row
    kinds = np.array([term == shared or shared in ancestors(term) for term in terms], dtype=bool)
    return label_of(shared), shared, row | kinds
