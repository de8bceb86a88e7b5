"""What a search for regulons found: verdict, regulons, where they are active, links beside plain correlation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.enrich_link import enrich_set
from pages.components.finished import result_of
from pages.components.gene_of_network import network_of_run
from pages.components.job_panel import duration
from pages.components.score_map import score_map
from pages.components.show import escaped, figure, table
from pages.components.verdict_box import footer, verdict_box
from scviz.datasets.columns import cell_names
from scviz.metrics.evidence import LEVEL
from scviz.plots.regulons import regulons_figure
from scviz.tasks.scenic import METHODS, PRUNED, RANDOM, Result
from scviz.tasks.scenic.files import gmt
from scviz.workspace.database import Run

MOST_DRAWN = 40
SCALE = "Activity (AUCell)"
SPECIFIC = "Specificity (RSS)"
DIGITS = st.column_config.NumberColumn(format="%.3f")
SMALL = st.column_config.NumberColumn(format="%.2e")


def regulons_result(run: Run) -> None:
    """Show a finished run."""
    result = result_of(run, Result)
    small_print = footer(run)
    verdict_box(result.outcome, result.verdict, run=run, notes=result.notes)
    _checks(result)
    if not result.regulons:
        st.info("No regulon is left. Allow smaller modules, take more genes, or another support of targets.")
    else:
        names = ["Network", "Regulons", "Types", "Map", "Links", "Cells"]
        picture, regulons, types, on_map, links, cells = st.tabs(names, key="regulons_tabs")
        with picture:
            network_of_run(run, result.drawing, key="network", name="regulon_network", footer=small_print)
        with regulons:
            _regulons(run, result)
        with types:
            _types(result, small_print)
        with on_map:
            names = [one.name for one in result.regulons]
            score_map(run, names, result.auc, label="Regulon", title="activity (AUCell)", key="regulon")
        with links:
            _links(result)
        with cells:
            _cells(run, result)
    _how_it_was_made(result)


def _checks(result: Result) -> None:
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
    columns |= dict.fromkeys(("times random", "Odds ratio"), st.column_config.NumberColumn(format="%.2f"))
    table(pd.DataFrame(rows), key="checks", name="link_scores", column_config=columns)
    share = result.n_known / max(1, result.n_candidates)
    st.caption(
        f"Links against {escaped(result.checked_by)}: {result.n_known:,} of {result.n_candidates:,} possible links "
        f"are known ({100 * share:.1f} %).",
        help=f"Early precision and odds ratio are of the first {result.n_known:,} links, as many as are known. "
        "AUPRC of a random ranking is the share that is known, about; its AUROC is 0.5, its odds ratio 1. "
        "Among exchanged targets: the place of the "
        "AUPRC when the target genes of all links of the prior network are exchanged at random, which keeps how many "
        "each regulator has. Known links "
        "of measured cells are incomplete and come from many tissues, so absent ones may be true.",
    )


def _regulons(run: Run, result: Result) -> None:
    judged = any(one.n_known >= 0 for one in result.regulons)
    rows = []
    for i, one in enumerate(result.regulons):
        row: dict[str, object] = {"Regulon": one.name, "Targets": len(one.genes)}
        if result.pruned == "motif":
            row |= {"Score": one.score, "Motifs": ", ".join(one.motifs[:5])}
        if judged:
            row |= {
                "Linked": one.n_linked,
                "Known": one.n_known,
                "Known by chance": one.expected,
                "p": one.p,
                "FDR": one.fdr,
            }
        row["Cells in which it is on"] = one.share_on
        if len(result.types):
            own = result.rss[:, i]
            row["Most specific for"] = result.types[int(np.nanargmax(own))] if np.isfinite(own).any() else ""
        rows.append(row | {"Genes": ", ".join(one.genes[:30])})
    columns = {
        "Score": DIGITS,
        "Known by chance": st.column_config.NumberColumn(format="%.1f"),
        "p": SMALL,
        "FDR": SMALL,
    }
    columns["Cells in which it is on"] = st.column_config.NumberColumn(format="percent")
    table(pd.DataFrame(rows), key="regulons", name="regulons", height=340, column_config=columns)
    st.download_button(
        "GMT",
        data=lambda: gmt(result.regulons).encode(),
        file_name="regulons.gmt",
        mime="text/plain",
        key="regulons_gmt",
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
    )
    places = st.columns([3, 2, 4], vertical_alignment="bottom")
    names = [one.name for one in result.regulons]
    chosen = places[0].selectbox("What do its targets have in common?", names, key="enrich_regulon")
    with places[1]:
        enrich_set(run, chosen)
    more = "Score: NES of the best motif, less for motifs of relatives. " if result.pruned == "motif" else ""
    if judged:
        more += "p: hypergeometric, of as many known targets among those that were linked. "
    st.caption(
        f"Targets: {PRUNED[result.pruned]}. {more}On: activity above the dip between two groups of "
        "cells, or above the mean by two standard deviations where there is one group."
    )


def _types(result: Result, footer: str) -> None:
    if not result.types:
        st.info("Name a column with known cell types to see in which of them each regulon is active.")
        return
    shown = st.segmented_control(
        "Shown",
        ["rss", "mean"],
        default="rss",
        required=True,
        format_func={"rss": "Specificity", "mean": "Mean activity"}.__getitem__,
        key="heat_shown",
        label_visibility="collapsed",
    )
    values = (result.rss if shown == "rss" else result.mean_auc).T  # (R, T)
    beyond = (result.rss_fdr <= LEVEL).T if shown == "rss" else None
    most = np.nan_to_num(result.rss.T, nan=0.0).max(axis=1)
    rows = np.sort(np.argsort(-most, kind="stable")[:MOST_DRAWN])
    drawing = regulons_figure(
        values[rows],
        [result.regulons[i].name for i in rows],
        result.types,
        title=SPECIFIC if shown == "rss" else SCALE,
        beyond=None if beyond is None else beyond[rows],
        dark=state.dark(),
    )
    height = 250 + 18 * len(rows)
    figure(
        drawing, key="heat", name="regulons_in_types", alt="Regulons in types", height=height, footer=footer
    )
    if shown != "rss":
        st.caption("Mean over the cells of a type; 1 is the most that a set of this size can reach.")
    else:
        n_beyond = int((result.rss_fdr <= LEVEL).sum())
        st.caption(
            "From 0.17 to 1. A dot: more specific than where types are given to cells at random, at a false discovery "
            f"rate of 5 % over all {result.rss.size:,} squares; {n_beyond:,} have one."
        )
    if len(result.regulons) > MOST_DRAWN:
        st.caption(f"The {MOST_DRAWN} most specific of {len(result.regulons):,} regulons are drawn.")
    frame = pd.DataFrame(values, columns=list(result.types))
    frame.insert(0, "Regulon", [one.name for one in result.regulons])
    table(
        frame,
        key="heat_table",
        name=f"regulons_{shown}",
        height=220,
        column_config=dict.fromkeys(result.types, DIGITS),
    )


def _links(result: Result) -> None:
    chosen = st.segmented_control(
        "Method",
        list(result.links),
        default=next(iter(result.links)),
        required=True,
        format_func=lambda name: METHODS[name],
        key="links_of",
        label_visibility="collapsed",
    )
    links = result.links[chosen or next(iter(result.links))]
    frame = pd.DataFrame({"Regulator": links.sources, "Target": links.targets, "Strength": links.weights})
    if links.known:
        frame["Known"] = links.known
    others = [other for name, other in result.links.items() if name != chosen]
    if others:
        pairs = set(zip(others[0].sources[: len(frame)], others[0].targets[: len(frame)], strict=True))
        frame["In the other list"] = [
            pair in pairs for pair in zip(links.sources, links.targets, strict=True)
        ]
    table(frame, key="links", name=f"links_{chosen}", height=340, column_config={"Strength": DIGITS})
    st.caption(
        f"The {len(frame):,} strongest of links from {result.n_regulators:,} regulators to {result.n_targets:,} genes. "
        "Boosted trees: importance, more for genes that are explained well. Correlation: absolute Pearson. Similar "
        "vectors: 100 times the cosine, centered. Perturbations: Welch's t against control cells, without its sign."
    )


def _cells(run: Run, result: Result) -> None:
    names = cell_names(state.workspace().dataset_folder(run.request["dataset"]))
    frame = pd.DataFrame(result.auc, columns=[one.name for one in result.regulons])
    frame.insert(0, "cell", list(names))
    st.caption(
        f"{SCALE} of {result.auc.shape[1]:,} regulons in {len(frame):,} cells; the first ten are shown."
    )
    st.dataframe(frame.head(10), hide_index=True, key="activity")
    st.download_button(
        "CSV of all cells",
        data=lambda: frame.to_csv(index=False).encode(),
        file_name="regulon_activity.csv",
        mime="text/csv",
        key="activity_csv",
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
    )


def _how_it_was_made(result: Result) -> None:
    with st.expander("How it was made"):
        st.caption(
            f"{result.n_regulators:,} regulators, {result.n_targets:,} targets, {result.n_cells:,} cells; "
            f"{result.n_modules:,} co-expression modules. Took {duration(result.seconds)}."
        )
        st.caption(
            "Links: for each target gradient boosting on all regulators but itself (GRNBoost2: learning rate 0.01, "
            "a tenth of the regulators at each split, nine tenths of the cells in each tree, stopped when the last 25 "
            "trees explain nothing of the cells they left out). Modules: links above the 75 % and 90 % quantile, the "
            "50 best targets of a regulator, the 5, 10 and 50 best regulators of a target, positive correlation only."
        )
        st.caption(
            "Activity: AUCell on the scale of R AUCell and decoupler, not that of pySCENIC, whose values depend on the "
            "size of the set. Specificity: one less the square root of the Jensen-Shannon divergence."
        )
