"""A page with maps of simulated cells, for the browser tests."""

from __future__ import annotations

import os

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.components.cell_map import MapLook, PairScale, cell_map, map_legend
from scviz.plots.pairs import pair_codes, pair_palette
from scviz.plots.points import category_codes, category_palette, continuous_palette, quantize, shade
from scviz.plots.selection import selected_rows

N_CELLS = int(os.environ.get("MAP_CELLS", "100000"))
N_TYPES = int(os.environ.get("MAP_TYPES", "12"))
COPIES = int(os.environ.get("MAP_COPIES", "1"))
PAIR = os.environ.get("MAP_PAIR") == "1"


@st.cache_resource
def simulated(
    n_cells: int, n_types: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Make cell types as clouds: (N,) types, (N, 2) coordinates, (N,) values."""
    rng = np.random.default_rng(1)
    types = (
        rng.integers(0, n_types, n_cells)
        if n_cells < 1000
        else rng.choice(n_types, n_cells, p=_shares(n_types))
    )
    centers, widths = rng.normal(0, 5, (n_types, 2)), rng.uniform(0.3, 1.1, (n_types, 2))
    xy = centers[types] + rng.normal(0, 1, (n_cells, 2)) * widths[types]
    values = np.maximum(0, rng.normal(0, 0.4, n_cells) + (types % 4) + xy[:, 0] / 8)
    values[:: max(2, n_cells // 500)] = np.nan
    return types, xy, values


def _shares(n_types: int) -> NDArray[np.float64]:
    """Shares of cell types, the first ones large."""
    weights = 1 / np.arange(1, n_types + 1) ** 0.7
    return weights / weights.sum()


st.set_page_config(layout="wide")
types, xy, values = simulated(N_CELLS, N_TYPES)
color_by = st.selectbox("Color by", ["Cell type", "Donor", "INS", "INS and GCG"], key="color_by")
points = quantize(xy)
caption = f"UMAP of simulated cells · {N_CELLS:,} cells"
if color_by == "INS":
    codes, look = (
        shade(values, 0.0, 4.0),
        MapLook(
            palette=continuous_palette(),
            scale=(0.0, 4.0),
            title="INS, log1p",
            missing="not measured",
            caption=caption,
        ),
    )
elif color_by == "INS and GCG":
    shares = np.nan_to_num(values / 4), np.abs(np.sin(xy[:, 0]))
    codes = pair_codes(*shares)
    pair = PairScale(names=("INS", "GCG"), scales=((0.0, 4.0), (0.0, 1.0)))
    look = MapLook(palette=pair_palette(), pair=pair, title="INS and GCG, log1p", caption=caption)
else:
    n = N_TYPES if color_by == "Cell type" else 3
    labels = [f"Type {i} <b>cells</b>" for i in range(n)] if color_by == "Cell type" else ["D1", "D2", "D3"]
    positions = types if color_by == "Cell type" else np.arange(N_CELLS) % 3
    codes = category_codes(positions)
    look = MapLook(palette=category_palette(n), labels=labels, title=color_by, caption=caption)

names = [f"CELL-{i}" for i in range(N_CELLS)] if N_CELLS <= 1000 else None
if PAIR:
    turned = quantize(np.stack([xy[:, 1], np.sin(xy[:, 0])], axis=1))
    passes = values > 1 if st.checkbox("Express INS", key="filtered") else None
    map_legend("legend", "pair")
    left, right = st.columns(2)
    with left:
        first = cell_map(
            "left", points, codes, look=look, height=480, names=names, group="pair", passes=passes
        )
    with right:
        second = cell_map(
            "right", turned, codes, look=look, height=480, names=names, group="pair", passes=passes
        )
    selection = first or second
    rows = selected_rows(selection, points, turned) if selection else np.empty(0, dtype=np.int64)
    rows = rows if passes is None else rows[passes[rows]]
else:
    selection = cell_map("map", points, codes, look=look, height=520, names=names)
    rows = selected_rows(selection, points) if selection else []
for i in range(1, COPIES):
    cell_map(f"map{i}", points, codes, look=look, height=300)
st.text(f"The server sees {len(rows)} cells.")
