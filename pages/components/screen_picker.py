"""Which column says what was perturbed, and what was understood of it."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.missing import Missing
from pages.components.show import escaped
from pages.components.widgets import Form
from scviz.datasets.conditions import (
    FEWEST_CELLS,
    Conditions,
    Reading,
    conditions_of,
    guess_screen_column,
    read_values,
    symbols_in,
)
from scviz.datasets.confounding import confounded_factors
from scviz.datasets.screen import CONTROL, Perturbation, label
from scviz.metrics.evidence import counted
from scviz.workspace import DatasetInfo

FEWEST_PERTURBATIONS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenChoice:
    """The column and what it says."""

    column: str
    control: str
    """Value that is control; empty where its name says so."""
    conditions: Conditions
    n_cells: dict[Perturbation, int]
    """Of each perturbation with enough cells, and of control."""

    @property
    def perturbations(self) -> tuple[Perturbation, ...]:
        """What can be learned and predicted, sorted."""
        return tuple(sorted(one for one in self.n_cells if one != CONTROL))


@st.cache_resource(max_entries=32)
def _conditions(dataset: str, column: str, control: str) -> Conditions:
    return conditions_of(state.workspace().dataset_folder(dataset), column, control)


@st.cache_resource(max_entries=32)
def guessed_column(dataset: str) -> str | None:
    """Name the column of a dataset that most likely says what was perturbed; None where none does."""
    info = state.workspace().dataset(dataset)
    return guess_screen_column(state.workspace().dataset_folder(dataset), info.columns)


def pick_screen(dataset: DatasetInfo, form: Form) -> ScreenChoice | Missing:
    """Let the user name the column and the control; what is missing where they make no screen."""
    columns = [column.name for column in dataset.columns if column.values]
    if not columns:
        return Missing(
            reason="This dataset has no column of words, so nothing says what was perturbed.", screen=True
        )
    _begin_with_guess(dataset, form, columns)
    row = st.columns(2)
    column = str(form.column("column", columns, row[0]))
    values = [one.value for one in _conditions(dataset.id, column, "").readings]
    control = str(form.column("control", values, row[1]))
    conditions = _conditions(dataset.id, column, control)
    counts = conditions.n_cells
    enough = {one: n for one, n in counts.items() if n >= FEWEST_CELLS}
    choice = ScreenChoice(column=column, control=control, conditions=conditions, n_cells=enough)
    _what_was_understood(choice)
    if len(choice.perturbations) < FEWEST_PERTURBATIONS or CONTROL not in enough:
        return _no_screen(dataset, choice, counts.get(CONTROL, 0))
    _say_factors(dataset, choice)
    return choice


def _begin_with_guess(dataset: DatasetInfo, form: Form, columns: list[str]) -> None:
    """Set the column to the one that looks like a screen, unless one is chosen."""
    guess = guessed_column(dataset.id)
    if guess is not None and state.held(form.key("column")) not in columns:
        state.preset(form.key("column"), guess)


def _no_screen(dataset: DatasetInfo, choice: ScreenChoice, n_control: int) -> Missing:
    """Say why a column is no screen, and what one looks like."""
    found = f"{counted(len(choice.perturbations), 'perturbation')} and {counted(n_control, 'control cell')}"
    if guessed_column(dataset.id) is not None:
        return Missing(reason=f"{found} make no screen. Choose another column or control.", screen=True)
    return Missing(
        reason="No column of this dataset looks like a screen: it would name the perturbed gene of each cell, such as "
        f"STAT1+ctrl, and control cells. {choice.column} has {found}.",
        screen=True,
    )


def _say_factors(dataset: DatasetInfo, choice: ScreenChoice) -> None:
    for sentence in _factors(dataset.id, choice.column, choice.control):
        st.caption(f":material/warning: {escaped(sentence)}")


@st.cache_resource(max_entries=32)
def _factors(dataset: str, column: str, control: str) -> tuple[str, ...]:
    """Say on which other columns control cells differ from perturbed ones."""
    info, folder = state.workspace().dataset(dataset), state.workspace().dataset_folder(dataset)
    found = confounded_factors(folder, _conditions(dataset, column, control), columns=info.columns)
    return tuple(one.sentence for one in found)


def _what_was_understood(choice: ScreenChoice) -> None:
    n_pairs = sum(len(one) > 1 for one in choice.perturbations)
    lost = choice.conditions.n_left_out
    words = f"{counted(len(choice.perturbations) - n_pairs, 'single gene')}, {counted(n_pairs, 'pair')}, "
    words += counted(choice.n_cells.get(CONTROL, 0), "control cell")
    with st.popover(words + (f"; {lost:,} left out" if lost else ""), type="tertiary"):
        rows = [
            {
                "value": one.value,
                "cells": one.n_cells,
                "perturbed": "" if one.perturbation is None else label(one.perturbation),
                "remark": one.reason,
            }
            for one in choice.conditions.readings
        ]
        st.dataframe(pd.DataFrame(rows), hide_index=True, height=320, key="readings")
    for note in choice.conditions.notes:
        st.caption(escaped(note))


def ask_for_more(dataset: DatasetInfo, choice: ScreenChoice, form: Form) -> tuple[Perturbation, ...]:
    """Let the user name perturbations that the screen does not hold."""
    if form.fresh:
        state.preset("predict_also", ", ".join("+".join(one) for one in form.asked("predict_also", ())))
    text = st.text_input(
        "Predict also",
        placeholder="GENE, GENE1+GENE2, …",
        help="Perturbations that the screen does not hold. There is nothing to judge them by.",
        key="predict_also",
    )
    asked: list[Perturbation] = []
    for one in _read(text, dataset):
        if one.perturbation is None or len(one.perturbation) not in (1, 2):
            st.caption(f":material/close: {escaped(one.value)}: {escaped(one.reason or 'names no gene.')}")
        elif one.perturbation in choice.n_cells:
            st.caption(f":material/close: {escaped(one.value)} is in the screen.")
        elif one.perturbation not in asked:
            asked.append(one.perturbation)
    return tuple(asked)


def _read(text: str, dataset: DatasetInfo) -> list[Reading]:
    """Read what is named with commas between."""
    parts = [part.strip() for part in text.replace(";", ",").split(",") if part.strip()]
    return read_values(parts, symbols_in(state.workspace().dataset_folder(dataset.id)))
