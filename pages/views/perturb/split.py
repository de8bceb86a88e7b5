"""What is held out of a screen."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from pages.components import state
from pages.components.missing import Missing
from pages.components.screen_picker import ScreenChoice
from pages.components.widgets import Form, told_apart
from scviz.datasets.own_split import LAYOUT, OwnSplit, says_parts, split_of_column, split_of_text
from scviz.datasets.perturbation_split import PerturbationSplit, custom_split, split_perturbations
from scviz.errors import ScvizError
from scviz.metrics.evidence import counted
from scviz.tasks.perturbation import SPLITS, Split
from scviz.workspace import DatasetInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """A kind of split, and what it gives."""

    kind: Split
    split: PerturbationSplit


def pick_split(dataset: DatasetInfo, choice: ScreenChoice, form: Form, *, seed: int) -> Picked | Missing:
    """Let the user choose what is held out, among the splits that leave something to judge by."""
    possible = _possible(choice, seed)
    kind: Split = form.choice("split", options=[*possible, "own"])
    if kind == "own":
        own = _own(dataset, choice, form)
        if isinstance(own, Missing):
            return own
        split = custom_split(choice.perturbations, test=own.test, validation=own.validation)
    else:
        split = possible[kind]
    st.caption(
        f"{counted(len(split.train) - 1, 'perturbation')} to learn from, {len(split.validation)} to stop by, "
        f"{len(split.test)} to judge by."
    )
    return Picked(kind=kind, split=split)


def _possible(choice: ScreenChoice, seed: int) -> dict[Split, PerturbationSplit]:
    found: dict[Split, PerturbationSplit] = {}
    for kind in SPLITS:
        if kind == "own":
            continue
        try:
            found[kind] = split_perturbations(choice.perturbations, kind, seed=seed)
        except ScvizError:
            continue
    return found


def _own(dataset: DatasetInfo, choice: ScreenChoice, form: Form) -> OwnSplit | Missing:
    """Read the split of a file or of a column; else that of the result beside."""
    folder = state.workspace().dataset_folder(dataset.id)
    file = st.file_uploader(
        "Perturbation and part", type=["csv", "tsv", "txt"], max_upload_size=20, help=LAYOUT, key="split_file"
    )
    columns = [one.name for one in dataset.columns if says_parts(one.values)]
    column = st.selectbox(
        "Or a column that says the part",
        ["", *columns],
        format_func=told_apart(["", *columns], lambda name: name or "none"),
        key="split_column",
    )
    if file is not None:
        return split_of_text(file.getvalue().decode("utf-8", "replace"), folder)
    if column:
        return split_of_column(folder, column, perturbations=choice.column, control=choice.control)
    asked = _as_asked(form)
    if not asked.test:
        return Missing(
            reason="Give a file, or choose a column that says which perturbations are train, validation or test."
        )
    return asked


def _as_asked(form: Form) -> OwnSplit:
    """Return the split of the result beside; it is empty where that has none of its own."""
    test, validation = (tuple(tuple(one) for one in form.asked(name, ())) for name in ("held_out", "stop_by"))
    return OwnSplit(test=test, validation=validation)
