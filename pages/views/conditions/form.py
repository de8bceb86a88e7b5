"""Which columns hold types, donors and conditions, and which two conditions are compared."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.components import state
from pages.components.missing import DATA, Missing
from pages.components.show import escaped
from pages.components.widgets import Form
from scviz.metrics.evidence import counted
from scviz.tasks.conditions import Request
from scviz.tasks.conditions.choosing import begin_with, condition_columns, conditions_of, grouping_columns
from scviz.tasks.conditions.inputs import Inputs, gather
from scviz.tasks.same_donors import Same, are_same
from scviz.workspace import CheckpointInfo, DatasetInfo
from scviz.workspace.database import Run


def conditions_form(dataset: DatasetInfo, _: CheckpointInfo | None, run: Run | None) -> Request | Missing:
    """Ask; say what is missing where the file cannot tell."""
    columns, first = grouping_columns(dataset), begin_with(dataset)
    if min(len(columns) - 2, len(condition_columns(dataset))) < 1:
        return _too_few(columns)
    form = Form(Request, "conditions", run)
    condition_key = str(
        form.column(
            "condition_key",
            condition_columns(dataset),
            suggested=first.condition_key,
            needed=bool(first.condition_key),
        )
    )
    if not condition_key:
        return _not_named("conditions", "treatment")
    values = conditions_of(dataset, condition_key)
    if len(values) < 2:
        return Missing(
            reason=f"{condition_key} has one condition; two are compared. Choose another column with conditions."
        )
    asked, against = _two_of(form, values)
    rest = [name for name in columns if name != condition_key]
    donor_key = form.column("donor_key", rest, suggested=first.donor_key, needed=bool(first.donor_key))
    if not donor_key:
        return _not_named("donors or samples", "donor")
    types = [name for name in rest if name != donor_key]
    type_key = form.column("type_key", types, suggested=first.type_key, needed=True)
    same_donors: Same = form.choice("same_donors")
    with st.popover("Advanced", width="stretch"):
        known = dataset.column(str(type_key)).values
        request = Request(
            dataset=dataset.id,
            type_key=str(type_key),
            donor_key=str(donor_key),
            condition_key=condition_key,
            first=asked,
            second=against,
            same_donors=same_donors,
            reference=str(form.column("reference", known)),
            fewest_cells=form.number("fewest_cells"),
            seed=form.number("seed"),
        )
    _donors(request)
    return request


def _two_of(form: Form, values: Sequence[str]) -> tuple[str, str]:
    """Let the user choose a condition, and the one it is compared with."""
    left, right = st.columns(2)
    asked = str(form.column("first", values, left, suggested=values[0], needed=True))
    others = [value for value in values if value != asked]
    return asked, str(form.column("second", others, right, suggested=others[-1], needed=True))


def _too_few(columns: tuple[str, ...]) -> Missing:
    """Say which columns it takes."""
    there = f"This file has {', '.join(columns)}." if columns else "This file has none of them."
    return Missing(
        reason="It takes three columns of cells: the type of each cell, its donor or sample, and its condition, such "
        f"as treated and untreated. {there} Add the missing ones to obs of the file and open it again.",
        page=DATA,
        label="Open a dataset",
    )


def _not_named(what: str, name: str) -> Missing:
    """Leave a column to the user that no name tells: a guess would be compared as if it were true."""
    return Missing(
        reason=f"No column has a name that says it holds {what}, such as {name}. Choose the one that does; without it "
        "conditions cannot be compared donor by donor.",
        page=DATA,
        label="Open another dataset",
    )


def _donors(request: Request) -> None:
    """Say before the run how many donors there are, since that decides what can be answered."""
    names = (request.first, request.second)
    inputs = samples(request)
    design = inputs.design
    if design.enough:
        if design.paired:
            said = f"{counted(len(design.first), 'donor')} in both conditions: each is compared with itself."
        else:
            said = f"{counted(len(design.first), 'donor')} of {names[0]}, {len(design.second):,} others of {names[1]}."
            if inputs.n_both:
                said += f" {counted(inputs.n_both, 'name')} in both, taken for different ones."
        st.caption(escaped(said))
        return
    numbers = [counted(int((inputs.sides == side).sum()), "donor") for side in (0, 1)]
    st.warning(
        escaped(
            f"{numbers[0]} of {names[0]} and {numbers[1]} of {names[1]}: shares are shown, and whether they differ "
            "cannot be told. It takes 2 donors in each condition; if these are not donors, choose another column."
        )
    )


def samples(request: Request) -> Inputs:
    """Look up the sample and the type of each cell."""
    asked = (request.dataset, request.type_key, request.donor_key)
    conditions = (request.condition_key, request.first, request.second)
    return _samples(*asked, conditions=conditions, same=are_same(request.same_donors, request.donor_key))


@st.cache_resource(max_entries=16, show_spinner=False)
def _samples(
    dataset: str, type_key: str, donor_key: str, *, conditions: tuple[str, str, str], same: bool
) -> Inputs:
    request = Request(
        dataset=dataset,
        type_key=type_key,
        donor_key=donor_key,
        condition_key=conditions[0],
        first=conditions[1],
        second=conditions[2],
        same_donors="same" if same else "different",
    )
    return gather(request, state.workspace().dataset_folder(dataset))
