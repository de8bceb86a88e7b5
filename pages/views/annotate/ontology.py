"""Names that others read: the term of the Cell Ontology for each label, offered, chosen, kept and written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.export import copy_with_terms
from pages.components.show import download, errors_in_words, escaped
from scviz.datasets.cell_ontology import SOURCE, coarse, label_of
from scviz.datasets.columns import column_names
from scviz.datasets.label_terms import STANDARD, LabelTerm, label_terms, offered, take_term
from scviz.errors import ScvizError
from scviz.metrics.evidence import counted
from scviz.tasks import exporting
from scviz.workspace.csv_files import frame_csv

NONE = "no term"
PROBLEM = "ontology_problem"
MOST_ROWS = 100
"""Labels that are offered terms on a page; commands take all of them."""


def ontology(dataset: str, labels: Mapping[str, int], *, column: str = "", run: str = "") -> None:
    """Offer the terms of labels, and a copy of the file with those that were chosen.

    Parameters
    ----------
    labels
        Cells of each label.
    column
        Column of the file that the labels are those of.
    run
        Finished run that gave the labels; without one, those of the column are written.
    """
    folder = state.workspace().dataset_folder(dataset)
    shown = sorted(labels, key=lambda name: -labels[name])[:MOST_ROWS]
    found = label_terms(folder, list(labels), column)
    _summary(found, n_left_out=len(labels) - len(shown))
    if state.kept(PROBLEM):
        st.warning(escaped(state.kept(PROBLEM) or ""))
        state.keep(PROBLEM, None)
    by_label = {one.label: one for one in found}
    for place, label in enumerate(shown):
        _row(dataset, by_label[label], labels[label], column=column, place=place)
    st.caption(
        f"{SOURCE}. A label may mean several things; then all are offered and none is taken until you choose. Type an "
        "id or a name into the box to take another term."
    )
    download("CSV of labels and terms", lambda: _csv(found, labels), name="terms.csv", key="ontology_csv")
    with errors_in_words():
        _copy(dataset, found, column=column, run=run)


def _summary(found: Sequence[LabelTerm], *, n_left_out: int) -> None:
    with_term = sum(bool(one.term) for one in found)
    waiting = [one.label for one in found if one.origin == "none"]
    said = f"{with_term} of {counted(len(found), 'label')} have a term of the Cell Ontology"
    said += f"; to be chosen by you: {', '.join(waiting)}." if waiting else "."
    st.markdown(escaped(said))
    if n_left_out:
        st.caption(
            f"The {MOST_ROWS} labels of most cells are shown; the command `ontology` takes all of them."
        )


def _row(dataset: str, one: LabelTerm, n_cells: int, *, column: str, place: int) -> None:
    """Offer the terms of one label."""
    candidates = offered(state.workspace().dataset_folder(dataset), one, column)
    words = {
        candidate.id: f"{candidate.label} · {candidate.id} ({candidate.how})" for candidate in candidates
    }
    key = f"term_{dataset}_{place}_{one.label}"
    if state.held(key) not in {*words, ""}:
        state.preset(key, one.term)
    name, box, how = st.columns([3, 6, 3], vertical_alignment="center")
    name.text(f"{one.label} ({n_cells:,})")
    box.selectbox(
        f"Term of {escaped(one.label)}",
        [*words, ""],
        format_func=lambda term: words.get(term) or term or NONE,
        key=key,
        label_visibility="collapsed",
        accept_new_options=True,
        on_change=_take,
        args=(dataset, one.label, key),
    )
    how.caption(escaped(f"{one.how}{f'; coarse: {label_of(coarse(one.term))}' if one.term else ''}"))


def _take(dataset: str, label: str, key: str) -> None:
    """Keep what was chosen or typed; say what is wrong with it."""
    try:
        term = take_term(state.workspace().folder_to_change(dataset), label, str(state.value_of(key) or ""))
        state.preset(key, term)
    except ScvizError as error:
        state.keep(PROBLEM, f"{error} {error.hint}")
        state.forget(key)


def _csv(found: Sequence[LabelTerm], labels: Mapping[str, int]) -> str:
    rows = [
        {
            "label": one.label,
            "cells": labels[one.label],
            "term": one.term,
            "name": label_of(one.term) if one.term else "",
            "coarse": label_of(coarse(one.term)) if one.term else "",
            "how": one.how,
        }
        for one in found
    ]
    return frame_csv(pd.DataFrame(rows))


def _copy(dataset: str, found: Sequence[LabelTerm], *, column: str, run: str) -> None:
    """Offer a copy of the file with the terms."""
    if not any(one.term for one in found):
        return
    has_standard = STANDARD in column_names(state.workspace().dataset_folder(dataset))
    standard = st.checkbox(
        f"Also as {STANDARD}, where the schema of CELLxGENE has it",
        disabled=has_standard,
        help="The file has its own column of this name; it stays as it is."
        if has_standard
        else "Cells without a term are called unknown there.",
        key=f"ontology_standard_{dataset}_{run}",
    )
    asked = exporting.Request(
        run=run,
        dataset="" if run else dataset,
        column="" if run else column,
        terms=tuple(found),
        standard=standard and not has_standard,
    )
    copy_with_terms(asked)
