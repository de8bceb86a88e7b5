"""What genes have in common: verdict, gene sets, and what expression-matched random genes give."""

from __future__ import annotations

import streamlit as st

from pages.components import state
from pages.components.finished import result_of
from pages.components.job_panel import duration
from pages.components.show import escaped
from pages.components.verdict_box import footer, verdict_box
from pages.components.widgets import tabs
from pages.views.enrich.charts import draw_bars, draw_shares
from pages.views.enrich.tables import genes_table, sets_table
from scviz.tasks.enrichment import MOST_FDR, Request, Result
from scviz.workspace.database import Run


def enrich_result(run: Run) -> None:
    """Show a finished run."""
    result = result_of(run, Result)
    verdict_box(result.outcome, result.verdict, run=run, notes=result.notes)
    _numbers(result)
    names = ["Chart", "Shares", "Genes"] if result.terms else ["Chart", "Genes"]
    places = dict(zip(names, tabs(names, key="enrich_tabs"), strict=True))
    small_print = f"{footer(run)} · {result.sets_name} · {result.n_background:,} genes"
    with places["Chart"]:
        draw_bars(result, small_print)
    if result.terms:
        with places["Shares"]:
            draw_shares(result, small_print)
    with places["Genes"]:
        genes_table(result)
    sets_table(result)
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
        help=escaped(f"The {result.background}."),
    )
    st.caption(escaped(f"Background: {result.n_background:,} {result.background}."))
    if result.not_found:
        shown = ", ".join(result.not_found[:30])
        more = f", and {len(result.not_found) - 30:,} more" if len(result.not_found) > 30 else ""
        st.caption(escaped(f"Not in the background: {shown}{more}."))


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
