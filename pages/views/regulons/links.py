"""Links of every method: against what is known, and the strongest as a list."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components.digits import DIGITS, HUNDREDTH
from pages.components.show import escaped, table
from pages.components.widgets import one_of
from scviz.tasks.scenic import METHODS, RANDOM, WORDS, Result


def checks_table(result: Result) -> None:
    """Show every method beside a random ranking."""
    if not result.checks:
        return
    titles = {str(name): title for name, title in METHODS.items()} | {RANDOM: "Random ranking"}
    rows = [
        {
            "Method": titles[name],
            "AUPRC": one.auprc,
            "times random": one.auprc_ratio,
            "Early precision": one.early_precision,
            "AUROC": one.auroc,
            "Known among the first": one.hits,
            "Odds ratio": one.odds_ratio,
            "Among exchanged targets": one.place.words,
        }
        for name, one in result.checks.items()
    ]
    columns = dict.fromkeys(("AUPRC", "Early precision", "AUROC"), DIGITS)
    columns |= dict.fromkeys(("times random", "Odds ratio"), HUNDREDTH)
    table(pd.DataFrame(rows), key="checks", name="link_scores", column_config=columns)
    share = result.n_known / max(1, result.n_candidates)
    st.caption(
        f"Links against {escaped(result.checked_by)}: {result.n_known:,} of {result.n_candidates:,} possible links "
        f"are known ({100 * share:.1f} %).",
        help=f"Early precision and odds ratio are of the first {result.n_known:,} links, as many as are known. "
        "AUPRC of a random ranking is the share that is known, about; its AUROC is 0.5, its odds ratio 1. "
        "Among exchanged targets: the place of the "
        "AUPRC when the target genes of all known links are exchanged at random, which keeps how many "
        "each regulator has. Known links "
        "of measured cells are incomplete and come from many tissues, so absent ones may be true.",
    )


def links_table(result: Result) -> None:
    """List the strongest links of a method, and whether another method has them in its list."""
    titles, words = ({str(name): title for name, title in named.items()} for named in (METHODS, WORDS))
    chosen = one_of("Method", {name: titles[name] for name in result.links}, key="links_of")
    links = result.links[chosen]
    frame = pd.DataFrame({"Regulator": links.sources, "Target": links.targets, "Strength": links.weights})
    if links.known:
        frame["Known"] = links.known
    for name, other in result.links.items():
        if name != chosen:
            pairs = set(zip(other.sources[: len(frame)], other.targets[: len(frame)], strict=True))
            frame[f"In the list of {words[name]}"] = [
                pair in pairs for pair in zip(links.sources, links.targets, strict=True)
            ]
    table(frame, key="links", name=f"links_{chosen}", height=340, column_config={"Strength": DIGITS})
    st.caption(
        f"The {len(frame):,} strongest of links from {result.n_regulators:,} regulators to {result.n_targets:,} genes. "
        "Boosted trees: importance, more for genes that are explained well. Correlation: absolute Pearson. Similar "
        "vectors: 100 times the cosine, centered. Perturbations: Welch's t against control cells, without its sign."
    )
