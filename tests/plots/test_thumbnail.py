"""Small pictures of results."""

from __future__ import annotations

import struct

import numpy as np

from scviz.plots.points import category_palette
from scviz.plots.thumbnail import SIDE, bars_thumbnail, map_thumbnail


def test_a_small_map_is_as_wide_as_asked_and_as_tall_as_its_cells_reach() -> None:
    coordinates = np.array([[0.0, 0.0], [1.0, 1.0], [np.nan, 0.0]])
    image = map_thumbnail(coordinates, np.array([1, 2, 1], np.uint8), category_palette(2))
    assert image.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", image[16:24])
    assert (width, SIDE - 2 < height <= SIDE) == (SIDE, True)


def test_a_flat_map_leaves_no_room_above_and_below() -> None:
    coordinates = np.array([[0.0, 0.0], [1.0, 0.1]])
    image = map_thumbnail(coordinates, np.array([1, 2], np.uint8), category_palette(2))
    width, height = struct.unpack(">II", image[16:24])
    assert (width, height < SIDE / 4) == (SIDE, True)


def test_a_map_without_a_place_is_empty() -> None:
    image = map_thumbnail(np.full((3, 2), np.nan), np.ones(3, np.uint8), category_palette(1))
    assert image.startswith(b"\x89PNG")


def test_bars_say_their_scores_and_names_are_text() -> None:
    drawn = bars_thumbnail({"model": 0.5, "<b>": 1.5})
    assert ">0.50<" in drawn
    assert "&lt;b&gt;" in drawn
    assert 'width="108.0"' in drawn  # half of what there is room for
    assert 'width="216.0"' in drawn  # a score beyond 1 ends at the edge
