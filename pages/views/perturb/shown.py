"""Which score of which perturbations is shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from scviz.metrics.perturbation_table import METRICS, SUBGROUPS, Summary
from scviz.tasks.perturbation import Outcome, Result

EVERY = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What of the scores is shown."""

    metric: str
    group: str
    without: bool
    """Whether the perturbed genes do not count."""

    def summary(self, outcome: Outcome, metric: str = "") -> Summary:
        """Return the summary of a method."""
        return (outcome.without_targets if self.without else outcome.summaries)[metric or self.metric][
            self.group
        ]

    def scores(self, result: Result) -> dict[str, NDArray[np.float32]]:
        """Return all scores, (M, P) by key of the method."""
        return result.scores_without_targets if self.without else result.scores

    def rows(self, result: Result) -> list[int]:
        """Return the places of the perturbations of the group."""
        return [i for i, one in enumerate(result.tested) if self.group in (EVERY, one.subgroup)]


def choose_shown(result: Result) -> Shown:
    """Let the user choose score, group of perturbations, and whether the perturbed genes count."""
    row = st.columns([5, 5, 4], vertical_alignment="bottom")
    metric = row[0].selectbox(
        "Score", list(METRICS), format_func=lambda name: METRICS[name].title, key="metric"
    )
    counts = {name: sum(one.subgroup == name for one in result.tested) for name in SUBGROUPS}
    groups = [EVERY, *(name for name in SUBGROUPS if counts[name])]
    group = row[1].selectbox(
        "Perturbations",
        groups,
        format_func=lambda name: (
            f"all · {len(result.tested)}" if name == EVERY else f"{SUBGROUPS[name]} · {counts[name]}"
        ),
        key="subgroup",
    )
    without = row[2].checkbox(
        "Leave targets out",
        help="The perturbed gene itself changes most, and any method can know that.",
        key="without_targets",
    )
    return Shown(metric=metric, group=group, without=without)


def in_order(result: Result, shown: Shown, metric: str = "") -> list[str]:
    """Sort methods by a score: those that predict all first, the best of them in front; a mean over some comes last."""
    name, n_all = metric or shown.metric, len(shown.rows(result))
    found = {key: shown.summary(one, name) for key, one in result.outcomes.items()}
    sign = -1 if METRICS[name].higher_is_better else 1
    kept = [key for key in found if found[key].n]
    return sorted(kept, key=lambda key: (found[key].n < n_all, sign * found[key].mean))
