"""What is behind a square of the confusion matrix: its cells on the map, their confidence, their genes, a group."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.cell_map import MapLook
from pages.components.coloring import Coloring
from pages.components.digits import DIGITS, SMALL, TENTH
from pages.components.frame import PAGES
from pages.components.group_changes import record_step, who
from pages.components.newest_map import newest_map, no_map_yet, on_map
from pages.components.show import errors_in_words, escaped, figure, table
from scviz.metrics.evidence import counted
from scviz.metrics.two_groups import GeneTable
from scviz.plots.distribution import distribution_figure
from scviz.plots.plain_text import as_written
from scviz.plots.points import category_codes, category_palette
from scviz.tasks.annotation import Result
from scviz.tasks.annotation.squares import Square, first_genes, genes_of_square, square_of, too_few
from scviz.workspace.database import Run
from scviz.workspace.groups import LONGEST_NAME, name_group
from scviz.workspace.packed_rows import pack_rows
from scviz.workspace.selections import keep_selection

TRUE, NAMED = "door_true", "door_named"
GENES_SHOWN = 50


def clicked_square(chart: str, types: Sequence[str]) -> None:
    """Open the square that was clicked; for callbacks.

    Parameters
    ----------
    chart
        Key of the confusion matrix.
    """
    event = state.value_of(chart)
    points = event["selection"]["points"] if event else []
    true, named = [as_written(str(points[0][side])) for side in "yx"] if points else ("", "")
    if true in types and named in types:
        state.preset(TRUE, true)
        state.preset(NAMED, named)


def door(run: Run, result: Result, method: str, *, footer: str) -> None:
    """Show what is behind the square that was clicked, or chosen by its two types."""
    st.subheader("Behind a square", anchor=False)
    st.caption(
        "Click a square, or choose its two types: its cells on the map, how sure the model is, their genes."
    )
    left, right = st.columns(2)
    true = left.selectbox("Known type", result.types, index=None, key=TRUE, placeholder="Choose a type")
    named = right.selectbox("Named", result.types, index=None, key=NAMED, placeholder="Choose a type")
    if true is None or named is None:
        return
    square = square_of(result, true, named, method=method)
    st.write(escaped(square.sentence))
    if not len(square.rows):
        return
    left, right = st.columns(2, gap="large")
    with left:
        _on_map(run, square)
    with right:
        _confidence(square, footer)
        _group(run, square)
    _genes(run, square)


def _on_map(run: Run, square: Square) -> None:
    dataset = run.request["dataset"]
    drawn = newest_map(dataset)
    if drawn is None:
        no_map_yet(dataset, key="door_map_wait")
        return
    groups = np.full(state.workspace().dataset(dataset).n_cells, -1, dtype=np.int64)
    groups[square.right], groups[square.rows] = 1, 0
    look = MapLook(
        palette=category_palette(2),
        labels=(square.words, square.others),
        title="Cells that judge",
        missing="other cells",
    )
    on_map(drawn, Coloring(codes=category_codes(groups), look=look), key="door_map", height=380)
    selection = keep_selection(state.workspace().dataset_folder(dataset), pack_rows(square.rows, level=1))
    st.page_link(
        PAGES["explore"].file,
        label="Select them on Explore",
        icon=PAGES["explore"].icon,
        query_params={**state.link(), "dataset": dataset, "selection": selection},
    )


def _confidence(square: Square, footer: str) -> None:
    values = {square.words: square.confidence, square.others: square.other_confidence}
    drawing = distribution_figure(
        {name: given.astype(np.float64) for name, given in values.items() if len(given)},
        title="Confidence of the model in its name",
        dark=state.dark(),
    )
    figure(
        drawing,
        key="door_confidence",
        name="confidence_of_square",
        alt="Confidence of these cells and of the others of their type",
        height=340,
        footer=footer,
    )


def _group(run: Run, square: Square) -> None:
    """Offer the cells as a named group."""
    dataset = run.request["dataset"]
    line = st.columns([3, 2], vertical_alignment="bottom")
    name = line[0].text_input(
        "Name these cells",
        square.words[:LONGEST_NAME],
        max_chars=LONGEST_NAME,
        key=f"door_name_{square.words}",
    )
    if line[1].button("Name it", key="door_group", icon=":material/label:", width="stretch"):
        with errors_in_words():
            folder = state.workspace().folder_to_change(dataset)
            record_step(dataset, name_group(folder, name, square.rows, replace=False, by=who()))
            st.success(escaped(f"{counted(len(square.rows), 'cell')} named “{name}”."))


def _genes(run: Run, square: Square) -> None:
    """Compare genes when asked to."""
    key = f"door_genes_{run.id}_{square.true}_{square.named}"
    if st.button("Genes of these cells compared with the others of their type", key="door_genes"):
        state.keep(key, "asked")
    if not state.kept(key):
        return
    dataset = run.request["dataset"]
    found = _compared(dataset, square)
    if found is None:
        st.info(escaped(too_few(square)))
        return
    folder = state.workspace().dataset_folder(dataset)
    places = first_genes(folder, found, GENES_SHOWN)
    rows = [
        {
            "Gene": name,
            "log2 fold change": found.log2_fold_change[at],
            "z": found.score[at],
            "Adjusted p": found.adjusted_p[at],
            "% of these": 100 * found.shares[0, at],
            "% of the others": 100 * found.shares[1, at],
        }
        for name, at in places
    ]
    digits = {"log2 fold change": DIGITS, "z": TENTH, "Adjusted p": SMALL}
    digits |= dict.fromkeys(("% of these", "% of the others"), TENTH)
    table(pd.DataFrame(rows), key="door_table", name="genes_of_square", column_config=digits)
    st.caption(
        escaped(
            f"{square.words} ({counted(len(square.rows), 'cell')}) compared with {square.others} "
            f"({len(square.right):,}), rank "
            "sums, corrected for all genes. The names were given by the same genes, so this says what these cells look "
            "like to the model; it is no test of new cells."
        )
    )


@st.cache_data(
    max_entries=16, hash_funcs={Square: lambda one: (one.words, one.rows.tobytes(), one.right.tobytes())}
)
def _compared(dataset: str, square: Square) -> GeneTable | None:
    workspace = state.workspace()
    return genes_of_square(workspace.dataset_folder(dataset), square, workspace.dataset(dataset).n_cells)
