"""Names that markers suggest, and a button that gives them to the groups."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.digits import SMALL, TENTH
from pages.components.show import escaped, table
from scviz.metrics.evidence import counted
from scviz.tasks.markers import MOST_FDR, Result
from scviz.tasks.markers.ranking import given_names
from scviz.workspace.database import Run
from scviz.workspace.groups import name_group


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
    if st.button(
        f"Name {counted(len(names), 'group')} so",
        key="name_groups",
        icon=":material/label:",
        help="They become named groups of this dataset, which every page offers; groups without a suggestion stay "
        "as they are, and a named group of the same name is replaced.",
    ):
        folder = state.workspace().dataset_folder(run.request["dataset"])
        for k, name in names.items():
            name_group(folder, name, np.flatnonzero(result.groups == k))
        st.success(escaped(f"Named: {', '.join(names.values())}. Explore lists them and colors by them."))


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
