"""What genes have in common: verdict, gene sets, and what random genes of like expression give."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.finished import result_of
from pages.components.job_panel import duration
from pages.components.runs import dataset_name
from pages.components.show import escaped, figure, table
from scviz.plots.enrichment import bars_figure, dots_figure
from scviz.tasks.enrichment import MOST_FDR, Request, Result
from scviz.workspace.database import Run

MOST_DRAWN = 20
SMALL = st.column_config.NumberColumn(format="%.2e")
TENTH = st.column_config.NumberColumn(format="%.1f")
HUNDREDTH = st.column_config.NumberColumn(format="%.2f")


def enrich_result(run: Run) -> None:
    """Show a finished run."""
    result = result_of(run, Result)
    _verdict(run, result)
    _numbers(result)
    names = ["Chart", "Shares", "Genes"] if result.terms else ["Chart", "Genes"]
    tabs = dict(zip(names, st.tabs(names, key="enrich_tabs"), strict=True))
    footer = f"{dataset_name(run)} · {result.sets_name} · {result.n_background:,} genes · run {run.id}"
    with tabs["Chart"]:
        _bars(result, footer)
    if result.terms:
        with tabs["Shares"]:
            _dots(result, footer)
    with tabs["Genes"]:
        _genes(result)
    _table(result)
    _how_it_was_made(run, result)


def _verdict(run: Run, result: Result) -> None:
    (st.success if result.beyond_chance else st.info)(escaped(result.verdict))
    if state.workspace().dataset(run.request["dataset"]).simulated:
        st.caption("Simulated data: genes have no meaning, so gene sets have none either.")
    for note in result.notes:
        st.caption(escaped(note))


def _numbers(result: Result) -> None:
    row = st.columns(4)
    row[0].metric(
        "Gene sets enriched",
        f"{result.n_passing:,}",
        f"{result.random_passing.mean():.1f} with random genes",
        delta_color="off",
        delta_arrow="off",
        help=f"At a false discovery rate of {100 * MOST_FDR:.0f} % over all tested sets. Random genes are expressed "
        f"like the ones asked for; mean of {len(result.random_passing):,} draws.",
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
    if result.terms:
        first = result.terms[:MOST_DRAWN]
        values = -np.log10(np.maximum([one.p for one in first], np.finfo(float).tiny))
        title, chance = "-log10 p", float(-np.log10(np.quantile(result.random_best, 0.05)))
        names = [f"{one.name} ({len(one.genes)} of {one.n_set})" for one in first]
        passing = np.array([one.fdr <= MOST_FDR for one in first])
    else:
        ranked = result.ranked[:MOST_DRAWN]
        values = np.array([one.nes for one in ranked])
        title, chance = "Normalized enrichment score", float(np.quantile(result.random_best, 0.95))
        names = [f"{one.name} ({one.n_set})" for one in ranked]
        passing = np.array([one.fdr <= MOST_FDR for one in ranked])
    drawing = bars_figure(
        values,
        names,
        passing,
        title=title,
        chance=chance,
        chance_words="best of random genes, 95 %",
        dark=state.dark(),
    )
    alt = "Gene sets, the most enriched first, beside the best that random genes reach"
    figure(drawing, key="bars", name="enrichment", alt=alt, height=110 + 22 * len(names), footer=footer)
    st.caption(
        "Dashed: what the best of all gene sets reaches with random genes of like expression, in 95 % of the draws."
    )


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
    st.caption("Size: number of genes. Gray mark: the share that random genes of like expression give.")


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
    if result.terms:
        rows = [
            {
                "Gene set": one.name,
                "Genes": len(one.genes),
                "Of": one.n_set,
                "By chance": one.expected,
                "Like expression": one.expected_alike,
                "Odds ratio": one.odds_ratio,
                "p": one.p,
                "FDR": one.fdr,
                "FDR, hit sets": one.fdr_hit,
                "p, like expression": one.p_alike,
                "Which genes": ", ".join(one.genes),
                "Source": one.description,
            }
            for one in result.terms
        ]
        words = (
            "By chance: genes expected of random ones; like expression: of random ones that are expressed alike. p: "
            "hypergeometric. FDR: Benjamini-Hochberg over all tested sets; over the sets with a hit, as gseapy and "
            "Enrichr count, it is too small. The last p is the share of draws that do as well."
        )
    else:
        rows = [
            {
                "Gene set": one.name,
                "Of": one.n_set,
                "ES": one.es,
                "NES": one.nes,
                "p": one.p,
                "FDR": one.fdr,
                "p, like expression": one.p_alike,
                "Genes": len(one.genes),
                "Which genes": ", ".join(one.genes),
                "Source": one.description,
            }
            for one in result.ranked
        ]
        words = (
            "ES: enrichment score; NES: by the mean score of random sets of that size. p and FDR: from permuted genes, "
            "0 where no permutation does as well. Genes: the leading edge. The last p is the share of random sets of "
            "like expression that do as well."
        )
    columns = {
        "By chance": TENTH,
        "Like expression": TENTH,
        "Odds ratio": TENTH,
        "ES": HUNDREDTH,
        "NES": HUNDREDTH,
    }
    columns |= {"p": SMALL, "FDR": SMALL, "FDR, hit sets": SMALL, "p, like expression": HUNDREDTH}
    table(pd.DataFrame(rows), key="terms", name="enrichment", height=380, column_config=columns)
    st.caption(words)


def _how_it_was_made(run: Run, result: Result) -> None:
    request: Request = state.queue().request(run.id)
    with st.expander("How it was made"):
        st.caption(
            escaped(
                f"{result.question[:1].upper()}{result.question[1:]}; {result.sets_name}, sets with "
                f"{request.fewest_genes:,} to {request.most_genes:,} genes of the background; {request.n_random:,} "
                f"draws of random genes, each from the same twentieth of expression; seed {request.seed}. Took "
                f"{duration(result.seconds)}."
            )
        )
        st.caption(
            "Over-representation: the formulas of gseapy 1.3 (hypergeometric tail, odds ratio with 0.5 added). "
            f"Ranking: gseapy prerank by Welch's t, {request.n_permutations:,} permutations, its seed 123."
        )
