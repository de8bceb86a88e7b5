"""What the prediction of a screen found: verdict, methods beside baselines and ceiling, what makes scores mislead."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.finished import result_of
from pages.components.job_panel import duration
from pages.components.runs import dataset_name
from pages.components.show import escaped, figure, table
from pages.views.perturb.one_perturbation import interactions_table, one_perturbation
from scviz.metrics.ceiling import best_reachable
from scviz.metrics.perturbation_table import METRICS, SUBGROUPS, Summary
from scviz.plots.screen import ranking_figure
from scviz.tasks.perturbation import CEILING, Outcome, Result
from scviz.tasks.perturbation.methods import BASELINES
from scviz.workspace.database import Run

EVERY = "all"


def perturbation_result(run: Run) -> None:
    """Show a finished run."""
    result = result_of(run, Result)
    _verdict(run, result)
    metric, group, without = _switches(result)
    _ranking(run, result, metric, group, without=without)
    _all_metrics(result, group, without=without)
    one_perturbation(run, result)
    interactions_table(result)
    _how_it_was_made(result)


def _verdict(run: Run, result: Result) -> None:
    asked = [one for key, one in result.outcomes.items() if is_asked(key, one)]
    better = any(one.gain_low > 0 for one in asked)
    worse = bool(asked) and all(one.gain_high < 0 for one in asked)
    show = st.success if better else st.warning if worse else st.info
    show(escaped(result.verdict))
    if state.workspace().dataset(run.request["dataset"]).simulated:
        st.caption("Simulated data: the screen comes from a known network, not from cells.")
    for warning in result.warnings:
        st.caption(f":material/warning: {escaped(warning)}")


def is_asked(key: str, outcome: Outcome) -> bool:
    """Tell a method that was asked for from baselines and ceiling."""
    return key != CEILING and outcome.method.name not in BASELINES


def _switches(result: Result) -> tuple[str, str, bool]:
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
    return metric, group, without


def _in_order(result: Result, metric: str, group: str, *, without: bool) -> list[str]:
    """Sort methods by a score, the best first; those that predict nothing come last."""
    means = {
        key: _summaries(one, without=without)[metric][group].mean for key, one in result.outcomes.items()
    }
    sign = -1 if METRICS[metric].higher_is_better else 1
    return sorted(means, key=lambda key: (np.isnan(means[key]), sign * np.nan_to_num(means[key])))


def _summaries(outcome: Outcome, *, without: bool) -> dict[str, dict[str, Summary]]:
    return outcome.without_targets if without else outcome.summaries


def _ranking(run: Run, result: Result, metric: str, group: str, *, without: bool) -> None:
    keys = [
        key
        for key in _in_order(result, metric, group, without=without)
        if _summaries(result.outcomes[key], without=without)[metric][group].n
    ]
    rows = [i for i, one in enumerate(result.tested) if group in (EVERY, one.subgroup)]
    place = list(METRICS).index(metric)
    scores = result.scores_without_targets if without else result.scores
    summaries = [_summaries(result.outcomes[key], without=without)[metric][group] for key in keys]
    drawing = ranking_figure(
        [
            _title(result.outcomes[key].title, one.n, len(rows))
            for key, one in zip(keys, summaries, strict=True)
        ],
        [scores[key][place][rows] for key in keys],
        np.array([one.mean for one in summaries]),
        intervals=np.array([[one.low, one.high] for one in summaries]).reshape(-1, 2),
        kinds=[_kind(key, result.outcomes[key]) for key in keys],
        points=[result.tested[i].name for i in rows],
        title=METRICS[metric].title,
        dark=state.dark(),
    )
    figure(
        drawing,
        key="ranking",
        name="ranking",
        alt="Score of each method over perturbations, with its interval",
        height=150 + 38 * len(keys),
        footer=f"{dataset_name(run)} · split seed {run.request.get('split_seed', 1)} · run {run.id}",
    )
    better = "Higher is better." if METRICS[metric].higher_is_better else "Lower is better."
    reachable = _reachable(result, metric, group, without=without)
    st.caption(
        f"A small point is a perturbation, a large one the mean with its 95 % interval. {better} "
        f"Ceiling: one half of the cells as a prediction of the other{reachable}.",
        help=METRICS[metric].how,
    )


def _title(name: str, n_predicted: int, n_all: int) -> str:
    """Name a method, with how many it predicts where it does not predict all."""
    return name if n_predicted == n_all else f"{name}, {n_predicted} of {n_all}"


def _reachable(result: Result, metric: str, group: str, *, without: bool) -> str:
    """Say how far a prediction without noise could come, where that can be told from the halves."""
    half = _summaries(result.outcomes[CEILING], without=without)[metric][group].mean
    if not metric.startswith("pearson") or np.isnan(half):
        return ""
    return f"; a prediction without any noise could reach about {float(best_reachable(np.array(half))):.2f}"


def _kind(key: str, outcome: Outcome) -> str:
    if key == CEILING:
        return "ceiling"
    return "asked" if is_asked(key, outcome) else "baseline"


def _all_metrics(result: Result, group: str, *, without: bool) -> None:
    with st.expander("All scores, and how each is computed"):
        keys = _in_order(result, "pearson_delta", group, without=without)
        rows = []
        for key in keys:
            outcome = result.outcomes[key]
            found = _summaries(outcome, without=without)
            rows.append(
                {"Method": outcome.title, "Predicted": found["pearson_delta"][group].n}
                | {METRICS[name].title: found[name][group].mean for name in METRICS}
            )
        digits = {one.title: st.column_config.NumberColumn(format="%.3f") for one in METRICS.values()}
        table(pd.DataFrame(rows), key="scores", name="scores", column_config=digits)
        st.caption("Means over perturbations. A score that is not defined for one counts as 0.")
        each = pd.DataFrame(_each_perturbation(result, keys, without=without))
        table(each, key="each", name="scores_of_each_perturbation", height=260)
        for metric in METRICS.values():
            st.caption(f"**{metric.title}.** {metric.how}")
        st.caption(f"**Shared control cells.** {escaped(result.inflation.sentence)}")


def _each_perturbation(result: Result, keys: Sequence[str], *, without: bool) -> list[dict[str, object]]:
    scores = result.scores_without_targets if without else result.scores
    return [
        {
            "perturbation": one.name,
            "group": SUBGROUPS.get(one.subgroup, one.subgroup),
            "cells": one.n_cells,
            "method": result.outcomes[key].title,
        }
        | {name: float(scores[key][i, row]) for i, name in enumerate(METRICS)}
        for row, one in enumerate(result.tested)
        for key in keys
    ]


def _how_it_was_made(result: Result) -> None:
    with st.expander("How it was made"):
        st.caption(
            f"{result.n_cells:,} cells, {result.n_control:,} of them control, {len(result.genes):,} genes; "
            f"{result.n_left_out:,} cells were left out. Took {duration(result.seconds)}."
        )
        for note in result.notes:
            st.caption(escaped(note))
        for key, outcome in result.outcomes.items():
            if key == CEILING:
                continue
            st.markdown(f"**{escaped(outcome.title)}** · {duration(outcome.seconds)}")
            st.caption(escaped(outcome.method.card.how))
            st.caption(escaped(outcome.gain))
            for note in outcome.notes:
                st.caption(escaped(note))
            for refusal in outcome.refused[:MOST_REFUSALS]:
                st.caption(escaped(f"Not predicted: {'+'.join(refusal.genes)}. {refusal.reason}"))
            if len(outcome.refused) > MOST_REFUSALS:
                st.caption(f"And {len(outcome.refused) - MOST_REFUSALS:,} others.")
        parts = {"learned from": result.train, "to stop by": result.validation, "left out": result.dropped}
        rows = [
            {"perturbation": "+".join(one) or "control", "part": part}
            for part in parts
            for one in parts[part]
        ]
        rows += [{"perturbation": one.name, "part": "judged by"} for one in result.tested]
        table(pd.DataFrame(rows), key="split_table", name="split", height=260)


MOST_REFUSALS = 5
