"""Calibrate confidence on validation cells, and draw sets of types by cells that were set aside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.calibration import Temperature, fit_temperature, log_scores, scaled
from scviz.metrics.conformal import (
    aps_scores,
    bars_by_class,
    conformal_p,
    conformal_quantile,
    lac_scores,
    least_cells,
    own_scores,
    sets_below,
)
from scviz.metrics.evidence import counted
from scviz.tasks.annotation import SET_WAYS, Request, SetWay
from scviz.tasks.annotation.inputs import Inputs

FEWEST_VALIDATION = 30
"""Fewer validation cells do not tell a temperature."""

FEWEST_OF_TYPE = least_cells(0.9)
"""Of fewer cells of a type set aside, none can be said to be odder than nine of ten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """What probabilities become, and how odd a cell of a type may be."""

    temperature: Temperature | None
    """None where validation cells are too few."""
    calibrating: tuple[int, ...]
    """Cells of each type that were set aside; none where they are too few."""
    lac: NDArray[np.float64]
    """(L,) oddness of the known type of each cell that was set aside, by probability."""
    truth: NDArray[np.int64]
    """(L,) their known types."""
    bars: dict[SetWay, NDArray[np.float64]]
    """(K,) how odd a cell may be, by way; empty where too few cells were set aside."""
    u: NDArray[np.float64]
    """(N,) random number of each cell, which sets by rank need to be exact."""

    @property
    def value(self) -> float:
        """The temperature; 1 where none was fitted."""
        return self.temperature.value if self.temperature else 1.0

    def probabilities(self, raw: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give calibrated probabilities, (N, K).

        Parameters
        ----------
        raw
            (N, K) as the classifier gives them; rows of NaN stay NaN.
        """
        return raw if self.value == 1 else scaled(log_scores(raw), self.value).astype(np.float32)

    def sets(
        self, probabilities: NDArray[np.float32], rows: NDArray[np.int64]
    ) -> dict[str, NDArray[np.bool_]]:
        """Draw the sets of cells in every way, (R, K); without cells set aside there are none.

        Parameters
        ----------
        probabilities
            (N, K) calibrated.
        rows
            (R,) which cells.
        """
        odd = {
            "lac": lac_scores(probabilities[rows]),
            "aps": aps_scores(probabilities[rows], self.u[rows]),
        }
        odd["class"] = odd["lac"]
        return {way: sets_below(odd[way], bars) for way, bars in self.bars.items()}

    def typical(self, probabilities: NDArray[np.float32]) -> NDArray[np.float32] | None:
        """Give the share of cells set aside, of the type that fits best, as odd or odder, (N,)."""
        enough = [k for k, n in enumerate(self.calibrating) if n >= FEWEST_OF_TYPE]
        if not enough:
            return None
        odd = lac_scores(probabilities)
        shares = [conformal_p(self.lac[self.truth == k], odd[:, k]) for k in enough]
        typical = np.max(shares, axis=0)
        return np.where(np.isnan(odd[:, 0]), np.nan, typical).astype(np.float32)


def fit_doubt(raw: NDArray[np.float32], inputs: Inputs, request: Request) -> Doubt:
    """Fit the temperature on validation cells and the bars on cells that were set aside; test cells have no say.

    Parameters
    ----------
    raw
        (N, K) probabilities as the classifier gives them.
    """
    validation, rows = inputs.split.validation, inputs.calibration
    temperature = None
    if len(validation) >= FEWEST_VALIDATION:
        temperature = fit_temperature(log_scores(raw[validation]), inputs.codes[validation])
    u = np.random.default_rng((request.seed, len(raw))).random(len(raw))
    value = temperature.value if temperature else 1.0
    probabilities = scaled(log_scores(raw[rows]), value)
    truth, n_types = inputs.codes[rows], len(inputs.types)
    lac = own_scores(lac_scores(probabilities), truth)
    bars: dict[SetWay, NDArray[np.float64]] = {}
    if len(rows):
        aps = own_scores(aps_scores(probabilities, u[rows]), truth)
        coverage = request.coverage
        bars = {
            "lac": np.full(n_types, conformal_quantile(lac, coverage)),
            "aps": np.full(n_types, conformal_quantile(aps, coverage)),
            "class": bars_by_class(lac, truth, n_types=n_types, coverage=coverage),
        }
    return Doubt(
        temperature=temperature,
        calibrating=tuple(np.bincount(truth, minlength=n_types).tolist()) if len(rows) else (),
        lac=lac,
        truth=truth,
        bars={way: bars[way] for way in SET_WAYS if way in bars},
        u=u,
    )


def doubt_notes(doubt: Doubt, n_validation: int) -> tuple[str, ...]:
    """Say what confidence means here."""
    found = doubt.temperature
    if found is None:
        return (
            "Confidence is as the classifier gives it, since there are too few to calibrate it "
            f"({counted(n_validation, 'validation cell')}).",
        )
    if not found.found:
        return (
            f"Confidence is as the classifier gives it: all {found.n:,} validation cells are named right, so that no "
            "temperature is best.",
        )
    return (
        f"Confidence is calibrated: scores are divided by a temperature of {found.value:.2f}, fitted on {found.n:,} "
        "validation cells, which also chose the best epoch.",
    )
