from __future__ import annotations

import numpy as np

from scviz.plots.map_file import draw_map
from scviz.plots.pairs import BOTH, FIRST, LEVELS, NEITHER, SECOND, pair_codes, pair_palette
from scviz.plots.theme import clarity, rgb


def test_every_pair_of_levels_has_a_place_of_its_own() -> None:
    share = np.linspace(0, 1, LEVELS)
    first, second = (grid.ravel() for grid in np.meshgrid(share, share))
    codes = pair_codes(first, second)
    assert sorted(codes.tolist()) == list(range(1, LEVELS**2 + 1))


def test_values_beyond_the_scale_are_at_its_ends_and_missing_ones_at_none() -> None:
    codes = pair_codes(np.array([-1.0, 5.0, np.nan, 0.0]), np.array([0.0, 5.0, 0.0, np.nan]))
    assert codes.tolist() == [1, LEVELS**2, 0, 0]


def test_corners_of_the_palette_are_the_named_colors() -> None:
    palette = pair_palette()
    for first, second, color in ((0, 0, NEITHER), (1, 0, FIRST), (0, 1, SECOND), (1, 1, BOTH)):
        place = int(pair_codes(np.array([float(first)]), np.array([float(second)]))[0])
        assert tuple(palette[place, :3].tolist()) == rgb(color)


def test_corners_are_told_apart_without_red_or_green_cones_and_on_both_pages() -> None:
    for page in ("#FFFFFF", "#14181D"):
        assert clarity((page, NEITHER, FIRST, SECOND, BOTH)) > 20


def test_a_file_of_two_genes_names_both_with_their_ranges() -> None:
    points = np.array([[1, 1], [9, 9]], dtype=np.uint16)
    codes = np.array([1, 225], dtype=np.uint8)
    file = draw_map(points, codes, pair_palette(), kind="svg", pair=("CD3E, 0 to 2.1", "MS4A1, 0 to 3"))
    assert b"CD3E, 0 to 2.1" in file
    assert b"MS4A1, 0 to 3" in file
