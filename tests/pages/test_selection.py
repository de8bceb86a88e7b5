"""The panel of the selected cells and the named groups."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from anndata import AnnData
from streamlit.testing.v1 import AppTest

from pages.components.text import escaped
from scviz.datasets.readers import open_file
from scviz.jobs.queue import RunQueue
from scviz.settings import Settings
from scviz.workspace import Workspace
from scviz.workspace.group_history import Step, read_history
from scviz.workspace.groups import delete_groups, name_group, read_groups, undo
from scviz.workspace.packed_rows import unpack_rows
from tests.pages.test_pages import words


@pytest.fixture(autouse=True)
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server whose workspace is in tmp_path/home."""
    monkeypatch.setenv("SCVIZ_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(st, "page_link", lambda *_, **__: None)  # the script has no other pages to link to
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def script(dataset: str) -> None:
    """A page that is the panel alone; its rows stand for what a map says is selected."""
    import numpy as np
    import streamlit as st

    from pages.components import state
    from pages.components.selecting import follow_selection, given_on
    from pages.views.explore.selection import show_selection
    from scviz.workspace.packed_rows import unpack_rows

    info = state.workspace().dataset(dataset)
    follow_selection(info)
    given = given_on(info, np.arange(info.n_cells))
    if given and given[-1].id and given[-1].id != st.session_state.get("taken"):  # what the browser would do
        st.session_state["taken"] = given[-1].id
        st.session_state["rows"] = unpack_rows(given[-1].bits).tolist()
    show_selection(info, np.array(st.session_state.get("rows", []), dtype=np.int64))


class Panel:
    """One browser tab with the panel."""

    def __init__(self, home: Path, dataset: str, link: str = "") -> None:
        self.home, self.dataset = home, dataset
        self.folder = Workspace(home).dataset_folder(dataset)
        self.at = AppTest.from_function(script, default_timeout=600, kwargs={"dataset": dataset})
        if link:
            self.at.query_params["selection"] = link
        self.at.run()

    def select(self, *rows: int) -> None:
        self.at.session_state["rows"] = list(rows)
        self.run()

    def run(self) -> None:
        self.at.run()
        assert not self.at.exception

    def press(self, key: str) -> None:
        self.at.button(key=key).click()
        self.run()

    def name(self, name: str) -> None:
        self.at.text_input(key="group_name").set_value(name)
        self.press("name_it")

    def choose(self, *names: str) -> None:
        self.at.session_state["groups_chosen"] = list(names)
        self.run()

    @property
    def selected(self) -> list[int]:
        return list(self.at.session_state["rows"])

    @property
    def link(self) -> str:
        found = self.at.query_params.get("selection", "")
        return found if isinstance(found, str) else found[0]

    @property
    def groups(self) -> dict[str, list[int]]:
        return {name: rows.tolist() for name, rows in read_groups(self.folder).items()}

    @property
    def said(self) -> str:
        return " ".join(toast.value for toast in self.at.toast)


@pytest.fixture
def panel(workspace: Workspace, adata: AnnData, tmp_path: Path) -> Panel:
    adata.write_h5ad(tmp_path / "cells.h5ad")
    return Panel(workspace.home, open_file(tmp_path / "cells.h5ad", workspace, name="cells").id)


def test_selecting_and_naming_are_taken_back_and_done_again_in_their_order(panel: Panel) -> None:
    assert panel.at.button(key="undo_change").disabled
    panel.select(1, 2, 3)
    panel.select(4, 5)
    panel.name("mine")
    assert panel.groups == {"mine": [4, 5]}
    assert "mine: 2 cells (3.3 % of all)" in words(panel.at)
    assert panel.at.text_input(key="group_name").value == ""
    panel.press("undo_change")
    assert (panel.groups, panel.selected) == ({}, [4, 5])
    assert panel.said == escaped("Undone: Named “mine” (2 cells)")
    panel.press("undo_change")
    assert panel.selected == [1, 2, 3]
    panel.press("undo_change")
    assert panel.selected == []
    assert panel.at.button(key="undo_change").disabled
    for selected, groups in (([1, 2, 3], {}), ([4, 5], {}), ([4, 5], {"mine": [4, 5]})):
        panel.press("redo_change")
        assert (panel.selected, panel.groups) == (selected, groups)
    assert panel.at.button(key="redo_change").disabled


def test_a_new_selection_forgets_what_was_taken_back(panel: Panel) -> None:
    panel.select(1)
    panel.select(2)
    panel.press("undo_change")
    panel.select(3)
    assert panel.at.button(key="redo_change").disabled
    panel.press("undo_change")
    assert panel.selected == [1]


def test_a_page_that_goes_and_comes_back_is_no_change(panel: Panel) -> None:
    panel.select(1)
    panel.select()
    panel.select(1)
    panel.press("undo_change")
    assert panel.selected == []


def test_a_chosen_group_is_selected_again_changed_renamed_and_deleted(panel: Panel) -> None:
    name_group(panel.folder, "T <b>cells</b>", np.arange(6))
    panel.choose("T <b>cells</b>")
    panel.press("group_select")
    assert panel.selected == [0, 1, 2, 3, 4, 5]
    panel.select(5, 6)
    panel.press("group_add")
    assert panel.groups == {"T <b>cells</b>": [0, 1, 2, 3, 4, 5, 6]}
    panel.press("group_take")
    assert panel.groups == {"T <b>cells</b>": [0, 1, 2, 3, 4]}
    panel.select(0, 1, 9)
    panel.press("group_keep")
    assert panel.groups == {"T <b>cells</b>": [0, 1]}
    (field,) = [one for one in panel.at.text_input if one.label == "Rename it"]
    field.set_value("T")
    panel.press("rename")
    assert panel.groups == {"T": [0, 1]}
    assert panel.at.session_state["groups_chosen"] == ["T"]
    panel.press("group_delete")
    assert panel.groups == {}
    for groups in ({"T": [0, 1]}, {"T <b>cells</b>": [0, 1]}):
        panel.press("undo_change")
        assert panel.groups == groups


def test_several_groups_are_merged_and_their_shared_cells_named(panel: Panel) -> None:
    name_group(panel.folder, "A", np.array([1, 2, 3]))
    name_group(panel.folder, "B", np.array([3, 4]))
    panel.choose("A", "B")
    panel.press("group_select")
    assert panel.selected == [1, 2, 3, 4]
    (field,) = [one for one in panel.at.text_input if one.label.startswith("Name of the merged")]
    assert field.value == "A + B"
    field.set_value("both")
    panel.press("group_intersect")
    assert panel.groups == {"A": [1, 2, 3], "B": [3, 4], "both": [3]}
    panel.choose("A", "B")
    panel.press("group_merge")
    assert panel.groups == {"A + B": [1, 2, 3, 4], "both": [3]}


def test_a_name_that_is_taken_is_kept_for_mending(panel: Panel) -> None:
    name_group(panel.folder, "Mine", np.array([1]))
    panel.select(4, 5)
    panel.name("mine")
    assert "There is a group “Mine” already" in panel.at.warning[0].value
    assert panel.at.text_input(key="group_name").value == "mine"
    assert panel.groups == {"Mine": [1]}


def test_a_second_tab_is_told_and_overwrites_nothing(panel: Panel) -> None:
    panel.select(1, 2)
    panel.name("A")
    other = Panel(panel.home, panel.dataset)
    other.choose("A")
    delete_groups(panel.folder, ["A"])
    name_group(panel.folder, "A", np.array([7]), by="ann@lab.org")
    other.press("group_delete")
    assert "changed elsewhere since this page was drawn, so nothing was done" in words(other.at)
    assert panel.groups == {"A": [7]}
    panel.press("undo_change")
    assert "The groups were changed since, so nothing was taken back" in panel.said
    assert panel.groups == {"A": [7]}


def test_undo_takes_back_what_its_label_says_and_nothing_of_others(panel: Panel) -> None:
    panel.select(1, 2)
    panel.name("X")
    name_group(panel.folder, "Y", np.array([7]), by="ben@lab.org")
    panel.run()
    assert "Y" in panel.at.pills(key="groups_chosen").options[1]  # this page shows the other's group by now
    assert "Named “X”" in panel.at.button(key="undo_change").help
    panel.press("undo_change")
    assert panel.groups == {"X": [1, 2], "Y": [7]}
    assert "nothing was taken back" in panel.said
    assert "“Y”" in panel.said
    assert escaped("ben@lab.org") in panel.said
    undo(panel.folder)
    panel.press("undo_change")
    assert panel.groups == {}
    name_group(panel.folder, "Z", np.array([8]))
    panel.press("redo_change")
    assert panel.groups == {"Z": [8]}
    assert "cannot be done again any more" in panel.said


def test_what_others_do_between_a_press_and_its_note_is_not_taken_for_it(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def name_and_be_overtaken(folder: Path, **more: Any) -> Step | None:
        step = name_group(folder, **more)
        name_group(folder, "Y", np.array([7]), by="ben@lab.org")
        return step

    monkeypatch.setattr("pages.views.explore.groups.name_group", name_and_be_overtaken)
    panel.select(1, 2)
    panel.name("X")
    assert "Named “X”" in panel.at.button(key="undo_change").help
    panel.press("undo_change")
    assert panel.groups == {"X": [1, 2], "Y": [7]}


def test_another_session_takes_back_what_an_earlier_one_named(panel: Panel) -> None:
    panel.select(1, 2)
    panel.name("A")
    later = Panel(panel.home, panel.dataset)
    assert "Named “A”" in later.at.button(key="undo_change").help
    later.press("undo_change")
    assert later.groups == {}
    later.press("redo_change")
    assert later.groups == {"A": [1, 2]}
    assert read_history(panel.folder).number == 3


def test_the_composition_counts_named_groups_too(panel: Panel) -> None:
    name_group(panel.folder, "A", np.array([0, 1, 2]))
    name_group(panel.folder, "B", np.array([2, 3]))
    panel.select(2, 3, 50)
    panel.at.selectbox(key="composition_by").set_value("My named groups")
    panel.run()
    (frame,) = [table.value for table in panel.at.dataframe]
    found = frame.set_index("My named groups")
    assert found["Cells selected"].to_dict() == {"B": 2, "A": 1, "in no group": 1}
    assert found["% of this group"].round(1).to_dict() == {"B": 100.0, "A": 33.3, "in no group": 1.8}
    assert isinstance(found, pd.DataFrame)


def test_groups_are_handed_in_for_a_copy_of_the_file(panel: Panel) -> None:
    name_group(panel.folder, "A", np.array([0, 1, 2]))
    panel.run()
    panel.press("export_groups")
    (run,) = RunQueue(Settings.from_env()).database.runs()
    version = read_history(panel.folder).groups["A"].version
    asked = [{key: value for key, value in one.items() if value} for one in run.request["groups"]]
    assert (run.task, run.request["dataset"]) == ("exporting", panel.dataset)
    assert asked == [{"named": "A", "version": version}]


def test_unpacked_rows_are_those_that_were_packed(panel: Panel) -> None:
    panel.select(7, 59)
    panel.press("undo_change")
    panel.press("redo_change")
    (*_, last) = panel.at.session_state[f"given_{panel.folder.name}"]
    assert unpack_rows(last.bits).tolist() == [7, 59]


def test_a_selection_stands_in_the_address_and_opens_elsewhere_as_the_same_cells(panel: Panel) -> None:
    assert panel.link == ""
    panel.select(1, 2, 3)
    first = panel.link
    panel.select(4, 5)
    assert len(panel.link) == len(first) == 12
    assert panel.link != first
    other = Panel(panel.home, panel.dataset, link=first)
    assert other.selected == [1, 2, 3]
    assert other.link == first
    assert other.at.button(key="undo_change").disabled
    other.select(7)
    other.press("undo_change")
    assert (other.selected, other.link) == ([1, 2, 3], first)
    panel.at.query_params["selection"] = first  # the browser is some clicks behind
    panel.run()
    assert panel.selected == [4, 5]
    panel.select()
    assert panel.link == ""


def test_a_selection_of_another_dataset_is_left_out_with_a_word(panel: Panel) -> None:
    other = Panel(panel.home, panel.dataset, link="0123456789ab")
    assert (other.link, "does not have" in other.said) == ("", True)


def test_the_genes_of_selected_cells_are_one_press_away_and_named_once(panel: Panel) -> None:
    panel.select(1, 2)
    panel.at.button(key="selection_genes").click().run()
    assert panel.groups == {"Selected cells": [1, 2]}
