"""What a search for regulons found: verdict, regulons, where they are active, links beside plain correlation."""

from __future__ import annotations

import streamlit as st

from pages.components.finished import result_of
from pages.components.gene_of_network import network_of_run
from pages.components.job_panel import duration
from pages.components.score_map import score_map
from pages.components.verdict_box import footer, verdict_box
from pages.components.widgets import tabs
from pages.views.regulons.links import checks_table, links_table
from pages.views.regulons.regulons import activity_of_cells, regulons_table
from pages.views.regulons.types import draw_types
from scviz.tasks.scenic import Result
from scviz.workspace.database import Run

TABS = ("Network", "Regulons", "Types", "Map", "Links", "Cells")


def regulons_result(run: Run) -> None:
    """Show a finished run."""
    result = result_of(run, Result)
    small_print = footer(run)
    verdict_box(result.outcome, result.verdict, run=run, notes=result.notes)
    checks_table(result)
    if not result.regulons:
        st.info("No regulon is left. Allow smaller modules, take more genes, or another support of targets.")
    else:
        picture, regulons, types, on_map, links, cells = tabs(TABS, key="regulons_tabs")
        with picture:
            network_of_run(run, result.drawing, key="network", name="regulon_network", footer=small_print)
        with regulons:
            regulons_table(run, result)
        with types:
            draw_types(result, small_print)
        with on_map:
            names = [one.name for one in result.regulons]
            score_map(run, names, result.auc, label="Regulon", title="activity (AUCell)", key="regulon")
        with links:
            links_table(result)
        with cells:
            activity_of_cells(run, result)
    _how_it_was_made(result)


def _how_it_was_made(result: Result) -> None:
    with st.expander("How it was made"):
        st.caption(
            f"{result.n_regulators:,} regulators, {result.n_targets:,} targets, {result.n_cells:,} cells; "
            f"{result.n_modules:,} co-expression modules. Took {duration(result.seconds)}."
        )
        st.caption(
            "Links: for each target gradient boosting on all regulators but itself (GRNBoost2: learning rate 0.01, "
            "a tenth of the regulators at each split, nine tenths of the cells in each tree, stopped when the last 25 "
            "trees explain nothing of the cells they left out; here on 64 bins of each regulator's expression, the "
            "mean of three seeds). Modules: links above the 75 % and 90 % quantile, the "
            "50 best targets of a regulator, the 5, 10 and 50 best regulators of a target, positive correlation only."
        )
        st.caption(
            "Activity: AUCell on the scale of R AUCell and decoupler, not that of pySCENIC, whose values depend on the "
            "size of the set. Specificity: one less the square root of the Jensen-Shannon divergence."
        )
