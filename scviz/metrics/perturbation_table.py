"""What each score of a predicted perturbation means, and its summary over perturbations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.evidence import bootstrap

if TYPE_CHECKING:  # pages read METRICS, and need not wait for scipy
    from scviz.metrics.perturbation import Scores

EVERY = "all"
SUBGROUPS = {
    "combo_seen0": "pairs, neither gene seen",
    "combo_seen1": "pairs, one gene seen",
    "combo_seen2": "pairs, both genes seen",
    "unseen_single": "single genes, not seen",
}
"""What perturbations of a test set have in common, in words; seen = perturbed in a training perturbation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A score, as a page shows it."""

    title: str
    how: str
    """How it is computed, in a sentence or two."""
    higher_is_better: bool
    lowest: float
    highest: float
    headline: bool = False
    ranks: bool = False
    """Whether it ranks measured perturbations by their distance from the prediction: what a prediction scores that
    cannot know the perturbation depends on how far the tested ones lie from the others, and stands beside."""


_CHANGE = "The change of a gene is its mean log expression in perturbed cells less that in control cells."
UNKNOWING = ("no_change", "train_mean")
"""Methods that predict the same for every perturbation."""
_CHANCE = (
    "What cannot know the perturbation does not score 0.5, but what “No change” and “Mean of perturbations” do: less "
    "where the tested perturbations lie farther out than the others."
)
_UNDEFINED = "Where the predicted change is the same in all genes, it is not defined and counts as 0."

METRICS: dict[str, Metric] = {
    "pearson_delta": Metric(
        title="Correlation of changes, all genes",
        how=f"{_CHANGE} Pearson correlation over all genes of predicted with measured changes. {_UNDEFINED}",
        higher_is_better=True,
        lowest=-1,
        highest=1,
        headline=True,
    ),
    "pearson_delta_de": Metric(
        title="Correlation of changes, 20 most changed genes",
        how=f"{_CHANGE} Pearson correlation over the 20 genes with the largest absolute Welch t between perturbed "
        f"and control cells. {_UNDEFINED}",
        higher_is_better=True,
        lowest=-1,
        highest=1,
        headline=True,
    ),
    "mse": Metric(
        title="Mean squared error, all genes",
        how="Square of predicted less measured mean log expression, averaged over all genes. Most genes hardly "
        "change, so predicting no change already scores well.",
        higher_is_better=False,
        lowest=0,
        highest=np.inf,
    ),
    "mse_de": Metric(
        title="Mean squared error, 20 most changed genes",
        how="The same over the 20 genes with the largest absolute Welch t.",
        higher_is_better=False,
        lowest=0,
        highest=np.inf,
    ),
    "direction": Metric(
        title="Right direction, all genes",
        how="Share of all genes whose predicted change has the sign of the measured one. Of genes that do not "
        "change the sign is noise, so about a half is chance.",
        higher_is_better=True,
        lowest=0,
        highest=1,
    ),
    "direction_de": Metric(
        title="Right direction, 20 most changed genes",
        how="Share of the 20 genes with the largest absolute Welch t whose predicted change has the right sign.",
        higher_is_better=True,
        lowest=0,
        highest=1,
    ),
    "overlap_de": Metric(
        title="Overlap of the 20 most changed genes",
        how="Share of the 20 genes with the largest measured change that are among the 20 with the largest "
        f"predicted change, by absolute change of the mean. {_UNDEFINED}",
        higher_is_better=True,
        lowest=0,
        highest=1,
    ),
    "discrimination": Metric(
        title="Told apart from other test perturbations",
        how="Measured changes of all test perturbations are ranked by their L1 distance from the prediction, over "
        "genes that none of them perturbs; one less the share of the others that is nearer than the true "
        "one. The same prediction for all of them scores 0.5; over some of them, what “No change” does.",
        higher_is_better=True,
        lowest=0,
        highest=1,
        ranks=True,
    ),
    "discrimination_screen": Metric(
        title="Told apart from all other perturbations",
        how="The same among the measured changes of all perturbations of the screen, those of training among them. "
        f"{_CHANCE}",
        higher_is_better=True,
        lowest=0,
        highest=1,
        ranks=True,
    ),
    "pearson_delta_centroid": Metric(
        title="Correlation beyond the shift that all perturbations share",
        how="Pearson correlation over all genes, where the change starts from the mean of all perturbations "
        f"instead of control, so that what all perturbations share is not rewarded. The mean of the training "
        f"perturbations scores below 0, since the tested ones are part of that mean. {_UNDEFINED}",
        higher_is_better=True,
        lowest=-1,
        highest=1,
    ),
    "centroid_accuracy": Metric(
        title="Nearest to its own perturbation",
        how="Share of the other perturbations of the screen whose measured mean is farther (Euclidean) from the "
        f"prediction than that of the true one. {_CHANCE}",
        higher_is_better=True,
        lowest=0,
        highest=1,
        ranks=True,
    ),
    "l2": Metric(
        title="Distance, 1,000 most expressed genes",
        how="Euclidean distance of predicted from measured mean log expression over the 1,000 genes with the "
        "highest mean in control cells.",
        higher_is_better=False,
        lowest=0,
        highest=np.inf,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One score over the perturbations of a group."""

    mean: float
    median: float
    low: float
    """Lower end of the 95 % interval of the mean, from drawing perturbations again; NaN with fewer than six."""
    high: float
    n: int
    """Perturbations that were predicted."""


def summarize(scores: Scores, subgroups: Sequence[str], *, seed: int = 0) -> dict[str, dict[str, Summary]]:
    """Average each score over all perturbations and over each subgroup.

    Parameters
    ----------
    subgroups
        (P,) of each perturbation, mostly one of SUBGROUPS.

    Returns
    -------
    By metric of METRICS, then by group: EVERY, each of SUBGROUPS, and any other that occurs. NaN with n = 0 where a
    group has no perturbation that has the score. A correlation that is not defined counts as 0.

    Raises
    ------
    ValueError
        If there are not as many subgroups as perturbations.
    """
    if len(subgroups) != len(scores.missing):
        raise ValueError(f"{len(subgroups)} subgroups for {len(scores.missing)} perturbations.")
    labels = np.asarray(subgroups, dtype=object)
    rows = {EVERY: np.ones(len(labels), dtype=bool)}
    for name in (*SUBGROUPS, *sorted(set(subgroups) - set(SUBGROUPS))):
        rows[name] = labels == name
    return {
        metric: {name: summary(scores.counted(metric)[chosen], seed=seed) for name, chosen in rows.items()}
        for metric in METRICS
    }


def summary(values: NDArray[np.float64], *, seed: int = 0) -> Summary:
    """Average a score over perturbations, (P,); NaN is left out.

    Examples
    --------
    >>> found = summary(np.array([0.2, 0.4, 0.6, np.nan]))
    >>> round(found.mean, 3), found.median, found.n
    (0.4, 0.4, 3)
    >>> summary(np.empty(0)).n
    0
    """
    known = values[~np.isnan(values)]
    found = bootstrap(known, seed=seed)
    median = float(np.median(known)) if len(known) else float("nan")
    return Summary(mean=found.mean, median=median, low=found.low, high=found.high, n=found.n)
