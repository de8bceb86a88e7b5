"""How far the cells lie from the reference, by cluster; and how each method did on cells whose type is known."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.digits import DIGITS, HUNDREDTH, SHARE, TENTH
from pages.components.show import errors_in_words, escaped, table
from scviz.metrics.comparison import FEWEST_JUDGED
from scviz.metrics.evidence import counted
from scviz.tasks.transfer import Fit, Result
from scviz.tasks.transfer.measured import measured_with
from scviz.tasks.transfer.references import keep_reference
from scviz.tasks.transfer.tables import method_rows
from scviz.workspace.database import Run

NEARNESS = {"near": "yes", "far": "no", "cannot tell": "cannot tell"}
LEARNED = "reference"
"""Folder of what was learned in the result of a run."""


def fit_tab(result: Result) -> None:
    """Show shared genes, and which clusters the reference has a counterpart for."""
    fit = result.fit
    genes, before, after = st.columns(3)
    genes.metric(
        "Genes of the reference that are here",
        f"{fit.n_shared:,} of {fit.n_reference:,}",
        help=f"They hold {100 * fit.read:.0f} % of its molecules. The dataset has {counted(fit.n_query, 'gene')}.",
    )
    before.metric(
        "Cells beyond, as they are",
        f"{100 * fit.beyond_before:.0f} %",
        help="Farther from every type than 95 % of the reference's own held-out cells; 5 % would be as alike as they.",
    )
    after.metric(
        "Cells beyond, shift taken off",
        f"{100 * fit.beyond:.0f} %",
        help="What all types moved by alike tells of the preparation, not of the cells, and is taken off, unless it is "
        f"larger than other preparations explain: {_moved(fit)}. The verdict and the table go by this number.",
    )
    rows = [
        {
            "Cluster": one.number,
            "Cells": one.n_cells,
            "Named": one.name,
            "Of its cells": one.share,
            "Beyond": one.beyond.mean,
            "From": one.beyond.low,
            "To": one.beyond.high,
            "Counterpart": NEARNESS[one.nearness],
        }
        for one in fit.clusters
    ]
    digits = dict.fromkeys(("Of its cells", "Beyond", "From", "To"), SHARE)
    table(pd.DataFrame(rows), key="transfer_fit", name="fit_by_cluster", column_config=digits)
    st.caption(
        "Beyond: share of the cells of a cluster outside the reach of the reference, with its 95 % interval. A cluster "
        "has no counterpart where the interval lies above one half. Clusters are those of these cells alone."
    )


def _moved(fit: Fit) -> str:
    """Say how large the common shift is, or that it cannot be told."""
    if not fit.offset:
        return f"here {fit.shift:.1f} of the reach"
    return (
        "here it cannot be told, since too few types have cells enough, and nothing is taken off; on average cells lie "
        f"{fit.offset:.1f} of the reach off the types that they are named"
    )


def methods_tab(run: Run, result: Result) -> None:
    """Show the scores of each method on held-out cells of the reference, and offer to save what was learned."""
    here = {one.name: float(pd.Series(result.confidence(one.name)).mean()) for one in result.methods}
    rows = [
        {
            "Method": row["method"],
            "Accuracy": row["accuracy"],
            "Macro-F1": row["macro_f1"],
            "Temperature": row.get("temperature"),
            "Mean confidence here": here.get(row["method"]),
            "Seconds": row.get("seconds"),
        }
        for row in method_rows(result)
    ]
    digits = {
        **dict.fromkeys(("Accuracy", "Macro-F1"), DIGITS),
        **dict.fromkeys(("Temperature", "Mean confidence here"), HUNDREDTH),
        "Seconds": TENTH,
    }
    table(pd.DataFrame(rows), key="transfer_methods", name="methods", column_config=digits)
    st.caption(
        escaped(
            f"Accuracy and macro-F1: on {result.held_out}{_judged_types(result)}. {measured_with(result)} Cells of "
            "another study are named less well."
            + (f" {_join(result.baselines)} know nothing of the types." if result.baselines else "")
        )
    )
    if result.gain is not None:
        st.caption(escaped(result.gain.sentence))
    with errors_in_words():
        _save(run, result)


def _judged_types(result: Result) -> str:
    """Say which types the macro-F1 is over."""
    scores = result.methods[0].scores
    if scores is None or not scores.n_judged or scores.n_judged == len(scores.types):
        return ""
    return f"; macro-F1 over the {scores.n_judged} of {len(scores.types)} types with {FEWEST_JUDGED} or more of these"


def _join(names: Iterable[str]) -> str:
    return " and ".join(f'"{name}"' for name in names)


def _save(run: Run, result: Result) -> None:
    """Offer what was learned as a reference without cells, which names other files."""
    folder = state.workspace().run_folder(run.id) / "result" / LEARNED
    if not folder.is_dir():
        return
    line = st.container(horizontal=True, vertical_alignment="bottom")
    name = line.text_input(
        "Save as a classifier that names cells of other files",
        value=f"Types of {result.reference_name}",
        key="transfer_save_name",
    )
    if line.button("Save", key="transfer_save", icon=":material/save:"):
        kept = keep_reference(folder, state.workspace(), name=name)
        st.success(
            escaped(
                f"Saved. Choose {kept.reference.name} as reference for another dataset, or run "
                f"python -m scviz annotate FILE --reference {kept.id}"
            ),
            icon=":material/check:",
        )
