"""All scores of all methods, how each is computed, and those of cell-eval."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from pages.components.digits import DIGITS
from pages.components.show import download, escaped, table
from pages.views.perturb.shown import Shown, in_order
from scviz.metrics.perturbation_table import METRICS
from scviz.tasks.perturbation import HEADLINE, Result
from scviz.tasks.perturbation.tables import predictions_as_csv, scores_as_csv


def all_scores(result: Result, shown: Shown) -> None:
    """List every score, and offer what they are computed from."""
    with st.expander("All scores, and how each is computed"):
        keys = in_order(result, shown, HEADLINE)
        rows = [
            {
                "Method": result.outcomes[key].title,
                "Predicted": f"{shown.summary(result.outcomes[key], HEADLINE).n} of {len(shown.rows(result))}",
            }
            | {METRICS[name].title: shown.summary(result.outcomes[key], name).mean for name in METRICS}
            for key in keys
        ]
        digits = dict.fromkeys([one.title for one in METRICS.values()], DIGITS)
        table(pd.DataFrame(rows), key="scores", name="scores", column_config=digits)
        st.caption(
            "Means over the perturbations that a method predicts. A correlation with no change counts as 0. Every "
            "score can be computed from the file of predictions."
        )
        for name, write in (
            ("scores_of_each_perturbation", scores_as_csv),
            ("predictions", predictions_as_csv),
        ):
            label = name.replace("_", " ").capitalize()
            download(label, partial(write, result), name=f"{name}.csv", key=f"{name}_csv")
        for metric in METRICS.values():
            st.caption(f"**{metric.title}.** {metric.how}")
        st.caption(f"**Shared control cells.** {escaped(result.inflation.sentence)}")


def cell_eval_scores(result: Result) -> None:
    """List the scores of cell-eval, where they were asked for."""
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
