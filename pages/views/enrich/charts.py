"""The first gene sets as bars, and as shares of their genes."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.components import state
from pages.components.show import figure
from scviz.plots.enrichment import bars_figure, dots_figure
from scviz.tasks.enrichment import MOST_FDR, Result

MOST_DRAWN = 20


def draw_bars(result: Result, footer: str) -> None:
    """Draw how strongly each set is enriched, and from where on sets pass."""
    first = result.found[:MOST_DRAWN]
    passing = np.array([one.fdr <= MOST_FDR for one in first])
    if result.terms:
        values = -np.log10(np.maximum([one.p for one in first], np.finfo(float).tiny))
        title, bar = "-log10 p, of the largest p", float(-np.log10(_bar(result)))
        names = [f"{one.name} ({len(one.genes)} of {one.n_set})" for one in first]
    else:
        values = np.array([one.nes for one in result.ranked[:MOST_DRAWN]])
        title, bar = "Normalized enrichment score", None
        names = [f"{one.name} ({one.n_set})" for one in first]
    words = f"FDR {100 * MOST_FDR:.0f} %"
    drawing = bars_figure(values, names, passing, title=title, bar=bar, bar_words=words, dark=state.dark())
    alt = "Gene sets, those that pass first"
    figure(drawing, key="bars", name="enrichment", alt=alt, height=110 + 22 * len(names), footer=footer)
    if bar is not None:
        st.caption(
            f"Dashed: gene sets to the right of it pass a false discovery rate of {100 * MOST_FDR:.0f} %."
        )


def _bar(result: Result) -> float:
    """Give the p at or below which sets pass Benjamini-Hochberg."""
    return MOST_FDR * max(1, result.n_passing) / result.n_sets


def draw_shares(result: Result, footer: str) -> None:
    """Draw which share of each set was asked for, beside the share by chance."""
    first = [one for one in result.terms if one.genes][:MOST_DRAWN]
    sizes = np.array([one.n_set for one in first])
    drawing = dots_figure(
        np.array([len(one.genes) for one in first]) / sizes,
        np.array([one.expected_alike for one in first]) / sizes,
        np.array([len(one.genes) for one in first]),
        sureness=-np.log10(np.maximum([one.fdr for one in first], np.finfo(float).tiny)),
        names=[one.name for one in first],
        dark=state.dark(),
    )
    alt = "Share of each gene set that was asked for, beside the share by chance"
    figure(
        drawing, key="dots", name="enrichment_shares", alt=alt, height=110 + 24 * len(first), footer=footer
    )
    st.caption("Size: number of genes. Gray mark: the share that expression-matched random genes give.")
