"""The named groups of a dataset: chosen as chips, then selected, changed, merged, renamed, deleted, taken away."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import count

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.components import state
from pages.components.enrich_link import enrich_group, genes_link
from pages.components.frame import PAGES
from pages.components.group_changes import record_step, step_change, who
from pages.components.selecting import select_on_map
from pages.components.show import escaped
from pages.components.undo import Change
from pages.components.widgets import told_apart
from pages.views.explore.saving import save_groups
from scviz.errors import ScvizError
from scviz.metrics.evidence import counted
from scviz.workspace import DatasetInfo
from scviz.workspace.group_history import Group, History, Step, read_history
from scviz.workspace.groups import (
    LONGEST_NAME,
    How,
    change_group,
    delete_groups,
    group_version,
    intersect_groups,
    merge_groups,
    name_group,
    read_groups,
    rename_group,
)
from scviz.workspace.packed_rows import pack_rows

CHOSEN, PROBLEM = "groups_chosen", "groups_problem"
TO_GROUPS, SELECTED = "to_groups", "Selected cells"
"""Which group the page of groups is to be opened with; what selected cells are called that have no name yet."""
LONGEST_CHIP = 40
BY_SELECTION: Mapping[How, tuple[str, str]] = {
    "add": ("Add selected", "add"),
    "take": ("Take selected away", "remove"),
    "keep": ("Keep only selected", "join_inner"),
}
"""What the selected cells can do to a group: label and icon."""


def drawn_groups(dataset: DatasetInfo) -> History:
    """Read the groups, and keep in the session what its user sees: changes of what is not so any more are refused."""
    history = read_history(state.workspace().dataset_folder(dataset.id))
    state.preset(_drawn(dataset.id), history)
    return history


def earlier_and_later(dataset: DatasetInfo, history: History) -> tuple[Change | None, Change | None]:
    """Return the last change of the groups and the one taken back, by whichever session, as this one can undo them."""
    steps = (history.last, history.next)
    first, second = (step_change(dataset.id, step, step.by) if step else None for step in steps)
    return first, second


def name_form(dataset: DatasetInfo, rows: NDArray[np.int64]) -> None:
    """Name the selected cells, (n,) rows."""
    with st.form("name_group", border=False):
        line = st.columns([3, 2], vertical_alignment="bottom")
        line[0].text_input(
            "Name these cells",
            placeholder="Activated T cells" if len(rows) else "Select cells on a map first",
            key="group_name",
            max_chars=LONGEST_NAME,
            disabled=not len(rows),
        )
        line[1].form_submit_button(
            "Name it",
            key="name_it",
            width="stretch",
            disabled=not len(rows),
            on_click=_name,
            args=(dataset.id, rows),
        )
    problem = state.kept(PROBLEM)
    if problem:
        st.warning(escaped(problem))
        state.keep(PROBLEM, None)


def genes_of_selection(dataset: DatasetInfo, rows: NDArray[np.int64]) -> None:
    """Offer to compare the selected cells, (n,) rows, with all others; they get a name for that, if they have none."""
    name = state.kept(TO_GROUPS)
    if name:
        state.keep(TO_GROUPS, None)
        st.switch_page(PAGES["groups"].file, query_params={**state.link(), "named": name})
    st.button(
        "Genes of these cells",
        key="selection_genes",
        type="tertiary",
        icon=PAGES["groups"].icon,
        help="Which genes tell them from all other cells. They are kept as a named group, which can be undone.",
        on_click=_name_and_go,
        args=(dataset.id, rows),
    )


def _name_and_go(dataset: str, rows: NDArray[np.int64]) -> None:
    """Have a name for cells, (n,) rows, and go on with it."""
    groups = read_history(state.workspace().dataset_folder(dataset)).groups
    same = [one.name for one in groups.values() if one.version == group_version(rows)]
    name = same[0] if same else _free_name(groups)
    if same or _do(dataset, partial(name_group, name=name, rows=rows, replace=False), chosen=[name]):
        state.keep(TO_GROUPS, name)


def _free_name(groups: Mapping[str, Group]) -> str:
    taken = {name.casefold() for name in groups}
    names = (f"{SELECTED} {number}" if number > 1 else SELECTED for number in count(1))
    return next(name for name in names if name.casefold() not in taken)


def named_groups(dataset: DatasetInfo, rows: NDArray[np.int64], history: History) -> None:
    """List the groups; offer what can be done with those that are chosen and with the selected cells, (n,) rows."""
    groups = history.groups
    if not groups:
        st.caption("No group has a name yet. Named groups are offered on every page that asks which cells.")
        return
    state.preset(CHOSEN, [name for name in state.held(CHOSEN) or () if name in groups])
    chips = told_apart(list(groups), lambda name: _chip(groups[name]))
    chosen = st.pills(
        "Named groups",
        list(groups),
        selection_mode="multi",
        format_func=lambda name: escaped(chips(name)),
        key=CHOSEN,
        wrap=True,
        help="Click one to select, change, rename or delete it; several to merge them or find the cells they share.",
    )
    if len(chosen) == 1:
        _one(dataset, groups[chosen[0]], rows)
    elif chosen:
        _several(dataset, {name: groups[name] for name in chosen})
    save_groups(dataset, {name: groups[name] for name in chosen} or groups)


def _one(dataset: DatasetInfo, group: Group, rows: NDArray[np.int64]) -> None:
    name = group.name
    by = f" · named by {group.by}" if group.by else ""
    st.text(
        f"{name}: {counted(group.n_cells, 'cell')} ({100 * group.n_cells / dataset.n_cells:.1f} % of all){by}"
    )
    with st.container(horizontal=True, gap="small"):
        _select(dataset.id, [name])
        for how, (label, icon) in BY_SELECTION.items():
            press = partial(_change_cells, dataset.id, name, rows, how=how)
            _button(label, how, press, icon=icon, off=not len(rows))
        _delete(dataset.id, [name])
        genes_link(name)
        enrich_group(name)
        link = {**state.link(), "subset": name}
        st.page_link(PAGES["qc"].file, label="Subset", icon=":material/content_cut:", query_params=link)
    key = f"rename_{group.version}_{name}"
    line = st.columns([3, 2], vertical_alignment="bottom")
    line[0].text_input("Rename it", name, key=key, max_chars=LONGEST_NAME)
    line[1].button("Rename", key="rename", width="stretch", on_click=_rename, args=(dataset.id, name, key))


def _several(dataset: DatasetInfo, groups: Mapping[str, Group]) -> None:
    names = list(groups)
    st.text(f"{counted(len(names), 'group')}: {', '.join(_short(name) for name in names)}")
    joined = " + ".join(names)[:LONGEST_NAME]
    key = f"joined_{joined}"
    line = st.columns([3, 2], vertical_alignment="bottom")
    line[0].text_input("Name of the merged or shared cells", joined, key=key, max_chars=LONGEST_NAME)
    with line[1]:
        _button(
            "Merge", "merge", partial(_join, dataset.id, names, key, operation=merge_groups), icon="merge"
        )
    with st.container(horizontal=True, gap="small"):
        _select(dataset.id, names)
        shared = partial(_join, dataset.id, names, key, operation=intersect_groups)
        _button("Name the shared cells", "intersect", shared, icon="join_inner")
        _delete(dataset.id, names)


def _button(label: str, key: str, press: Callable[..., None], *, icon: str, off: bool = False) -> None:
    st.button(
        label, key=f"group_{key}", type="tertiary", icon=f":material/{icon}:", on_click=press, disabled=off
    )


def _select(dataset: str, names: Sequence[str]) -> None:
    _button("Select on the map", "select", partial(_select_again, dataset, names), icon="lasso_select")


def _delete(dataset: str, names: Sequence[str]) -> None:
    _button("Delete", "delete", partial(_drop, dataset, names), icon="delete")


def _drop(dataset: str, names: Sequence[str]) -> None:
    _do(dataset, partial(delete_groups, names=names), chosen=())


def _select_again(dataset: str, names: Sequence[str]) -> None:
    cells = read_groups(state.workspace().dataset_folder(dataset))
    members = [cells[name] for name in names if name in cells]
    if members:
        select_on_map(dataset, pack_rows(np.concatenate(members), level=1))


def _name(dataset: str, rows: NDArray[np.int64]) -> None:
    name = str(state.value_of("group_name"))
    if _do(
        dataset, partial(name_group, name=name, rows=rows, replace=False), chosen=[" ".join(name.split())]
    ):
        state.preset("group_name", "")


def _rename(dataset: str, name: str, key: str) -> None:
    into = str(state.value_of(key))
    _do(dataset, partial(rename_group, name=name, into=into), chosen=[" ".join(into.split())])


def _join(dataset: str, names: Sequence[str], key: str, *, operation: Callable[..., Step | None]) -> None:
    into = str(state.value_of(key))
    _do(dataset, partial(operation, names=names, into=into), chosen=[" ".join(into.split())])


def _change_cells(dataset: str, name: str, rows: NDArray[np.int64], *, how: How) -> None:
    _do(dataset, partial(change_group, name=name, rows=rows, how=how), chosen=[name])


def _do(dataset: str, operation: Callable[..., Step | None], *, chosen: Sequence[str]) -> bool:
    """Change the groups as they were drawn; say what went wrong, or note it as a change that can be taken back."""
    seen = state.held(_drawn(dataset))
    try:
        folder = state.workspace().folder_to_change(dataset)
        step = operation(folder, by=who(), seen=seen)
    except ScvizError as error:
        state.keep(PROBLEM, f"{error} {error.hint}")
        return False
    record_step(dataset, step)
    state.preset(CHOSEN, list(chosen))
    return True


def _drawn(dataset: str) -> str:
    return f"groups_drawn_{dataset}"


def _chip(group: Group) -> str:
    return f"{_short(group.name)} · {group.n_cells:,}"


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_CHIP else f"{name[: LONGEST_CHIP - 1]}…"
