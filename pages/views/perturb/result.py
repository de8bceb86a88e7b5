"""What the prediction of a screen found: verdict, methods compared with baselines, what makes scores mislead."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from pages.components import state
from pages.components.finished import result_of
from pages.components.show import escaped, figure, table
from pages.components.verdict_box import footer, verdict_box
from pages.views.perturb.how_made import how_it_was_made
from pages.views.perturb.interactions import interactions_table
from pages.views.perturb.one_perturbation import one_perturbation
from scviz.metrics.perturbation_table import METRICS, SUBGROUPS, Summary
from scviz.plots.screen import Kind, Ranked, ranking_figure
from scviz.tasks.perturbation import HALVES, HEADLINE, Outcome, Result
from scviz.tasks.perturbation.tables import ceiling_of, predictions_as_csv, scores_as_csv, unknowing_scores
from scviz.workspace.database import Run

EVERY = "all"


def perturbation_result(run: Run) -> None:
    """Show a finished run."""
    result = result_of(run, Result)
    verdict_box(
        result.gain.outcome if result.gain else "unknown",
        result.verdict,
        run=run,
        notes=(*result.warnings, *result.notes),
    )
    shown = _switches(result)
    _ranking(run, result, shown)
    _all_metrics(result, shown)
    _cell_eval(result)
    one_perturbation(run, result)
    interactions_table(result)
    how_it_was_made(result)


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


def _switches(result: Result) -> Shown:
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


def _in_order(result: Result, shown: Shown, metric: str = "") -> list[str]:
    """Sort methods by a score: those that predict all first, the best of them in front; a mean over some comes last."""
    name, n_all = metric or shown.metric, len(shown.rows(result))
    found = {key: shown.summary(one, name) for key, one in result.outcomes.items()}
    sign = -1 if METRICS[name].higher_is_better else 1
    kept = [key for key in found if found[key].n]
    return sorted(kept, key=lambda key: (found[key].n < n_all, sign * found[key].mean))


def _ranking(run: Run, result: Result, shown: Shown) -> None:
    keys, rows = _in_order(result, shown), shown.rows(result)
    place, scores = list(METRICS).index(shown.metric), shown.scores(result)
    summaries = [shown.summary(result.outcomes[key]) for key in keys]
    drawing = ranking_figure(
        [
            Ranked(
                name=f"{result.outcomes[key].title}, n = {one.n}",
                values=scores[key][place][rows],
                mean=one.mean,
                low=one.low,
                high=one.high,
                kind=_kind(key, result.outcomes[key], partial=one.n < len(rows)),
            )
            for key, one in zip(keys, summaries, strict=True)
        ],
        [result.tested[i].name for i in rows],
        title=METRICS[shown.metric].title,
        dark=state.dark(),
    )
    figure(
        drawing,
        key="ranking",
        name="ranking",
        alt="Score of each method over perturbations, with its interval",
        height=150 + 38 * len(keys),
        footer=f"{footer(run)} · split seed {run.request.get('split_seed', 1)}",
    )
    better = "Higher is better." if METRICS[shown.metric].higher_is_better else "Lower is better."
    st.caption(
        f"A small point is a perturbation, a large one the mean with its 95 % interval. {better} "
        f"{_unknowing(result, shown)}{_replicate(result, shown)} Methods that do not predict all perturbations "
        "are gray and last, and compete with none.",
        help=METRICS[shown.metric].how,
    )


def _unknowing(result: Result, shown: Shown) -> str:
    """Say what predictions score that cannot know the perturbation, where that is not plain from the score."""
    found = unknowing_scores(result, shown.metric, shown.group)
    scores = " and ".join(f"{mean:.2f} ({title})" for title, mean in found.items())
    return f"What cannot know the perturbation scores {scores}. " if scores else ""


def _replicate(result: Result, shown: Shown) -> str:
    """Say what the halves of the cells are, and how far the true change would come."""
    if HALVES not in _in_order(result, shown):
        return "Halves of the cells have no such score: its genes are chosen by the cells of both."
    words = (
        "Replicate: one half of the cells as a prediction of the other, each with its own control cells; a good method "
        "can do better."
    )
    top = ceiling_of(result, shown.rows(result), without=shown.without)
    if shown.metric != HEADLINE or top is None:
        return words
    return f"{words} The noise ceiling is about {top:.2f}: what the true change itself would score."


def _kind(key: str, outcome: Outcome, *, partial: bool) -> Kind:
    if key == HALVES:
        return "replicate"
    if partial:
        return "partial"
    return "asked" if outcome.asked else "baseline"


def _all_metrics(result: Result, shown: Shown) -> None:
    with st.expander("All scores, and how each is computed"):
        keys = _in_order(result, shown, HEADLINE)
        rows = [
            {
                "Method": result.outcomes[key].title,
                "Predicted": f"{shown.summary(result.outcomes[key], HEADLINE).n} of {len(shown.rows(result))}",
            }
            | {METRICS[name].title: shown.summary(result.outcomes[key], name).mean for name in METRICS}
            for key in keys
        ]
        digits = {one.title: st.column_config.NumberColumn(format="%.3f") for one in METRICS.values()}
        table(pd.DataFrame(rows), key="scores", name="scores", column_config=digits)
        st.caption(
            "Means over the perturbations that a method predicts. A correlation with no change counts as 0. Every "
            "score can be computed from the file of predictions."
        )
        for name, write in (
            ("scores_of_each_perturbation", scores_as_csv),
            ("predictions", predictions_as_csv),
        ):
            st.download_button(
                name.replace("_", " ").capitalize(),
                data=partial(write, result),
                file_name=f"{name}.csv",
                mime="text/csv",
                key=f"{name}_csv",
                on_click="ignore",
                type="tertiary",
                icon=":material/download:",
            )
        for metric in METRICS.values():
            st.caption(f"**{metric.title}.** {metric.how}")
        st.caption(f"**Shared control cells.** {escaped(result.inflation.sentence)}")


def _cell_eval(result: Result) -> None:
    if not result.cell_eval:
        return
    with st.expander("Scores of cell-eval"):
        rows = [{"Method": result.outcomes[key].title} | found for key, found in result.cell_eval.items()]
        table(pd.DataFrame(rows), key="cell_eval", name="cell_eval")
        st.caption(
            "By the names and rules of cell-eval 0.8; means over the perturbations that a method predicts. Methods "
            "predict means: control cells, each gene scaled to the predicted mean, stand for predicted cells, so that "
            "scores of changed genes say as much of these cells as of the method. What cannot know the perturbation "
            "has the discrimination score of “No change” and “Mean of perturbations”, not 0.5."
        )
