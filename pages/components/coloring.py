"""Colors of cells: by a column of the file, by genes, by a set of genes, by named groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from pages.components import state
from pages.components.cell_map import Coloring as Coloring
from pages.components.cell_map import MapLook, PairScale, alike
from pages.components.color_scale import LINEAR, LOG, Scale, choose_scale
from pages.components.first_map import finished_overview
from pages.components.gene_search import gene_search
from pages.components.hand_colors import choose_colors
from pages.components.set_coloring import by_gene_set
from scviz.datasets.columns import cell_column, gene_values
from scviz.plots.pairs import pair_codes, pair_palette
from scviz.plots.points import category_codes, category_palette, continuous_palette, shade
from scviz.plots.theme import category_colors, clarity
from scviz.workspace import DatasetInfo
from scviz.workspace.colors import read_colors
from scviz.workspace.groups import read_groups
from scviz.workspace.records import read_array

CLUSTERS = "Clusters"
GENE = "A gene"
TWO_GENES = "Two genes"
GENE_SET = "A set of genes"
GROUPS = "My named groups"
NOTHING = "Nothing"

CLEAR = 10.0
"""Distance of two colors (CIELAB) at which they are told apart in a legend."""
OF_GENES = Scale()
"""To begin with: the brightest color stands for percentile 99 of the cells that express the gene."""
OF_NUMBERS = Scale(1.0, 99.0, log=False)
EXPRESSING = "the cells that express the gene"


def choices(dataset: DatasetInfo) -> list[str]:
    """List what cells can be colored by: known types first, nothing last."""
    columns = (
        dataset.columns_of("label"),
        dataset.columns_of("batch"),
        dataset.columns_of("category", "number"),
    )
    named = [GROUPS] if read_groups(state.workspace().dataset_folder(dataset.id)) else []
    found = [clusters_word(dataset)] if finished_overview(dataset.id) else []
    return [*columns[0], *found, GENE, TWO_GENES, GENE_SET, *named, *columns[1], *columns[2], NOTHING]


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
    row = list(st.columns([3, 3, 3, 2], vertical_alignment="bottom"))
    choice = row[0].selectbox("Color by", [*choices(dataset), *more], key="color_by")
    if choice in more:
        return more[choice], choice
    if choice == GENE_SET:
        return by_gene_set(dataset, row[1:]), choice
    if choice in (GENE, TWO_GENES):
        return _genes(dataset, row[1:], two=choice == TWO_GENES), choice
    return _column(dataset, choice, row[1:]), choice


def _genes(dataset: DatasetInfo, row: list[DeltaGenerator], *, two: bool) -> Coloring:
    """Ask for one gene or two, and for their scale."""
    with row[0]:
        first = gene_search(dataset, "gene", label="Gene, blue" if two else "Gene")
    second = ""
    if two:
        with row[1]:
            second = gene_search(dataset, "second_gene", label="Second gene, orange")
    scale = choose_scale(row[2] if two else row[1], "gene", first=OF_GENES, log=True, of=EXPRESSING)
    if first and second:
        return _by_two_genes(dataset.id, first, second, scale=scale)
    return _by_gene(dataset.id, first, scale=scale) if first else alike(dataset.n_cells)


def _column(dataset: DatasetInfo, choice: str, row: list[DeltaGenerator]) -> Coloring:
    """Ask how the values of a column are colored."""
    if choice in (GROUPS, NOTHING, clusters_word(dataset)):
        return coloring(dataset, choice, "")
    kind = _kind(dataset.id, choice)
    if kind != "category":
        key, log = f"number_{choice}", kind == "positive"
        scale = choose_scale(row[0], key, first=OF_NUMBERS, log=log, of="all cells with a value")
        return _by_number(dataset.id, choice, scale=scale)
    own, chosen = _own_colors(dataset, choice), True
    if own:
        clear = _are_clear(own)
        chosen = row[0].toggle(
            "Colors of the file",
            clear,
            key=f"file_colors_{dataset.id}_{choice}",
            help="" if clear else "Some of them look alike to those who tell red from green with difficulty.",
        )
    colors = _by_category(dataset, choice, own=chosen)
    drawn = {name: _hex(colors.look.palette[at]) for at, name in enumerate(colors.look.labels[:254], start=1)}
    if drawn:
        folder = state.workspace().dataset_folder(dataset.id)
        choose_colors(row[1] if own else row[0], folder, choice, drawn=drawn)
    return colors


def _own_colors(dataset: DatasetInfo, choice: str) -> tuple[str, ...]:
    """Return the colors that the file gives the values of a column; none for other choices."""
    column = next((one for one in dataset.columns if one.name == choice), None)
    return column.colors if column is not None and len(column.colors) == len(column.values) else ()


def _are_clear(colors: tuple[str, ...]) -> bool:
    """Tell whether the colors of a file are told apart as well as those that would stand for them."""
    return clarity([color[:7] for color in colors]) >= min(CLEAR, clarity(category_colors(len(colors))))


def _hex(color: NDArray[np.uint8]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color[:3].tolist())


def coloring(dataset: DatasetInfo, choice: str, gene: str) -> Coloring:
    """Color the cells; all alike when a gene is wanted and none is named."""
    if choice == GROUPS:
        return by_groups(dataset)
    if choice == GENE and gene:
        return _by_gene(dataset.id, gene, scale=OF_GENES)
    overview = finished_overview(dataset.id) if choice == clusters_word(dataset) else None
    if overview is not None:
        return _by_clusters(overview.id, overview.ended)
    if choice in (GENE, TWO_GENES, GENE_SET, NOTHING):
        return alike(dataset.n_cells)
    if _kind(dataset.id, choice) != "category":
        return _by_number(dataset.id, choice, scale=OF_NUMBERS)
    own = _own_colors(dataset, choice)
    return _by_category(dataset, choice, own=bool(own) and _are_clear(own))


@st.cache_resource(max_entries=64)
def _by_gene(dataset: str, gene: str, *, scale: Scale) -> Coloring:
    rows, values, high = _expression(dataset, gene, scale)
    n_cells = state.workspace().dataset(dataset).n_cells
    low = scale.ends(values, from_zero=True)[0]
    codes = np.ones(n_cells, dtype=np.uint8)
    codes[rows] = shade(values, low, high)
    share = f"seen in {len(rows):,} of {n_cells:,} cells"
    look = MapLook(
        palette=continuous_palette(),
        scale=(low, high),
        title=f"{gene}, {_unit(scale)}",
        caption=share if scale == OF_GENES else " · ".join(part for part in (share, scale.words) if part),
    )
    return Coloring(codes=_frozen(codes), look=look)


def _expression(
    dataset: str, gene: str, scale: Scale
) -> tuple[NDArray[np.int32], NDArray[np.float32], float]:
    """Read a gene: rows and values, (K,) each, of the cells that express it, and the value of the last color."""
    rows, values = gene_values(state.workspace().dataset_folder(dataset), gene)
    values = values if scale.log else np.expm1(values)
    return rows, values, scale.ends(values, from_zero=True)[1]


def _unit(scale: Scale) -> str:
    return "log expression" if scale.log else "normalized counts"


@st.cache_resource(max_entries=16)
def _by_two_genes(dataset: str, first: str, second: str, *, scale: Scale) -> Coloring:
    n_cells = state.workspace().dataset(dataset).n_cells
    shares: list[NDArray[np.float32]] = []
    ends: list[tuple[float, float]] = []
    seen: list[NDArray[np.int32]] = []
    for gene in (first, second):
        rows, values, high = _expression(dataset, gene, scale)
        low = scale.ends(values, from_zero=True)[0]
        share = np.zeros(n_cells, dtype=np.float32)
        share[rows] = (values - low) / (high - low)
        shares.append(share)
        ends.append((low, high))
        seen.append(rows)
    both = len(np.intersect1d(seen[0], seen[1], assume_unique=True))
    look = MapLook(
        palette=pair_palette(),
        pair=PairScale(names=(first, second), scales=(ends[0], ends[1])),
        title=f"{first} and {second}, {_unit(scale)}",
        caption=f"both seen in {both:,} of {n_cells:,} cells",
    )
    return Coloring(codes=_frozen(pair_codes(shares[0], shares[1])), look=look)


@st.cache_data(max_entries=64)
def _kind(dataset: str, name: str) -> Literal["category", "positive", "number"]:
    """Tell what a column holds: categories, numbers none of which is below zero, or any numbers."""
    column = cell_column(state.workspace().dataset_folder(dataset), name)
    if column.categories is not None:
        return "category"
    return "positive" if np.nanmin(column.values, initial=np.inf) >= 0 else "number"


@st.cache_resource(max_entries=32)
def _by_number(dataset: str, name: str, *, scale: Scale) -> Coloring:
    values = np.asarray(cell_column(state.workspace().dataset_folder(dataset), name).values, dtype=np.float64)
    shown = np.log1p(values) if scale.log else values
    low, high = scale.ends(shown)
    title = f"{name}, {LOG} of 1 + value" if scale.log else name
    caption = (
        "" if scale == OF_NUMBERS else f"{LOG if scale.log else LINEAR} scale, {scale.words}".rstrip(", ")
    )
    look = MapLook(palette=continuous_palette(), scale=(low, high), title=title, caption=caption)
    return Coloring(codes=_frozen(shade(shown, low, high)), look=look)


def _by_category(dataset: DatasetInfo, name: str, *, own: bool) -> Coloring:
    """Color by categories; colors that were given by hand go before all others."""
    by_hand = read_colors(state.workspace().dataset_folder(dataset.id)).get(name, {})
    return _categories(dataset.id, name, own=own, by_hand=tuple(sorted(by_hand.items())))


@st.cache_resource(max_entries=32)
def _categories(dataset: str, name: str, *, own: bool, by_hand: tuple[tuple[str, str], ...]) -> Coloring:
    column = cell_column(state.workspace().dataset_folder(dataset), name)
    names = column.categories or ()
    info = state.workspace().dataset(dataset).column(name)
    of_file = dict(zip(info.values, info.colors, strict=False)) if own and info.colors else {}
    colors = dict(zip(names, category_colors(len(names)), strict=True)) | of_file | dict(by_hand)
    palette = category_palette([colors[one][:7] for one in names])
    look = MapLook(palette=palette, labels=names, title=name, missing="no label")
    return Coloring(codes=_frozen(category_codes(column.values)), look=look)


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
