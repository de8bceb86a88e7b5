"""What held-out cells of a reference say of its names: which are weak, what leaving doubtful cells unnamed buys."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.conformal import Coverage, coverage_of, lac_scores, set_names, sets_below
from scviz.metrics.evidence import Interval
from scviz.metrics.rejection import Abstaining, Rejection, abstaining_curve, leave_unnamed
from scviz.metrics.shares import share_interval

MAJORITY = "the most common type"
PERMUTED = "logistic regression on 50 PCs, labels permuted"
BASELINES = (MAJORITY, PERMUTED)
"""What names without having learned anything of the types."""
WEAK = 0.7
"""Share of right ones among the held-out cells of a name, below which the name is weak."""
MISSED = 0.5
"""Share of the held-out cells of a type that get its name, below which the type may be missed."""
FEWEST_NAMED = 10
"""Held-out cells with a name, or of a type, from which anything is said of it."""
COVERAGE = 0.9
"""What sets of types promise."""

Floats = NDArray[np.float32]
Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class NameDoubt:
    """How far one name can be trusted, by the held-out cells of the reference."""

    name: str
    right: Interval
    """Share of the held-out cells with this name that are of it; `n` of them."""
    found: Interval
    """Share of the held-out cells of this type that get its name; `n` of them."""
    others: str = ""
    """What most of the wrong ones among its cells are; empty where all are right."""
    named_instead: str = ""
    """What most cells of this type that do not get its name are called; empty where all get it."""

    @property
    def weak(self) -> bool:
        """Whether too many held-out cells with this name are of another type."""
        return self.right.n >= FEWEST_NAMED and self.right.mean < WEAK

    @property
    def missed(self) -> bool:
        """Whether too many held-out cells of this type get another name."""
        return self.found.n >= FEWEST_NAMED and self.found.mean < MISSED

    @property
    def untested(self) -> bool:
        """Whether too few held-out cells have the name to tell how far it can be trusted."""
        return self.right.n < FEWEST_NAMED


def name_doubts(truth: Codes, named: Codes, types: tuple[str, ...]) -> tuple[NameDoubt, ...]:
    """Say of each type how far its name can be trusted.

    Parameters
    ----------
    truth, named
        (M,) positions in `types` of held-out cells: the known ones, and those that a method gives.

    Examples
    --------
    >>> truth, named = np.array([0] * 10 + [1] * 10), np.array([0] * 20)
    >>> one, two = name_doubts(truth, named, ("CD4 T cell", "CD8 T cell"))
    >>> one.right.mean, one.others, one.weak, two.missed, two.named_instead
    (0.5, 'CD8 T cell', True, True, 'CD4 T cell')
    """
    found = []
    for code, name in enumerate(types):
        so, own = named == code, truth == code
        found.append(
            NameDoubt(
                name=name,
                right=share_interval(own[so]),
                found=share_interval(so[own]),
                others=_most(truth[so & ~own], types),
                named_instead=_most(named[own & ~so], types),
            )
        )
    return tuple(found)


def _most(codes: Codes, types: tuple[str, ...]) -> str:
    return types[int(np.bincount(codes).argmax())] if len(codes) else ""


def abstaining(truth: Codes, judged: Floats) -> Abstaining:
    """Leave held-out cells unnamed below ever higher confidence.

    Parameters
    ----------
    truth
        (M,) known types.
    judged
        (M, K) probabilities; NaN for cells that a model does not see, which have no name.
    """
    seen = np.nan_to_num(judged, nan=0.0)
    confidence, right = seen.max(axis=1), seen.argmax(axis=1) == truth
    return abstaining_curve(confidence, right)


def left_unnamed(truth: Codes, judged: Floats, baseline: Codes, *, threshold: float) -> Rejection:
    """Score the held-out cells that are named when those below a confidence are not.

    Parameters
    ----------
    truth, baseline
        (M,) known types, and those that a baseline gives.
    judged
        (M, K) probabilities; NaN for cells that a model does not see.
    """
    seen = np.nan_to_num(judged, nan=0.0)
    return leave_unnamed(seen.max(axis=1), truth, seen.argmax(axis=1), baseline=baseline, threshold=threshold)


def coverage_on(truth: Codes, judged: Floats, bars: float | Floats) -> Coverage:
    """Count how often the sets of held-out cells hold the known type.

    Parameters
    ----------
    truth
        (M,) known types.
    judged
        (M, K) probabilities; a cell that a model does not see has an empty set.
    bars
        One for all cells, or (M,), see `sets_of`.
    """
    return coverage_of(sets_of(judged, bars), truth)


def sets_of(probabilities: Floats, bar: float | Floats) -> NDArray[np.bool_]:
    """Draw the set of types of each cell, (N, K); empty for cells that are not seen.

    Parameters
    ----------
    probabilities
        (N, K)
    bar
        How odd a cell may be: 1 less the least probability of a type in a set; one for all cells, or (N,).
    """
    bars = np.broadcast_to(np.asarray(bar, dtype=np.float64).reshape(-1, 1), probabilities.shape)
    return sets_below(np.nan_to_num(lac_scores(probabilities), nan=np.inf), bars)


def one_names(
    probabilities: Floats, bar: float, types: tuple[str, ...], *, terms: tuple[str, ...]
) -> NDArray[np.object_]:
    """Give the set of each cell the one name that the Cell Ontology has for it, (N,), as T cell for CD4 or CD8.

    Cells that are not seen have none, ''.

    Parameters
    ----------
    terms
        Ids of the types; '' where not known.
    """
    from scviz.datasets.climbing import climb

    seen = np.isfinite(probabilities).all(axis=1)
    return np.where(seen, climb(sets_of(probabilities, bar), types, terms).names, "")


def words_of_sets(probabilities: Floats, bar: float, types: tuple[str, ...]) -> NDArray[np.object_]:
    """Write the set of each cell, (N,); '' for cells that are not seen."""
    seen = np.isfinite(probabilities).all(axis=1)
    return np.where(seen, set_names(sets_of(probabilities, bar), types), "")
