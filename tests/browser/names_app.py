"""A page with two linked maps of a small dataset and the panel of its named groups, for the browser tests."""

from __future__ import annotations

import os
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import streamlit as st
from scipy.sparse import csr_matrix

from pages.components import state
from pages.components.cell_map import MapLook, cell_map
from pages.components.selecting import given_on
from pages.views.explore.selection import show_selection
from scviz.datasets.readers import open_file
from scviz.plots.points import category_codes, category_palette, quantize
from scviz.plots.selection import selected_rows

N_CELLS = 600
TYPES = ("B cell", "T cell", "Monocyte")


@st.cache_resource
def opened() -> str:
    """Open simulated cells of three types; return the id of the dataset."""
    rng = np.random.default_rng(0)
    types = pd.Categorical([TYPES[i % 3] for i in range(N_CELLS)])
    cells = anndata.AnnData(
        X=csr_matrix(rng.poisson(1.0, (N_CELLS, 30)).astype(np.float32)),
        obs=pd.DataFrame({"cell_type": types}, index=[f"CELL{i}" for i in range(N_CELLS)]),
        var=pd.DataFrame(index=[f"GENE{i}" for i in range(30)]),
    )
    path = Path(os.environ["SCVIZ_HOME"]) / "data" / "cells.h5ad"
    state.workspace()
    cells.write_h5ad(path)
    return open_file(path, state.workspace(), name="cells").id


st.set_page_config(layout="wide")
st.page_link = lambda *_, **__: None  # type: ignore[assignment]  # there are no other pages to link to
dataset = state.workspace().dataset(opened())
types = np.arange(N_CELLS) % 3
rng = np.random.default_rng(1)
rows = np.arange(20, N_CELLS)  # the first cells are on no map
xy = (np.array([[0.0, 0.0], [6.0, 0.0], [0.0, 6.0]])[types] + rng.normal(0, 1, (N_CELLS, 2)))[rows]
first, second = quantize(xy), quantize(xy[:, ::-1])
look = MapLook(palette=category_palette(3), labels=TYPES, title="cell_type", legend=False)
given = given_on(dataset, rows)
left, right = st.columns(2)
with left:
    one = cell_map("left", first, category_codes(types[rows]), look=look, height=380, group="g", given=given)
with right:
    two = cell_map(
        "right", second, category_codes(types[rows]), look=look, height=380, group="g", given=given
    )
selection = one or two
chosen = rows[selected_rows(selection, first, second)] if selection else np.empty(0, dtype=np.int64)
show_selection(dataset, chosen)
