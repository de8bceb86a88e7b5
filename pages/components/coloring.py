"""Colors of cells: by a column of the file, by a gene, by named groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from pages.components import state
from pages.components.cell_map import MapLook
from pages.components.first_map import finished_overview
from pages.components.show import escaped
from scviz.datasets.columns import cell_column, gene_matches, gene_values
from scviz.plots.points import category_codes, category_palette, continuous_palette, shade
from scviz.plots.theme import category_colors, clarity
from scviz.workspace import DatasetInfo
from scviz.workspace.groups import read_groups
from scviz.workspace.records import read_array

CLUSTERS = "Clusters"
GENE = "A gene"
GROUPS = "My named groups"
NOTHING = "Nothing"

CLEAR = 10.0
"""Distance of two colors (CIELAB) at which they are told apart in a legend."""
PERCENTILE = 99
"""The darkest color stands for this percentile of the cells that express the gene."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coloring:
    """One place in the palette for each cell of the dataset, and what it means."""

    codes: NDArray[np.uint8]
    """(N,) places in the palette."""
    look: MapLook


def choices(dataset: DatasetInfo) -> list[str]:
    """List what cells can be colored by: known types first, nothing last."""
    columns = (
        dataset.columns_of("label"),
        dataset.columns_of("batch"),
        dataset.columns_of("category", "number"),
    )
    named = [GROUPS] if read_groups(state.workspace().dataset_folder(dataset.id)) else []
    found = [clusters_word(dataset)] if finished_overview(dataset.id) else []
    return [*columns[0], *found, GENE, *named, *columns[1], *columns[2], NOTHING]


def clusters_word(dataset: DatasetInfo) -> str:
    """Call the clusters of the first map, also where the file has a column of that name."""
    taken = any(column.name == CLUSTERS for column in dataset.columns)
    return f"{CLUSTERS} found here" if taken else CLUSTERS


def choose_coloring(dataset: DatasetInfo, more: Mapping[str, Coloring] | None = None) -> tuple[Coloring, str]:
    """Offer columns and genes to color by, and what else is given by its name; a gene in the address comes first.

    There is always a coloring, so that a map never leaves the page, and its selection with it, while a gene is typed.

    Returns
    -------
    The coloring, of one color when no gene is named yet; and the choice.
    """
    more = more or {}
    wanted = state.asked("gene")
    if wanted:
        state.preset("color_by", GENE)
        state.preset("gene", wanted)
    row = st.columns([3, 3, 6], vertical_alignment="bottom")
    choice = row[0].selectbox("Color by", [*choices(dataset), *more], key="color_by")
    if choice in more:
        return more[choice], choice
    if choice == GENE:
        return coloring(dataset, choice, _gene(dataset, *row[1:])), choice
    own = _own_colors(dataset, choice)
    if own:
        clear = _are_clear(own)
        chosen = row[1].toggle(
            "Colors of the file",
            clear,
            key=f"file_colors_{dataset.id}_{choice}",
            help="" if clear else "Some of them look alike to those who tell red from green with difficulty.",
        )
        return _by_column(dataset.id, choice, own=chosen), choice
    return coloring(dataset, choice, ""), choice


def _own_colors(dataset: DatasetInfo, choice: str) -> tuple[str, ...]:
    """Return the colors that the file gives the values of a column; none for other choices."""
    column = next((one for one in dataset.columns if one.name == choice), None)
    return column.colors if column is not None and len(column.colors) == len(column.values) else ()


def _are_clear(colors: tuple[str, ...]) -> bool:
    """Tell whether the colors of a file are told apart as well as those that would stand for them."""
    return clarity(colors) >= min(CLEAR, clarity(category_colors(len(colors))))


