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
from scviz.workspace.groups import read_groups
from tests.conftest import Opened


def drawn() -> None:
    """A page with the questions of a map, that tells what it would draw."""
    import streamlit as st

    from pages.components import state
    from pages.components.cell_filter import cell_filter
    from pages.components.coloring import choose_coloring

    dataset = state.current_dataset()
    assert dataset is not None
    colors, choice = choose_coloring(dataset)
    passes = cell_filter(dataset)
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
