"""What cells can be colored by, as pages ask for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from anndata import AnnData
from streamlit.testing.v1 import AppTest

from pages.components.color_scale import Scale
from pages.components.coloring import coloring
from scviz.datasets.columns import cell_column
from scviz.datasets.readers import open_file
from scviz.plots.theme import rgb
from scviz.workspace.groups import name_group, read_groups
from tests.conftest import Opened


def drawn() -> None:
    """A page with the questions of a map, that tells what it would draw."""
    import streamlit as st

    from pages.components import state
    from pages.components.cell_filter import cell_filter
    from pages.components.coloring import choose_coloring
    from pages.components.undo import undo_buttons
    from pages.views.explore.color_link import recall_coloring, remember_coloring

    dataset = state.current_dataset()
    assert dataset is not None
    recall_coloring(dataset)
    colors, choice = choose_coloring(dataset)
    remember_coloring(dataset, choice)
    passes = cell_filter(dataset)
    undo_buttons(dataset.id)
    st.text(f"choice {choice}")
    st.text(f"title {colors.look.title}")
    st.text(f"caption {colors.look.caption}")
    st.text(f"codes {sorted(set(colors.codes.tolist()))}")
    st.text(f"palette {colors.look.palette[1:4, :3].tolist()}")
    st.text(f"passes {'all' if passes is None else int(passes.sum())}")


@pytest.fixture
def page(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    import streamlit as st

    monkeypatch.setenv("SCVIZ_HOME", str(opened.workspace.home))
    st.cache_resource.clear()
    st.cache_data.clear()
    return AppTest.from_function(drawn, default_timeout=120).run()


def said(page: AppTest, word: str) -> str:
    assert not page.exception
    (text,) = [one.value for one in page.text if one.value.startswith(f"{word} ")]
    return text.removeprefix(f"{word} ")


def test_a_gene_is_clipped_at_percentiles_and_shown_linear(page: AppTest) -> None:
    page.selectbox(key="color_by").set_value("A gene")
    page.session_state["gene"] = "gene7"
    page.run()
    assert said(page, "title") == "GENE7, log expression"
    assert "seen in" in said(page, "caption")
    page.slider(key="gene_clip").set_value((10.0, 80.0)).run()
    assert said(page, "caption").endswith("colors end at percentiles 10 to 80")
    page.segmented_control(key="gene_log").set_value("linear").run()
    assert said(page, "title") == "GENE7, normalized counts"


@pytest.mark.parametrize(
    ("handles", "ends"),
    [((100.0, 100.0), "99.5 to 100"), ((40.0, 40.0), "40 to 40.5"), ((0.0, 0.0), "0.5")],
)
def test_both_handles_at_one_percentile_leave_a_map_and_a_link(
    page: AppTest, handles: tuple[float, float], ends: str
) -> None:
    page.selectbox(key="color_by").set_value("A gene")
    page.session_state["gene"] = "GENE7"
    page.run()
    page.slider(key="gene_clip").set_value(handles).run()
    assert not page.exception
    assert said(page, "caption").endswith(f" {ends}")
    assert said(linked_to(page), "caption") == said(page, "caption")


def test_an_unknown_gene_leaves_the_map_and_says_so(page: AppTest) -> None:
    page.selectbox(key="color_by").set_value("A gene")
    page.session_state["gene"] = "no such gene"
    page.run()
    assert said(page, "codes") == "[1]"
    assert any("No gene of this dataset is called" in one.value for one in page.caption)


def test_two_genes_share_a_map(page: AppTest) -> None:
    page.selectbox(key="color_by").set_value("Two genes")
    page.session_state["gene"], page.session_state["second_gene"] = "GENE7", "GENE30"
    page.run()
    assert said(page, "title") == "GENE7 and GENE30, log expression"
    assert "both seen in" in said(page, "caption")


def test_a_list_of_genes_is_scored_and_says_how(page: AppTest) -> None:
    page.selectbox(key="color_by").set_value("A set of genes").run()
    page.selectbox(key="set_source").set_value("A list of genes").run()
    page.text_input(key="set_genes").set_value("GENE1, gene2 nobody").run()
    assert said(page, "title") == "Your genes, score_genes"
    assert said(page, "caption").startswith("2 of 3 genes, less ")
    page.segmented_control(key="set_how").set_value("z").run()
    assert said(page, "title") == "Your genes, mean z score"
    assert said(page, "caption").startswith("2 of 3 genes")
    page.text_input(key="set_genes").set_value("nobody").run()
    assert any("none of these genes" in one.value for one in page.error)


def test_a_color_given_by_hand_is_drawn_and_kept(page: AppTest) -> None:
    page.selectbox(key="color_by").set_value("cell_type").run()
    page.selectbox(key="hand_value_cell_type").set_value("NK cell").run()
    page.color_picker[0].set_value("#010203").run()
    assert "[1, 2, 3]" in said(page, "palette")
    page.button(key="hand_reset").click().run()
    assert "[1, 2, 3]" not in said(page, "palette")


def test_filters_count_what_passes_and_become_a_group(page: AppTest, opened: Opened) -> None:
    key = f"filters_{opened.dataset}"
    page.selectbox(key=f"{key}_column").set_value("cell_type").run()
    assert said(page, "passes") == "all"
    page.pills(key=f"filter_{opened.dataset}_category_cell_type").set_value(["B cell", "NK cell"]).run()
    assert said(page, "passes") == "40"
    page.session_state["filter_gene"] = "GENE7"
    page.run()
    slider = page.slider(key=f"filter_{opened.dataset}_gene_GENE7")
    slider.set_value((slider.min + 0.5 * (slider.max - slider.min), slider.max)).run()
    n = int(said(page, "passes"))
    assert 0 < n < 40
    page.button(key="filter_group").click().run()
    (group,) = read_groups(opened.workspace.dataset_folder(opened.dataset)).values()
    assert len(group) == n
    page.button(key="filter_clear").click().run()
    assert said(page, "passes") == "all"


def test_a_filter_names_a_new_group_and_leaves_those_that_are_there(page: AppTest, opened: Opened) -> None:
    folder = opened.workspace.dataset_folder(opened.dataset)
    name_group(folder, "T cells", np.arange(7))
    filter_by_type(page, opened, "B cell")
    assert page.button(key="filter_group").label == "Name the group"
    for taken in ("T cells", "t CELLS"):
        (field,) = [one for one in page.text_input if one.label == "Name of the group"]
        field.set_value(taken)
        page.button(key="filter_group").click().run()
        assert not page.exception
        assert "There is a group “T cells” already" in page.error[0].value
        assert {name: len(rows) for name, rows in read_groups(folder).items()} == {"T cells": 7}
    (field,) = [one for one in page.text_input if one.label == "Name of the group"]
    field.set_value("B cells")
    page.button(key="filter_group").click().run()
    assert {name: len(rows) for name, rows in read_groups(folder).items()} == {"T cells": 7, "B cells": 20}
    assert "Named “B cells”" in page.button(key="undo_change").help
    page.button(key="undo_change").click().run()
    assert list(read_groups(folder)) == ["T cells"]


def test_colors_of_a_file_go_to_the_categories_that_they_belong_to(
    opened: Opened, adata: AnnData, page: AppTest
) -> None:
    del page  # sets the workspace of the pages
    types = adata.obs["cell_type"].to_numpy().astype(object)
    types[:30] = "T cell"  # the last in the alphabet is the most frequent
    adata.obs["cell_type"] = types
    adata.obs["cell_type"] = adata.obs["cell_type"].astype("category")
    colors = ("#0072B2", "#D55E00", "#F0E442")
    adata.uns["cell_type_colors"] = np.array(colors)
    adata.write_h5ad(opened.workspace.home / "colored.h5ad")
    info = open_file(opened.workspace.home / "colored.h5ad", opened.workspace)
    look = coloring(replace(info), "cell_type", "").look
    names = cell_column(opened.workspace.dataset_folder(info.id), "cell_type").categories
    assert tuple(look.labels) == names == ("B cell", "NK cell", "T cell")
    assert [tuple(color) for color in look.palette[1:4, :3].tolist()] == [rgb(color) for color in colors]


def test_ends_of_a_scale_leave_out_what_is_missing() -> None:
    values = np.array([np.nan, *range(101)])
    assert Scale(0.0, 99.0).ends(values) == (0.0, 99.0)
    assert Scale(10.0, 90.0, log=False).ends(values, from_zero=True) == (10.0, 90.0)
    assert Scale(0.0, 100.0).ends(np.array([5.0, 5.0])) == (5.0, 10.0)
    assert Scale(0.0, 99.0).ends(np.array([np.nan])) == (0.0, 1.0)


def filter_by_type(page: AppTest, opened: Opened, *stay: str) -> None:
    """Filter by the type of cell, or change which pass."""
    pills = f"filter_{opened.dataset}_category_cell_type"
    if pills not in [one.key for one in page.pills]:
        page.selectbox(key=f"filters_{opened.dataset}_column").set_value("cell_type").run()
    page.pills(key=pills).set_value(list(stay)).run()


def test_filters_stand_in_the_address_and_are_taken_back_and_done_again(
    page: AppTest, opened: Opened
) -> None:
    filter_by_type(page, opened, "B cell", "NK cell")
    assert '[["category","cell_type",["T cell"]]]' in (
        page.query_params["filters"],
        page.query_params["filters"][0],
    )
    filter_by_type(page, opened, "B cell")
    assert said(page, "passes") == "20"
    for key, passes in (
        *(("undo_change", "40"), ("undo_change", "all"), ("undo_change", "all")),
        *(("redo_change", "all"), ("redo_change", "40"), ("redo_change", "20"), ("undo_change", "40")),
    ):
        page.button(key=key).click().run()
        assert said(page, "passes") == passes
    page.button(key="filter_clear").click().run()
    assert said(page, "passes") == "all"
    assert "filters" not in page.query_params
    page.button(key="undo_change").click().run()
    assert said(page, "passes") == "40"


def test_filters_of_a_link_are_set_and_what_cannot_be_is_said(page: AppTest, opened: Opened) -> None:
    page.query_params["filters"] = (
        '[["category","cell_type",["T cell"]],["gene","gene7",0.5,null],["number","no",1,2]]'
    )
    linked = AppTest.from_function(drawn, default_timeout=120)
    linked.query_params["filters"] = page.query_params["filters"]
    linked.run()
    assert 0 < int(said(linked, "passes")) < 40
    assert any("do not have" in one.value for one in linked.toast)
    assert linked.button(key="undo_change").disabled
    broken = AppTest.from_function(drawn, default_timeout=120)
    broken.query_params["filters"] = '[["gene"'
    broken.run()
    assert said(broken, "passes") == "all"
    assert any("cannot be read" in one.value for one in broken.toast)


@pytest.mark.parametrize(
    ("twice", "passes"),
    [
        ('["category","cell_type",["B cell"]],["category","cell_type",["T cell"]]', "40"),
        ('["gene","gene7",0.5,null],["gene","GENE7",null,null]', "all"),
    ],
)
def test_a_link_that_filters_twice_by_one_thing_filters_once(page: AppTest, twice: str, passes: str) -> None:
    linked = linked_to(page, filters=f"[{twice}]")
    assert said(linked, "passes") == passes
    assert any("more than once" in one.value for one in linked.toast)


def linked_to(page: AppTest, **changes: str) -> AppTest:
    """The page as somebody else opens it by the address of this one."""
    other = AppTest.from_function(drawn, default_timeout=120)
    said = {name: value if isinstance(value, str) else value[0] for name, value in page.query_params.items()}
    other.query_params.update(said | changes)
    return other.run()


LOOKS = ("choice", "title", "caption", "codes", "palette")


def test_a_link_restores_one_gene_and_two_and_their_scale(page: AppTest) -> None:
    page.selectbox(key="color_by").set_value("A gene")
    page.session_state["gene"] = "GENE7"
    page.run()
    page.slider(key="gene_clip").set_value((10.0, 80.0)).run()
    page.segmented_control(key="gene_log").set_value("linear").run()
    other = linked_to(page)
    assert [said(other, word) for word in LOOKS] == [said(page, word) for word in LOOKS]
    page.selectbox(key="color_by").set_value("Two genes")
    page.session_state["second_gene"] = "GENE30"
    page.run()
    other = linked_to(page)
    assert said(other, "title") == "GENE7 and GENE30, normalized counts"
    assert [said(other, word) for word in LOOKS] == [said(page, word) for word in LOOKS]


def test_a_link_restores_a_set_a_number_and_a_column(page: AppTest) -> None:
    page.selectbox(key="color_by").set_value("A set of genes").run()
    page.selectbox(key="set_source").set_value("A list of genes").run()
    page.text_input(key="set_genes").set_value("GENE1, gene2").run()
    page.segmented_control(key="set_how").set_value("z").run()
    page.slider(key="set_clip").set_value((20.0, 90.0)).run()
    other = linked_to(page)
    assert said(other, "title") == "Your genes, mean z score"
    assert [said(other, word) for word in LOOKS] == [said(page, word) for word in LOOKS]
    page.selectbox(key="color_by").set_value("percent_mt").run()
    page.slider(key="number_percent_mt_clip").set_value((0.0, 50.0)).run()
    other = linked_to(page)
    assert [said(other, word) for word in LOOKS] == [said(page, word) for word in LOOKS]
    assert "score" not in page.query_params
    page.selectbox(key="color_by").set_value("donor").run()
    assert "scale" not in page.query_params
    assert said(linked_to(page), "choice") == "donor"


@pytest.mark.parametrize("color", ["no such column", "set:program:none", "set:run:../..:x", "set:", "genes:"])
def test_a_coloring_of_nothing_is_left_out_with_a_word(page: AppTest, color: str) -> None:
    other = linked_to(page, color=color, scale="1,2,3,4", score="?", colors="?")
    assert not other.exception
    assert color == "genes:" or any("not to be had" in one.value for one in other.toast)
