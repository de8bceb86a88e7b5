"""Names of groups: those that markers suggest, given to all of them, and one's own, given to one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.coloring import GROUPS
from pages.components.digits import SMALL, TENTH
from pages.components.frame import PAGES
from pages.components.group_changes import record_step, who
from pages.components.show import errors_in_words, escaped, table
from scviz.metrics.evidence import counted
from scviz.tasks.markers import MOST_FDR, Result
from scviz.tasks.markers.ranking import given_names
from scviz.workspace.database import Run
from scviz.workspace.groups import LONGEST_NAME, name_groups


def name_them(run: Run, result: Result) -> None:
    """List what each group resembles, and offer to name the groups so."""
    st.caption(
        f"Suggestions, not answers: the first {run.request.get('n_top', 50):,} markers of each group are compared with "
        f"{result.n_programs:,} lists of known markers. A name is suggested where a list holds more of them than "
        f"expression-matched random genes do (false discovery rate {100 * MOST_FDR:.0f} % over all groups and lists, 3 "
        "markers or more)."
    )
    columns = {"By chance": TENTH, "FDR": SMALL}
    table(_suggested(result), key="markers_names", name="suggested_names", column_config=columns)
    names = given_names(result)
    if not names:
        st.info("No group resembles a type of cells that is known by its markers here.")
        return
    pressed = st.button(
        f"Name {counted(len(names), 'group')} so",
        key="name_groups",
        icon=":material/label:",
        help="They become named groups of this dataset, which every page offers; groups without a suggestion stay "
        "as they are, and a named group of the same name is replaced. Undo on Explore takes all of them back.",
    )
    if pressed:
        _give(run, result, names, replace=True)


def name_one(run: Run, result: Result, k: int) -> None:
    """Offer to name one group, by what its markers suggest or by what the user types."""
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    name = left.text_input(
        f"Name of {escaped(result.names[k])}",
        given_names(result).get(k, ""),
        placeholder="Activated T cells",
        max_chars=LONGEST_NAME,
        key=f"name_of_{run.id}_{k}",
    ).strip()
    if right.button("Name it", key="name_one", icon=":material/label:", width="stretch", disabled=not name):
        _give(run, result, {k: name}, replace=False)


def _give(run: Run, result: Result, names: Mapping[int, str], *, replace: bool) -> None:
    """Make named groups of some groups, given by their places, and lead to where they are seen."""
    dataset = run.request["dataset"]
    with errors_in_words():
        folder = state.workspace().folder_to_change(dataset)
        cells = {name: np.flatnonzero(result.groups == k) for k, name in names.items()}
        record_step(dataset, name_groups(folder, cells, replace=replace, by=who()))
        st.success(escaped(f"Named: {', '.join(names.values())}."))
        page, link = PAGES["explore"], state.link() | {"dataset": dataset, "color": GROUPS}
        st.page_link(page.file, label="See them on the map", icon=page.icon, query_params=link)


def _suggested(result: Result) -> pd.DataFrame:
    """Write a line for each group."""
    return pd.DataFrame(
        {
            "Group": list(result.names),
            "Suggested name": [one.name or "no suggestion" for one in result.suggestions],
            "Markers on the list": [", ".join(one.genes) for one in result.suggestions],
            "Shared": [len(one.genes) for one in result.suggestions],
            "By chance": [one.expected for one in result.suggestions],
            "FDR": [one.fdr for one in result.suggestions],
            "Or": [one.second for one in result.suggestions],
        }
    )