def _gene(dataset: DatasetInfo, typed: DeltaGenerator, found: DeltaGenerator) -> str:
    """Ask for a gene; empty while none of the dataset is named."""
    text = typed.text_input("Gene", placeholder="Symbol or Ensembl id, such as CD3D", key="gene").strip()
    matches = gene_matches(state.workspace().dataset_folder(dataset.id), text) if text else []
    exact = next((name for name in matches if name.upper() == text.upper()), "")
    if exact:
        return exact
    if matches:
        return str(found.selectbox(f"{len(matches)} genes match", matches, key="gene_match"))
    words = f"No gene of this dataset is called {escaped(text)}. Try another symbol, or an Ensembl id."
    found.caption(words if text else "Type a gene to color the cells by it.")
    return ""


def coloring(dataset: DatasetInfo, choice: str, gene: str) -> Coloring:
    """Color the cells; all alike when a gene is wanted and none is named."""
    if choice == GROUPS:
        return by_groups(dataset)
    if choice == GENE and gene:
        return _by_gene(dataset.id, gene)
    overview = finished_overview(dataset.id) if choice == clusters_word(dataset) else None
    if overview is not None:
        return _by_clusters(overview.id, overview.ended)
    if choice in (GENE, NOTHING):
        return _alike(dataset.n_cells)
    return _by_column(dataset.id, choice, own=_are_clear(_own_colors(dataset, choice)))


@st.cache_resource(max_entries=8)
def _alike(n_cells: int) -> Coloring:
    look = MapLook(palette=category_palette(1), labels=("cells",))
    return Coloring(codes=_frozen(np.ones(n_cells, dtype=np.uint8)), look=look)


@st.cache_resource(max_entries=64)
def _by_gene(dataset: str, gene: str) -> Coloring:
    rows, values = gene_values(state.workspace().dataset_folder(dataset), gene)
    n_cells = state.workspace().dataset(dataset).n_cells
    high = float(np.percentile(values, PERCENTILE)) if len(values) else 1.0
    codes = np.ones(n_cells, dtype=np.uint8)
    codes[rows] = shade(values, 0.0, high)
    share = f"seen in {len(rows):,} of {n_cells:,} cells"
    look = MapLook(
        palette=continuous_palette(), scale=(0.0, high), title=f"{gene}, log expression", caption=share
    )
    return Coloring(codes=_frozen(codes), look=look)


@st.cache_resource(max_entries=32)
def _by_column(dataset: str, name: str, *, own: bool) -> Coloring:
    info = state.workspace().dataset(dataset)
    column = cell_column(state.workspace().dataset_folder(dataset), name)
    values, names = column.values, column.categories
    if names is None:
        low, high = np.nanpercentile(values, [1, PERCENTILE]) if np.isfinite(values).any() else (0.0, 1.0)
        look = MapLook(palette=continuous_palette(), scale=(float(low), float(high)), title=name)
        return Coloring(codes=_frozen(shade(values, float(low), float(high))), look=look)
    colors = info.column(name).colors if own else ()
    if len(colors) != len(names):
        colors = tuple(category_colors(len(names)))
    look = MapLook(palette=category_palette(colors), labels=names, title=name, missing="no label")
    return Coloring(codes=_frozen(category_codes(values)), look=look)


@st.cache_resource(max_entries=8)
def _by_clusters(run_id: str, ended: float) -> Coloring:  # noqa: ARG001 - a run that was resumed ended anew
    clusters = read_array(state.workspace().run_folder(run_id) / "result", "clusters")
    names = tuple(f"cluster {number + 1}" for number in range(int(clusters.max(initial=-1)) + 1))
    look = MapLook(
        palette=category_palette(len(names)), labels=names, title=CLUSTERS, missing="without counts"
    )
    return Coloring(codes=_frozen(category_codes(clusters)), look=look)


def by_groups(dataset: DatasetInfo) -> Coloring:
    """Color the groups that the user has named; a cell in several has the color of the last."""
    groups = read_groups(state.workspace().dataset_folder(dataset.id))
    positions = np.full(dataset.n_cells, -1)
    for position, rows in enumerate(groups.values()):
        positions[rows] = position
    look = MapLook(
        palette=category_palette(len(groups)), labels=tuple(groups), title=GROUPS, missing="in no group"
    )
    return Coloring(codes=category_codes(positions), look=look)


def _frozen(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    codes.flags.writeable = False
    return codes
