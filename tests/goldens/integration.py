"""Cases of integration: batches that are moved together, as harmonypy moves them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.metrics import silhouette_score

from scviz.metrics.harmony import harmonize
from tests.goldens.arrays import load

SILHOUETTE = 0.03


def harmony(case: Path, _: Path) -> None:
    """The k-means start decides, so that we may be as far from theirs as twice the spread of their own seeds."""
    given, wanted = load(case / "inputs.npz"), load(case / "outputs.npz")
    batches = np.unique(given["batch"], return_inverse=True)[1]
    ours = harmonize(given["x"], batches)
    bound = 2 * float(wanted["rms_diff_other_seeds"]) + 1e-3

    def rms(off: np.ndarray) -> float:
        return float(np.sqrt(np.mean(off**2)))

    means = np.stack([ours[batches == batch].mean(axis=0) for batch in np.unique(batches)])
    assert rms(ours - wanted["z_corrected"]) <= bound
    assert rms(ours - wanted["z_corrected"]) < 0.2 * float(wanted["rms_move"])
    assert rms(means - wanted["batch_mean_after"]) <= bound
    for key, labels in (("batch", batches), ("label", given["label"])):
        found = silhouette_score(ours, labels)
        assert abs(found - float(wanted[f"silhouette_{key}_after"])) <= SILHOUETTE


CHECKS: dict[str, Callable[[Path, Path], None]] = {"harmony": harmony}
