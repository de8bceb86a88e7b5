"""What genes have in common: verdict, gene sets, and what expression-matched random genes give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.finished import result_of
from pages.components.job_panel import duration
from pages.components.show import escaped, figure, table
from pages.components.verdict_box import footer, verdict_box
from scviz.plots.enrichment import bars_figure, dots_figure
from scviz.tasks.enrichment import MOST_FDR, RankedTerm, Request, Result, Term
from scviz.workspace.database import Run

MOST_DRAWN = 20
SMALL = st.column_config.NumberColumn(format="%.2e")
TENTH = st.column_config.NumberColumn(format="%.1f")
HUNDREDTH = st.column_config.NumberColumn(format="%.2f")


def enrich_result(run: Run) -> None:
    """Show a finished run."""
    result = result_of(run, Result)
    verdict_box(result.outcome, result.verdict, run=run, notes=result.notes)
    _numbers(result)
    names = ["Chart", "Shares", "Genes"] if result.terms else ["Chart", "Genes"]
    tabs = dict(zip(names, st.tabs(names, key="enrich_tabs"), strict=True))
    small_print = f"{footer(run)} · {result.sets_name} · {result.n_background:,} genes"
    with tabs["Chart"]:
        _bars(result, small_print)
    if result.terms:
        with tabs["Shares"]:
            _dots(result, small_print)
    with tabs["Genes"]:
        _genes(result)
    _table(result)
    _how_it_was_made(run, result)


def _numbers(result: Result) -> None:
    row = st.columns(4)
    row[0].metric(
        "Gene sets enriched",
        f"{result.n_passing:,}",
        f"{result.n_plain:,} by the plain test",
        delta_color="off",
        delta_arrow="off",
        help=f"At a false discovery rate of {100 * MOST_FDR:.0f} % over all tested sets, of the largest p of all "
        "tests: the plain one, expression-matched random genes, and shuffled groups where genes come from groups.",
    )
    row[1].metric(
        "Gene sets tested",
        f"{result.n_sets:,}",
        f"{result.n_untested:,} too small or too large",
        delta_color="off",
        delta_arrow="off",
    )
    row[2].metric(
        "Genes found",
        f"{len(result.genes):,}",
        f"of {result.n_asked:,} asked for",
        delta_color="off",
        delta_arrow="off",
    )
    row[3].metric(
        "Background",
        f"{result.n_background:,}",
        "genes that could be chosen",
        delta_color="off",
        delta_arrow="off",
        help=f"The {result.background}.",
    )
    st.caption(escaped(f"Background: {result.n_background:,} {result.background}."))
    if result.not_found:
        shown = ", ".join(result.not_found[:30])
        more = f", and {len(result.not_found) - 30:,} more" if len(result.not_found) > 30 else ""
        st.caption(escaped(f"Not in the background: {shown}{more}."))


def _bars(result: Result, footer: str) -> None:
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


def _dots(result: Result, footer: str) -> None:
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


def _genes(result: Result) -> None:
    frame = pd.DataFrame({"Gene": list(result.genes)})
    if len(result.change):
        frame["Log2 fold change"], frame["FDR"] = result.change, result.gene_fdr
        frame = frame.sort_values("FDR", kind="stable")
    holding = {one.name: set(one.genes) for one in result.found[:MOST_DRAWN]}
    frame["In the first gene sets"] = [
        ", ".join(name for name, genes in holding.items() if gene in genes) for gene in frame["Gene"]
    ]
    columns = {"Log2 fold change": HUNDREDTH, "FDR": SMALL}
    table(frame, key="genes", name="genes", height=340, column_config=columns)


def _table(result: Result) -> None:
    rows = [_row(one) for one in result.found]
    columns = {
        "By chance": TENTH,
        "Like expression": TENTH,
        "Odds ratio": TENTH,
        "ES": HUNDREDTH,
        "NES": HUNDREDTH,
    }
    small = ("p", "FDR", "p, plain", "p, like expression", "p, shuffled", "FDR, hit sets", "FDR, gseapy")
    columns |= dict.fromkeys(small, SMALL)
    table(pd.DataFrame(rows), key="terms", name="enrichment", height=380, column_config=columns)
    st.caption(TERM_WORDS if result.terms else RANKED_WORDS)


TERM_WORDS = (
    "By chance: genes expected of random ones; like expression: of expression-matched random genes. p: the largest of "
    "the plain one (hypergeometric), the share of draws of expression-matched random genes that do as well, and, where "
    "genes come from groups of cells, the share of sets that do as well with shuffled groups. FDR: Benjamini-Hochberg "
    "over all tested sets; over the sets with a hit, as gseapy and Enrichr count, it is too small."
)
RANKED_WORDS = (
    "ES: enrichment score; NES: by the mean score of random sets of that size. p: the larger of two, the share of "
    "expression-matched random sets that do as well, and that of the mean score by its spread with shuffled groups. "
    "FDR: Benjamini-Hochberg over all tested sets; that of gseapy shuffles genes, and is too small where genes of a "
    "set rise and fall together. Genes: the leading edge."
)


def _row(one: Term | RankedTerm) -> dict[str, Any]:
    """Describe a set in a row of the table."""
    shared = {"Gene set": one.name, "Genes": len(one.genes), "Of": one.n_set}
    tests = {"p": one.p, "FDR": one.fdr}
    nulls = {"p, like expression": one.p_alike, "p, shuffled": one.p_shuffled}
    last = {"Which genes": ", ".join(one.genes), "Source": one.description}
    if isinstance(one, Term):
        chance = {
            "By chance": one.expected,
            "Like expression": one.expected_alike,
            "Odds ratio": one.odds_ratio,
        }
        return (
            shared
            | chance
            | tests
            | {"p, plain": one.p_overlap}
            | nulls
            | {"FDR, hit sets": one.fdr_hit}
            | last
        )
    return shared | {"ES": one.es, "NES": one.nes} | tests | nulls | {"FDR, gseapy": one.fdr_published} | last


def _how_it_was_made(run: Run, result: Result) -> None:
    request: Request = state.queue().request(run.id)
    with st.expander("How it was made"):
        st.caption(
            escaped(
                f"{result.question[:1].upper()}{result.question[1:]}; {result.sets_name}, sets with "
                f"{request.fewest_genes:,} to {request.most_genes:,} genes of the background; at least "
                f"{request.n_random:,} draws of random genes, each among the twentieth nearest in expression; seed "
                f"{request.seed}. Took "
                f"{duration(result.seconds)}."
            )
        )
        st.caption(
            "Over-representation test: the formulas of gseapy 1.3 (hypergeometric tail, odds ratio with 0.5 added). "
            f"Ranking: gseapy prerank by Welch's t, {request.n_permutations:,} permutations, its seed 123."
        )
