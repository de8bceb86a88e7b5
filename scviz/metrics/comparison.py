"""Compare two ways of naming the same cells, with an interval and a sentence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A model against its best baseline, by macro-F1 on the same cells."""

    baseline: str
    """Name of the best baseline."""
    model_score: float
    baseline_score: float
    low: float
    """Lower end of the 95 % interval of the difference."""
    high: float
    n_cells: int

    @property
    def verdict(self) -> str:
        """Say in a sentence whether the model gains anything."""
        numbers = (
            f"macro-F1 {self.model_score:.3f} against {self.baseline_score:.3f} of {self.baseline} "
            f"on {self.n_cells:,} held-out cells (difference {self.model_score - self.baseline_score:+.3f}, "
            f"95 % interval {self.low:+.3f} to {self.high:+.3f})"
        )
        if self.low > 0:
            return f"Better than the baseline: {numbers}."
        if self.high < 0:
            return f"Worse than the baseline: {numbers}."
        return f"No gain on this dataset: {numbers}."


def compare(
    truth: NDArray[np.int64],
    model: NDArray[np.int64],
    baseline: NDArray[np.int64],
    *,
    name: str,
    n_types: int,
    n_samples: int = 2000,
    seed: int = 0,
) -> Comparison:
    """Bootstrap the difference in macro-F1 over cells.

    Parameters
    ----------
    truth, model, baseline
        (M,) types from 0 to n_types - 1.
    name
        Name of the baseline.

    Examples
    --------
    >>> truth = np.array([0, 1] * 50)
    >>> compare(truth, truth, 1 - truth, name="coin", n_types=2).low
    1.0
    """
    outcomes, times = np.unique(np.stack([truth, model, baseline]), axis=1, return_counts=True)
    draws = np.random.default_rng(seed).multinomial(len(truth), times / times.sum(), size=n_samples)
    every = np.concatenate([times[None], draws]).astype(np.float64)  # (1 + n_samples, outcomes)
    scores = [_macro_f1(outcomes[0], outcomes[row], every, n_types) for row in (1, 2)]
    difference = (scores[0] - scores[1])[1:]
    low, high = np.quantile(difference, [0.025, 0.975])
    return Comparison(
        baseline=name,
        model_score=float(scores[0][0]),
        baseline_score=float(scores[1][0]),
        low=float(low),
        high=float(high),
        n_cells=len(truth),
    )


def _macro_f1(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], times: NDArray[np.float64], n_types: int
) -> NDArray[np.float64]:
    """Macro-F1 of many samples at once, each given by how often an outcome occurs in it: (S, outcomes) -> (S,)."""
    is_type = np.eye(n_types)
    true, named = times @ is_type[truth], times @ is_type[predicted]  # (S, K)
    hits = times @ (is_type[truth] * (truth == predicted)[:, None])
    present = (true + named) > 0
    f1 = np.divide(2 * hits, true + named, out=np.zeros_like(hits), where=present)
    answer: NDArray[np.float64] = f1.sum(axis=1) / present.sum(axis=1)
    return answer
