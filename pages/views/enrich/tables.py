"""Every gene set, and every gene that was asked for, as a row of a table."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pages.components.digits import HUNDREDTH, SMALL, TENTH
from pages.components.show import table
from pages.views.enrich.charts import MOST_DRAWN
from scviz.tasks.enrichment import RankedTerm, Result, Term

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


def genes_table(result: Result) -> None:
    """List the genes that were asked for."""
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


def sets_table(result: Result) -> None:
    """List the gene sets, with what each number is."""
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
