"""What the prediction of a screen found: verdict, methods compared with baselines, what makes scores mislead."""

from __future__ import annotations

import streamlit as st

from pages.components import state
from pages.components.finished import result_of
from pages.components.show import escaped, figure
from pages.components.verdict_box import footer, verdict_box
from pages.views.perturb.how_made import how_it_was_made
from pages.views.perturb.interactions import interactions_table
from pages.views.perturb.one_perturbation import one_perturbation
from pages.views.perturb.scores import all_scores, cell_eval_scores
from pages.views.perturb.shown import Shown, choose_shown, in_order
from scviz.metrics.perturbation_table import METRICS
from scviz.plots.screen import Kind, Ranked, ranking_figure
from scviz.tasks.perturbation import HALVES, HEADLINE, Outcome, Result
from scviz.tasks.perturbation.tables import ceiling_of, unknowing_scores
from scviz.workspace.database import Run


def perturbation_result(run: Run) -> None:
    """Show a finished run."""
    result = result_of(run, Result)
    verdict_box(
        result.gain.outcome if result.gain else "unknown",
        result.verdict,
        run=run,
        notes=(*result.warnings, *result.notes),
    )
    shown = choose_shown(result)
    _ranking(run, result, shown)
    all_scores(result, shown)
    cell_eval_scores(result)
    one_perturbation(run, result)
    interactions_table(result)
    how_it_was_made(result)


def _ranking(run: Run, result: Result, shown: Shown) -> None:
    keys, rows = in_order(result, shown), shown.rows(result)
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
    scores = " and ".join(f"{mean:.2f} ({escaped(title)})" for title, mean in found.items())
    return f"What cannot know the perturbation scores {scores}. " if scores else ""


def _replicate(result: Result, shown: Shown) -> str:
    """Say what the halves of the cells are, and how far the true change would come."""
    if HALVES not in in_order(result, shown):
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
