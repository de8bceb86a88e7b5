"""How well cells of a type that nobody taught are told from the known ones."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.digits import DIGITS
from pages.components.show import escaped, figure, table
from pages.components.widgets import told_apart
from scviz.plots.calibration import novelty_figure
from scviz.tasks.annotation import Result
from scviz.tasks.annotation.confidence import NEW_SCORES, VECTORS, novelty_sentence


def new_types_tab(result: Result, *, footer: str) -> None:
    """Show the AUROC of each type left out, by what was read and how oddness was scored."""
    if not result.novelty:
        st.info(
            'Switch on "Test on new types" under Advanced and press Run: each type is left out in turn, and its cells '
            "are looked for among the known ones."
        )
        return
    score = st.selectbox(
        "How odd a cell is",
        list(NEW_SCORES),
        format_func=told_apart(NEW_SCORES, NEW_SCORES.__getitem__),
        key="novelty_score",
        width=420,
    )
    own = [one for one in result.novelty if one.score == score]
    st.write(escaped(novelty_sentence(result, score)))
    names = list(dict.fromkeys(one.name for one in own))
    series = {
        words: [(one.auroc.mean, one.auroc.low, one.auroc.high) for one in own if one.vectors == vectors]
        for vectors, words in VECTORS.items()
    }
    drawing = novelty_figure(series, names, dark=state.dark())
    figure(
        drawing,
        key="novelty",
        name="new_types",
        alt="AUROC of each type left out",
        height=140 + 34 * len(names),
        footer=footer,
    )
    frame = pd.DataFrame(
        [
            {
                "Type left out": one.name,
                "Cells": one.n_new,
                "Read": VECTORS[one.vectors],
                "AUROC": one.auroc.mean,
                "95 % interval": f"{one.auroc.low:.3f} to {one.auroc.high:.3f}"
                if one.auroc.known
                else "cannot tell",
                "Missed": one.missed,
                "Unassigned": one.unassigned_new,
                "Known unassigned": one.unassigned_known,
            }
            for one in own
        ]
    )
    digits = dict.fromkeys(("AUROC", "Missed", "Unassigned", "Known unassigned"), DIGITS)
    table(frame, key="novelty_table", name="new_types", column_config=digits)
    st.caption(
        "AUROC: chance that a cell of the type left out is odder than a held-out cell of a known type, with a 95 % "
        "interval. Missed: share of its cells that pass for known where 95 % of the known cells are accepted. "
        "Unassigned: share of its cells, and of those of known types, whose best type has a probability below 0.5, the "
        "threshold of the authors of scBERT. A logistic regression on the vectors of the model as it came, which has "
        "learned nothing from these labels, and on principal components of the known training cells."
    )
