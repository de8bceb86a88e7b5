"""How often the types are learned: once for each fold of each seed."""

from __future__ import annotations

from dataclasses import dataclass

from scviz.tasks.annotation import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One training."""

    seed: int = 0
    """Added to the seed of the request."""
    fold: int = 0

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"seed {self.seed} fold {self.fold}"


FIRST = Plan()
"""The training whose classifier is kept and names cells without a label."""


def plans(request: Request, n_groups: int = 0) -> tuple[Plan, ...]:
    """List the trainings of a request, `FIRST` first.

    Parameters
    ----------
    n_groups
        Whole groups that are held out, of which there are at least as many as folds; 0 where cells are.

    Examples
    --------
    >>> asked = Request(dataset="d", checkpoint="m/c", label_key="type", seeds=2, folds=5)
    >>> len(plans(asked)), len(plans(asked, 3)), plans(asked)[0] == FIRST
    (10, 6, True)
    """
    folds = min(request.folds, n_groups) if n_groups else request.folds
    return tuple(Plan(seed=seed, fold=fold) for seed in range(request.n_seeds) for fold in range(folds or 1))
