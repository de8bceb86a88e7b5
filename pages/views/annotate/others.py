"""Names by other tools in the file, compared with others: how far they agree, where not, and on which cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from pages.components import state
from pages.components.add_to_group import add_to_group
from pages.components.cell_map import Coloring, MapLook
from pages.components.newest_map import newest_map, no_map_yet, on_map
from pages.components.show import escaped, table
from pages.components.widgets import pick
from scviz.datasets.labels import Labels, cell_labels
from scviz.datasets.name_relations import AUTHORS, RELATIONS, WORDS, NamedBy, named_columns, relations_of
from scviz.metrics.evidence import Interval, counted
from scviz.metrics.name_comparison import DIFFERENT, UNKNOWN, NameComparison, compare_names
from scviz.plots.points import category_codes, category_palette
from scviz.workspace import ColumnInfo

COLORS = ("#2E7D5B", "#7FB069", "#A7C957", "#E6B325", "#C8553D", "#8A8F98")
"""Of same, broader, narrower, coarse, different and unknown."""
MOST_PAIRS = 200
SHORT = {
    "Cells with both": st.column_config.NumberColumn("Cells", help="With both names."),
    "Same type (%)": st.column_config.NumberColumn("Same (%)", format="%.1f", help="Of the same type."),
    "Same coarse type (%)": st.column_config.NumberColumn(
        "Coarse (%)", format="%.1f", help="Of one coarse type."
    ),
    "Coarse by chance (%)": st.column_config.NumberColumn(
        "Chance (%)", format="%.1f", help="Coarse by chance."
    ),
    "Not comparable": st.column_config.NumberColumn("Unknown", help="Cells whose names cannot be compared."),
}
"""What the page calls columns, so that all of them have room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The name of each of N cells."""

    names: tuple[str, ...]
    codes: NDArray[np.int64]
    """(N,) positions in `names`; -1 for none."""
    title: str
    """Whose names they are."""
    column: str = ""
    """Column of the file that holds them; empty for names of a run."""
    learned_from: str = ""
    """Column of the file whose labels taught them; empty where none did."""


def other_names(dataset: str, own: Names) -> None:
    """Compare names with all columns of names in the file; those that taught the names come last."""
    info = state.workspace().dataset(dataset)
    columns = [one for one in named_columns(info.columns) if one.column != own.column]
    columns.sort(key=lambda one: one.column == own.learned_from)
    if not any(one.column != own.learned_from for one in columns):
        st.info(
            "No other column of this file names types of cells. Columns of CellTypist, Azimuth, Cell Ranger, SingleR "
            "and scANVI are found by their names, others by what they hold; numbers of clusters are no names."
        )
    if not columns:
        return
    found = {one.column: _compared(dataset, own, one) for one in columns}
    _overview(own, columns, found)
    chosen = pick("Compare with", list(found), key=f"others_{own.title}")
    st.markdown(escaped(_sentence(own, chosen, found[chosen])))
    _map(dataset, own, found[chosen], column=chosen)
    _pairs(dataset, own, found[chosen], column=chosen)


def _compared(dataset: str, own: Names, other: NamedBy) -> NameComparison:
    folder = state.workspace().dataset_folder(dataset)
    labels = cell_labels(folder, other.column)
    relations = relations_of(folder, own.names, labels.names, columns=(own.column, other.column))
    return compare_names(own.codes, labels.codes, relations)


def _overview(own: Names, columns: Sequence[NamedBy], found: dict[str, NameComparison]) -> None:
    rows = [
        {
            "Column": one.column,
            "Written by": one.tool,
            "Second opinion": _opinion(own, one),
            "Cells with both": found[one.column].n_both,
            "Same type (%)": 100 * found[one.column].exact.mean,
            "Same coarse type (%)": 100 * found[one.column].coarse.mean,
            "Coarse by chance (%)": 100 * found[one.column].by_chance,
            "Not comparable": found[one.column].n_unknown,
        }
        for one in columns
    ]
    frame = pd.DataFrame(rows)
    table(frame, key=f"others_table_{own.title}", name="names_compared", column_config=SHORT)
    st.caption(
        "Names are compared by their terms of the Cell Ontology, chosen on the tab with ontology ids, not by their "
        "letters. Same coarse type: both are kinds of one coarse type, or one is a kind of the other. By chance: if "
        "the same names were dealt to the cells anew. Second opinion: whether the two were made apart, as far as the "
        "file tells; tools that read the same expression may be wrong together."
    )


def _opinion(own: Names, other: NamedBy) -> str:
    """Say whether names were made apart from those that they are compared with."""
    if other.column == own.learned_from:
        return "no: it taught the names"
    if own.column and _writer(own.column) == other.tool != AUTHORS:
        return "no: the same tool"
    return "yes"


def _writer(column: str) -> str:
    (found,) = named_columns([ColumnInfo(name=column, kind="label", n_values=0)]) or (None,)
    return found.tool if found else AUTHORS


def _sentence(own: Names, column: str, found: NameComparison) -> str:
    """Say how far two columns agree, on which cells, how sure."""
    n = found.n_both - found.n_unknown
    if not n:
        return f"{own.title} and {column} cannot be compared: the terms of their names are not known."
    said = (
        f"On {counted(n, 'cell')} with a name by {own.title} and in {column}: {_share(found.exact)} have the same "
        f"type, {_share(found.coarse)} the same coarse type ({100 * found.by_chance:.0f} % by chance)."
    )
    if column == own.learned_from:
        said += (
            f" {own.title[0].upper()}{own.title[1:]} learned from labels of {column}, on other cells: this says how "
            "well it learned, and is no second opinion."
        )
    if found.n_unknown:
        said += f" {counted(found.n_unknown, 'cell')} more have names that cannot be compared."
    return said


def _share(one: Interval) -> str:
    known = f" (95 % interval {100 * one.low:.1f} to {100 * one.high:.1f} %)" if one.known else ""
    return f"{100 * one.mean:.1f} %{known}"


def _map(dataset: str, own: Names, found: NameComparison, *, column: str) -> None:
    """Color the cells by how their two names stand to each other."""
    drawn = newest_map(dataset)
    if drawn is None:
        no_map_yet(dataset, key="others_first_map")
        return
    labels = tuple(WORDS[one] for one in RELATIONS)
    look = MapLook(
        palette=category_palette(COLORS),
        labels=labels,
        title=f"{own.title} and {column}",
        missing="without one of the names",
    )
    on_map(drawn, Coloring(codes=category_codes(found.of_cells), look=look), key="others_map")


def _pairs(dataset: str, own: Names, found: NameComparison, *, column: str) -> None:
    """List the pairs of names that are not the same, and offer their cells as a group."""
    labels = cell_labels(state.workspace().dataset_folder(dataset), column)
    shown = found.pairs[:MOST_PAIRS]
    if not shown:
        st.success("No cell has two names that differ.")
        return
    frame = pd.DataFrame(
        {
            f"By {own.title}": [own.names[one.own] for one in shown],
            f"In {column}": [labels.names[one.other] for one in shown],
            "Cells": [one.n_cells for one in shown],
            "Stand to each other": [WORDS[RELATIONS[one.relation]] for one in shown],
        }
    )
    table(frame, key=f"others_pairs_{own.title}", name="names_that_disagree")
    _group(dataset, own, found, labels=labels)
    if found.n_unknown:
        left = sorted({own.names[one.own] for one in found.pairs if one.relation == UNKNOWN})
        st.caption(
            escaped(f"Not comparable for lack of a term: {', '.join(left)}, or the names beside them.")
        )


def _group(dataset: str, own: Names, found: NameComparison, *, labels: Labels) -> None:
    """Offer the cells of one pair of names, or of all names of different types, as a group."""
    differ = np.flatnonzero(found.of_cells == DIFFERENT)
    pairs = {f"{own.names[one.own]} / {labels.names[one.other]}": one for one in found.pairs[:MOST_PAIRS]}
    everyone = ["all cells of different types"] if len(differ) else []
    choice = pick("Cells", [*everyone, *pairs], key=f"others_cells_{own.title}")
    one = pairs.get(choice)
    rows = differ if one is None else np.flatnonzero((own.codes == one.own) & (labels.codes == one.other))
    add_to_group(
        dataset, rows, name=choice if one else f"{own.title} against {labels.column}", key="others_group"
    )
