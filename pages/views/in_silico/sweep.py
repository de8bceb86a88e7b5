"""The ranking of genes that were edited one by one, while it runs and when it is done."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.digits import SMALL
from pages.components.show import escaped, table
from pages.components.verdict_box import footer
from pages.components.widgets import tabs
from pages.views.in_silico.files import offer_files, published_table
from pages.views.in_silico.numbers import (
    HOW,
    MOVED,
    TO_GOAL,
    digits_of,
    draw_intervals,
    effect_row,
    measure_of,
)
from scviz.tasks.in_silico import RANKING, Result
from scviz.workspace.database import Run
from scviz.workspace.plain_json import read_plain

MOST_DRAWN = 30
"""Genes of a sweep that are drawn."""


@st.fragment(run_every=2.0)
def ranking_so_far(run_id: str) -> None:
    """Show the genes of a sweep that are done, while it runs and when it was stopped."""
    path = state.workspace().run_folder(run_id) / "state" / RANKING
    if not path.exists():
        return
    rows = pd.DataFrame(read_plain(path, (dict, list)))
    if len(rows) > 1:
        st.caption("So far, the strongest first; random genes and false discovery rates come at the end.")
        rows = rows.dropna(axis=1, how="all").rename(
            columns={"gene": "Gene", "cells": "Cells", "moved": MOVED, "to_goal": TO_GOAL}
        )
        table(rows, key="so_far", name="ranking_so_far", column_config={MOVED: SMALL, TO_GOAL: SMALL})


def sweep_result(run: Run, result: Result) -> None:
    """Show the ranking of genes that were edited one by one."""
    frame = pd.DataFrame(
        [{"Gene": " + ".join(one.genes), **effect_row(result, one)} for one in result.effects]
    )
    ranking, drawn, keep = tabs(["Ranking", "Random genes", "Save"], key="sweep_tabs")
    with ranking:
        height = min(380, 40 + 36 * len(frame))
        table(frame, key="ranking", name="ranking", height=height, column_config=digits_of(frame))
        st.caption(
            f"{HOW} FDR: false discovery rate over {result.n_tests:,} genes (Benjamini-Hochberg). % of the distance: "
            f"of {escaped(result.ruler.words)}."
        )
        published_table(result)
    with drawn:
        top = result.effects[:MOST_DRAWN]
        shown = [one.to_goal or one.moved for one in top]
        names = [one.genes[0] for one in top]
        draw_intervals(names, shown, footer=footer(run), title=measure_of(run), key="gene_intervals")
    with keep:
        st.write("How far each cell moves, of the five strongest genes also written into a copy of the file:")
        offer_files(run, result)
