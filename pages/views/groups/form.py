"""Which two groups are compared, among which cells, and what counts as a replicate."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from pages.components import state
from pages.components.cells_picker import columns_of
from pages.components.missing import Missing
from pages.components.show import errors_in_words, escaped
from pages.components.widgets import Form, pick
from pages.views.groups.pick_group import REST, group_as, pick_group, sources_of
from pages.views.groups.presets import presets
from scviz.metrics.evidence import counted
from scviz.tasks.filters import Filter
from scviz.tasks.group_genes import METHODS, Method, Request
from scviz.tasks.group_genes.ahead import Ahead, look_ahead
from scviz.workspace import CheckpointInfo, DatasetInfo
from scviz.workspace.database import Run
from scviz.workspace.groups import read_groups
from scviz.workspace.plain_json import parse_plain
from scviz.workspace.records import from_json, to_json

ALL = "all cells"
OF_CELLS: tuple[Method, ...] = ("wilcoxon", "welch")
MANY_CELLS = 100_000
"""From here on comparing cells takes more than seconds."""


def groups_form(dataset: DatasetInfo, _: CheckpointInfo | None, run: Run | None) -> Request | Missing:
    """Ask; what is missing until both groups are named and hold cells enough."""
    form = Form(Request, "group_genes", run)
    _begin(dataset, form)
    presets(dataset)
    sources = sources_of(dataset)
    a = pick_group(dataset, "a", sources, label="Group A")[1]
    source, b = pick_group(dataset, "b", {REST: REST} | sources, label="Compared with (B)")
    within = _within(dataset)
    with st.popover("Advanced", width="stretch"):
        fewest_cells = form.number("fewest_cells")
        covariate = form.column("covariate", columns_of(dataset))
    if a is None or (b is None and source != REST):
        return Missing(reason="Name both groups first.")
    with errors_in_words():
        asked = Request(dataset=dataset.id, a=a, b=b, within=within, fewest_cells=fewest_cells)
        ahead = _ahead(dataset.id, json.dumps(to_json(asked)))
        method, of_donors = _replicates(form, dataset, ahead)
        if reason := _lacking(asked, ahead):
            return Missing(reason=reason)
        rest: dict[str, Any] = {"covariate": covariate, **of_donors} if of_donors else {}
        return Request(
            dataset=dataset.id, a=a, b=b, within=within, fewest_cells=fewest_cells, method=method, **rest
        )
    return Missing(reason="Mend the question first.")


def _begin(dataset: DatasetInfo, form: Form) -> None:
    """Set the widgets to the question of a result that is new here, else to what a link hands in."""
    if form.fresh:
        group_as("a", form.asked("a"))
        group_as("b", form.asked("b"))
        first = next(iter(form.asked("within", ())), None)
        state.preset("groups_within", first["column"] if first else ALL)
        if first:
            state.preset(f"groups_within_{first['column']}", list(first["values"]))
        state.keep("groups_recommended", "as asked")
    _follow(dataset)


def _follow(dataset: DatasetInfo) -> None:
    """Set group A to the cells that a link hands in, where they are here."""
    named, column, value = state.asked("named"), state.asked("a_column"), state.asked("a_value")
    if named:
        here = named in read_groups(state.workspace().dataset_folder(dataset.id))
        group, words = {"named": named}, f"no group named {named}"
    elif column and value:
        here = column in columns_of(dataset) and value in dataset.column(column).values
        group, words = {"column": column, "value": value}, f"no {value} in {column}"
    else:
        return
    if here:
        group_as("a", group)
    else:
        state.left_out(f"The link asks for cells that are not here: {words[:120]}. Choose others.")


def _within(dataset: DatasetInfo) -> tuple[Filter, ...]:
    """Let the user compare within one type, or several."""
    column = pick(
        "Within",
        [ALL, *columns_of(dataset)],
        help="Only these cells are looked at, such as one type of cells.",
        key="groups_within",
    )
    if column == ALL:
        return ()
    options, key = dataset.column(column).values, f"groups_within_{column}"
    held = state.held(key)
    if held is None or not set(held) <= set(options):
        state.preset(key, list(options[:1]))
    values = tuple(st.multiselect(f"Which {escaped(column)}", options, key=key, persist_state="session"))
    return (Filter(column=column, values=values),) if values else ()


@st.cache_data(max_entries=256)
def _ahead(dataset: str, asked: str) -> Ahead:  # noqa: ARG001 - cached for each dataset
    return look_ahead(from_json(Request, parse_plain(asked, name="The question")), state.workspace())


def _lacking(asked: Request, ahead: Ahead) -> str:
    """Say how many cells each group has among those looked at; returns what speaks against a run."""
    for word, name, n_cells in zip("AB", (asked.a.words, asked.other), ahead.n_cells, strict=True):
        st.caption(escaped(f"{word}: {name}, {counted(n_cells, 'cell')}"))
    if ahead.n_shared:
        return f"{counted(ahead.n_shared, 'cell')} would be in both groups: choose groups without cells in common."
    if min(ahead.n_cells) < asked.fewest_cells:
        return (
            f"A group needs {asked.fewest_cells:,} cells or more: choose a larger one, or allow smaller ones."
        )
    return ""


def _replicates(form: Form, dataset: DatasetInfo, ahead: Ahead) -> tuple[Method, dict[str, str]]:
    """Recommend donors as replicates where there are enough of them; returns the method and what it asks of donors."""
    possible = bool(ahead.donors) and dataset.counts.how != "relative expression"
    best: Method = "deseq2" if possible else "wilcoxon"
    if state.kept("groups_recommended") not in (best, "as asked"):
        state.preset(form.key("method"), best)
    state.keep("groups_recommended", best)
    method: Method = form.choice("method", options=[*(["deseq2"] if possible else []), *OF_CELLS])
    if not possible:
        st.caption(
            "Every cell counts as a replicate: no column has two or more donors or samples, with cells enough, in "
            "both groups. p values then say nothing about other donors."
            if not ahead.donors
            else "Every cell counts as a replicate: DESeq2 compares donors by counts of molecules, which this dataset "
            "does not hold."
        )
        return method, {}
    if method != "deseq2":
        (column, (n, m)), *_ = ahead.donors.items()
        st.warning(
            escaped(
                f"Recommended: {METHODS['deseq2']}; {column} has {n:,} and {m:,}. With cells as replicates, cells of "
                "one donor count as if they were independent, and p values are too small."
            )
        )
        return method, {}
    donor = form.column("donor", list(ahead.donors), needed=True)
    n, m = ahead.donors[str(donor)]
    st.caption(f":green-badge[Recommended] Donors as replicates: {n:,} in A, {m:,} in B.")
    return method, {"donor": str(donor), "same_donors": form.choice("same_donors")}


def takes_long(request: Request) -> bool:
    """Tell whether a comparison takes so long that its time is estimated first."""
    return request.method == "deseq2" or state.workspace().dataset(request.dataset).n_cells >= MANY_CELLS
