"""Filters of cells by values: what does not pass is grey on all maps; each histogram shows what passes the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from html import escape

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.components import state
from pages.components.gene_search import gene_search
from pages.components.group_changes import record_step, who
from pages.components.show import errors_in_words, escaped
from pages.components.undo import watch
from scviz.datasets.cell_filter import (
    Condition,
    Kind,
    Passing,
    Values,
    even_ends,
    histogram,
    passing,
    values_of,
)
from scviz.datasets.columns import cell_column
from scviz.datasets.filter_text import filters_from_text, filters_to_text
from scviz.datasets.gene_index import gene_index
from scviz.errors import ScvizError
from scviz.metrics.evidence import counted
from scviz.workspace import DatasetInfo
from scviz.workspace.groups import LONGEST_NAME, name_group

BESIDE = 3
"""Filters in a row."""
MOST_TOGGLES = 30
"""Categories that have a button each; more are left out by a list."""
LINK = "filters"
"""What addresses call them."""


def cell_filter(dataset: DatasetInfo) -> NDArray[np.bool_] | None:
    """Let the user filter cells; filters stand in the address, and their changes can be taken back.

    Returns
    -------
    (N,) whether each cell passes, for `cell_map`; None where all do.
    """
    with st.expander("Filter cells", icon=":material/filter_alt:", key="cell_filter"):
        _follow(dataset)
        asked = _asked(dataset)
        if not asked:
            _note(dataset, ())
            st.caption(
                "Add a column or a gene. Cells that do not pass turn grey on every map; none is dropped."
            )
            return None
        values = [_values(dataset, kind, name) for kind, name in asked]
        conditions = [_held(dataset, one, given) for one, given in zip(asked, values, strict=True)]
        _note(dataset, tuple(conditions))
        found = passing(conditions, values)
        for start in range(0, len(asked), BESIDE):
            places = st.columns(BESIDE, border=True)
            for at, place in enumerate(places[: len(asked) - start], start):
                with place:
                    _one(dataset, asked[at], values=values[at], others=found.others[at])
        _what_passes(dataset, conditions, found)
        return None if found.n == dataset.n_cells else found.passes


def _values(dataset: DatasetInfo, kind: Kind, name: str) -> Values:
    folder = state.workspace().dataset_folder(dataset.id)
    return values_of(folder, kind, name, n_cells=dataset.n_cells)


def _follow(dataset: DatasetInfo) -> None:
    """Set the filters that a link names when the page is opened, and those of before when it comes back."""
    key = f"filters_{dataset.id}"
    if state.held(key) is None:
        _set(dataset, _linked(dataset))
        return
    for one in _read(state.kept(f"{key}_text") or ""):
        asked = (one.kind, one.name) in (state.held(key) or ())
        if asked and state.held(_key(dataset, one.kind, one.name)) is None:
            state.preset(_key(dataset, one.kind, one.name), _on_page(dataset, one))


def _linked(dataset: DatasetInfo) -> Sequence[Condition]:
    """Return the filters that a link names, as far as these cells have them: one of each column and gene."""
    wanted = _read(state.from_link(LINK))
    found = [one for one in (_there(dataset, one) for one in wanted) if one]
    if len(found) < len(wanted):
        state.left_out("Some filters of the link name columns or genes that these cells do not have.")
    there = {(one.kind, one.name): one for one in found}
    if len(there) < len(found):
        state.left_out("The link filters by a column or a gene more than once; the last of them holds.")
    return tuple(there.values())


def _read(text: str) -> tuple[Condition, ...]:
    try:
        return filters_from_text(text)
    except ScvizError as error:
        state.left_out(f"{error} {error.hint}")
        return ()


def _there(dataset: DatasetInfo, one: Condition) -> Condition | None:
    """Return a condition that these cells can meet or not; None where they have no such column or gene."""
    if one.kind == "gene":
        gene = gene_index(state.workspace().dataset_folder(dataset.id)).named(one.name)
        return replace(one, name=gene) if gene else None
    kinds = ("number",) if one.kind == "number" else ("label", "batch", "category")
    return one if one.name in dataset.columns_of(*kinds) else None


def _note(dataset: DatasetInfo, conditions: tuple[Condition, ...]) -> None:
    """Put the filters into the address, and note their change."""
    text = filters_to_text(conditions)
    state.put(LINK, text or None)
    state.keep(f"filters_{dataset.id}_text", text)
    said = ", ".join(one.words or f"{one.name}, all of it" for one in conditions)
    what = f"Filtered by {said}" if said else "Took all filters away"
    watch(dataset.id, LINK, conditions, what=what, go=partial(_set, dataset))


def _set(dataset: DatasetInfo, conditions: Sequence[Condition]) -> bool:
    """Set all filters; always True."""
    key = f"filters_{dataset.id}"
    for kind, name in state.held(key) or ():
        state.forget(_key(dataset, kind, name))
    state.preset(key, [(one.kind, one.name) for one in conditions])
    for one in conditions:
        state.preset(_key(dataset, one.kind, one.name), _on_page(dataset, one))
    return True


def _on_page(dataset: DatasetInfo, one: Condition) -> object:
    """Return what the widget of a condition holds."""
    given = _values(dataset, one.kind, one.name)
    if given.names:
        left_out = [name for name in given.names if name in one.left_out]
        stay = [name for name in given.names if name not in one.left_out]
        return left_out if len(given.names) > MOST_TOGGLES else stay
    low, high, _ = even_ends(*given.span)
    first, last = (min(max(end, low), high) for end in (one.low, one.high))
    return min(first, last), last


def _asked(dataset: DatasetInfo) -> list[tuple[Kind, str]]:
    """Ask for columns and genes to filter by; those that are there already stay."""
    key, gene = f"filters_{dataset.id}", str(state.held("filter_gene") or "")
    if gene:
        state.preset("filter_gene", "")
        _add(key, "gene", gene)
    asked: list[tuple[Kind, str]] = list(state.held(key) or [])
    taken = {name for kind, name in asked if kind != "gene"}
    columns = [one for one in dataset.columns_of("label", "batch", "category", "number") if one not in taken]
    row = st.columns([3, 3, 6], vertical_alignment="bottom")
    box = f"{key}_column"
    row[0].selectbox(
        "Add a column", columns, index=None, key=box, on_change=_add_column, args=(dataset, key, box)
    )
    with row[1]:
        gene_search(dataset, "filter_gene", label="Add a gene", empties=True)
    return asked


def _add(key: str, kind: Kind, name: str) -> None:
    asked = list(state.held(key) or [])
    state.preset(key, asked if (kind, name) in asked else [*asked, (kind, name)])


def _add_column(dataset: DatasetInfo, key: str, box: str) -> None:
    column = str(state.value_of(box) or "")
    if column:
        described = cell_column(state.workspace().dataset_folder(dataset.id), column)
        _add(key, "number" if described.categories is None else "category", column)
        state.preset(box, None)


def _remove(dataset: DatasetInfo, *gone: tuple[Kind, str]) -> None:
    key = f"filters_{dataset.id}"
    state.preset(key, [one for one in state.held(key) or () if one not in gone])
    for kind, name in gone:
        state.forget(_key(dataset, kind, name))


def _key(dataset: DatasetInfo, kind: Kind, name: str) -> str:
    return f"filter_{dataset.id}_{kind}_{name}"


def _held(dataset: DatasetInfo, one: tuple[Kind, str], given: Values) -> Condition:
    """Read a condition from its widget, which is drawn later: the histograms of the others need it before."""
    kind, name = one
    held = state.held(_key(dataset, kind, name))
    if given.names:
        if len(given.names) > MOST_TOGGLES:
            return Condition(kind=kind, name=name, left_out=tuple(held or ()))
        stay = given.names if held is None else held
        return Condition(
            kind=kind, name=name, left_out=tuple(value for value in given.names if value not in stay)
        )
    low, high = given.span
    ends = held or (low, high)
    return Condition(
        kind=kind,
        name=name,
        low=ends[0] if ends[0] > low else -np.inf,
        high=ends[1] if ends[1] < high else np.inf,
    )


def _one(dataset: DatasetInfo, one: tuple[Kind, str], *, values: Values, others: NDArray[np.bool_]) -> None:
    """Draw one filter: its histogram of (N,) cells that pass the others, and what may pass."""
    kind, name = one
    key = _key(dataset, kind, name)
    top = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    top.markdown(f"**{escaped(name)}**" + (" log expression" if kind == "gene" else ""))
    top.button(
        "Remove",
        icon=":material/close:",
        type="tertiary",
        key=f"{key}_remove",
        on_click=_remove,
        args=(dataset, one),
    )
    everywhere, here = histogram(values, np.ones_like(others)), histogram(values, others)
    if values.names:
        st.html(_rows(values.names, everywhere, here))
        _toggles(values.names, key)
    else:
        st.html(_bars(everywhere, here, name))
        low, high, step = even_ends(*values.span)
        if state.held(key) is None:
            state.preset(key, (low, high))
        st.slider("Range", low, high, step=step, key=key, label_visibility="collapsed", format="%.4g")


def _toggles(names: Sequence[str], key: str) -> None:
    if len(names) > MOST_TOGGLES:
        st.multiselect("Leave out", names, key=key)
    else:
        if state.held(key) is None:
            state.preset(key, list(names))
        st.pills(
            "What passes",
            names,
            selection_mode="multi",
            format_func=escaped,
            key=key,
            label_visibility="collapsed",
            wrap=True,
        )


def _color() -> str:
    return "#4FB3D9" if state.dark() else "#0B6E99"


def _bars(everywhere: NDArray[np.int64], here: NDArray[np.int64], name: str) -> str:
    """Draw counts of all cells and of those that pass the others, (B,) each, as upright bars."""
    heights = np.sqrt(np.stack([everywhere, here]) / max(1, int(everywhere.max())))
    bars = "".join(
        f'<i style="flex:1;height:{100 * whole:.1f}%;background:linear-gradient(to top,{_color()} '
        f'{100 * part / max(whole, 1e-9):.1f}%,rgba(128,128,128,.35) 0)"></i>'
        for whole, part in heights.T.tolist()
    )
    return (
        f'<div role="img" aria-label="Histogram of {escape(name)}: {int(here.sum()):,} cells pass the other filters" '
        f'title="Height: square root of cells. Grey: all cells; color: those that pass the other filters." '
        f'style="display:flex;align-items:flex-end;gap:1px;height:56px;padding:0 7px">{bars}</div>'
    )


def _rows(names: Sequence[str], everywhere: NDArray[np.int64], here: NDArray[np.int64]) -> str:
    """Draw the same for categories, (K,) each, as a row of each."""
    most = max(1, int(everywhere.max()))
    rows = "".join(
        f'<div style="display:grid;grid-template-columns:minmax(0,9em) 1fr auto;gap:8px;align-items:center">'
        f'<span style="overflow:hidden;text-overflow:ellipsis;white-space:nowrap" title="{escape(name)}">{escape(name)}'
        f'</span><i style="height:8px;width:{100 * whole / most:.1f}%;background:linear-gradient(to right,{_color()} '
        f'{100 * part / max(whole, 1):.1f}%,rgba(128,128,128,.35) 0)"></i><span>{part:,} of {whole:,}</span></div>'
        for name, whole, part in zip(names, everywhere.tolist(), here.tolist(), strict=True)
    )
    return f'<div style="max-height:150px;overflow-y:auto;font-size:.8rem">{rows}</div>'


def _what_passes(dataset: DatasetInfo, conditions: Sequence[Condition], found: Passing) -> None:
    """Count what passes, and offer it as a named group."""
    row = st.columns([4, 4, 2, 2], vertical_alignment="bottom")
    row[0].markdown(f"**{found.n:,} of {counted(dataset.n_cells, 'cell')} pass**")
    words = ", ".join(one.words for one in conditions if one.words)
    key = f"filter_name_{dataset.id}_{words[:80]}"
    name = row[1].text_input("Name of the group", words[:80], key=key, max_chars=LONGEST_NAME)
    off = not words or not name.strip() or not found.n
    if row[2].button("Name the group", key="filter_group", disabled=off):
        _name(dataset, name, np.flatnonzero(found.passes))
    every = tuple((one.kind, one.name) for one in conditions)
    row[3].button(
        "Clear filters", key="filter_clear", type="tertiary", on_click=_remove, args=(dataset, *every)
    )


def _name(dataset: DatasetInfo, name: str, rows: NDArray[np.int64]) -> None:
    """Name the cells that pass, (n,) rows; a group of this name stays as it is."""
    with errors_in_words():
        folder = state.workspace().folder_to_change(dataset.id)
        record_step(dataset.id, name_group(folder, name, rows, replace=False, by=who()))
        st.toast(f"{counted(len(rows), 'cell')} named {escaped(name)}.")
        st.rerun()
