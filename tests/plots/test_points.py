from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scviz.plots.points import (
    category_codes,
    category_labels,
    category_palette,
    continuous_palette,
    draw_order,
    inside,
    quantize,
    shade,
)
from scviz.plots.raster import picture, png, raster
from scviz.plots.selection import Selection, Shape, digest, read_selection, selected_rows
from scviz.plots.theme import MANY, category_colors, layout, ramp

SQUARE = np.array([[10, 10], [20, 10], [20, 20], [10, 20]], np.uint16)
COORDINATES = arrays(np.float64, (12, 2), elements=st.floats(-1e6, 1e6))


def pack(corners: np.ndarray) -> str:
    return base64.b64encode(corners.astype("<u2").tobytes()).decode()


def shape(op: str, corners: np.ndarray, points: np.ndarray) -> Shape:
    return Shape(op=op, points=digest(points), polygon=pack(corners))  # type: ignore[arg-type]


def test_longer_side_fills_the_map_and_the_shorter_lies_in_its_middle() -> None:
    points = quantize(np.array([[0.0, 0.0], [4.0, 1.0], [2.0, 0.5]]))
    assert points.tolist() == [[1, 24576], [65534, 40959], [32768, 32768]]


@given(COORDINATES)
def test_coordinates_leave_the_outermost_values_to_outlines(xy: np.ndarray) -> None:
    points = quantize(xy)
    assert points.dtype == np.uint16
    assert points.min() >= 1
    assert points.max() <= 65534


@given(COORDINATES)
def test_order_along_an_axis_is_kept(xy: np.ndarray) -> None:
    points = quantize(xy)
    order = np.argsort(xy[:, 0], kind="stable")
    assert np.all(np.diff(points[order, 0].astype(int)) >= 0)


def test_equal_coordinates_lie_in_the_middle() -> None:
    assert quantize(np.ones((3, 2))).tolist() == [[32768, 32768]] * 3


def test_no_cells_give_no_points() -> None:
    assert quantize(np.zeros((0, 2))).shape == (0, 2)


def test_missing_coordinates_are_refused() -> None:
    with pytest.raises(ValueError, match="1 of 2 cells have no finite coordinates"):
        quantize(np.array([[0.0, 1.0], [np.nan, 2.0]]))


def test_three_coordinates_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(N, 2\)"):
        quantize(np.zeros((4, 3)))


def test_equal_limits_do_not_divide_by_zero() -> None:
    assert shade(np.array([1.0, 1.0, 2.0]), 1.0, 1.0).tolist() == [1, 1, 255]


def test_categories_beyond_the_254th_share_a_place_and_a_name() -> None:
    labels = category_labels([f"t{i}" for i in range(300)])
    assert len(labels) == 255
    assert labels[-1] == "other (46 groups)"
    assert category_codes(np.array([299])).tolist() == [255]


def test_palette_of_categories_starts_with_grey_for_missing() -> None:
    palette = category_palette(["#010203", "#040506"])
    assert palette.shape == (256, 4)
    assert palette[0].tolist() == [184, 188, 196, 255]
    assert palette[1:3].tolist() == [[1, 2, 3, 255], [4, 5, 6, 255]]


def test_palette_of_values_runs_from_dark_to_light() -> None:
    palette = continuous_palette()
    assert palette[1].tolist() == [68, 1, 84, 255]
    assert palette[255].tolist() == [253, 231, 37, 255]


def test_ramp_meets_its_anchors() -> None:
    assert ramp(("#000000", "#FFFFFF"), 3).tolist() == [[0, 0, 0], [128, 128, 128], [255, 255, 255]]


@pytest.mark.parametrize("n", [1, 8, 20, 60])
def test_colors_differ_and_begin_alike(n: int) -> None:
    colors = category_colors(n)
    assert len(set(colors)) == n
    assert colors[:20] == list(MANY[:n])


def test_figures_have_no_background_of_their_own_and_text_of_their_page() -> None:
    light, dark = layout(False), layout(True)
    assert light["paper_bgcolor"] == dark["paper_bgcolor"] == "rgba(0,0,0,0)"
    assert light["font"]["color"] != dark["font"]["color"]


def test_high_values_are_drawn_last_and_missing_ones_first() -> None:
    codes = np.array([9, 0, 255, 3], np.uint8)
    assert draw_order(codes, continuous=True).tolist() == [1, 3, 0, 2]


def test_categories_are_drawn_in_random_order_after_missing_cells() -> None:
    codes = np.array([1, 1, 1, 2, 2, 2, 0], np.uint8)
    order = draw_order(codes, continuous=False)
    assert order[0] == 6
    assert sorted(order.tolist()) == list(range(7))
    assert order.tolist() == draw_order(codes, continuous=False).tolist()
    assert order[1:].tolist() != sorted(order[1:].tolist())


def test_cells_within_a_square_are_found() -> None:
    points = np.array([[15, 15], [5, 15], [19, 11], [21, 21]], np.uint16)
    assert inside(SQUARE, points).tolist() == [0, 2]


def test_what_is_enclosed_twice_lies_outside() -> None:
    twice = np.concatenate([SQUARE, SQUARE])
    assert inside(twice, np.array([[15, 15]], np.uint16)).tolist() == []


@given(arrays(np.uint16, (5, 2)), arrays(np.uint16, (30, 2)))
def test_start_of_an_outline_does_not_matter(corners: np.ndarray, points: np.ndarray) -> None:
    turned = np.roll(corners, 2, axis=0)
    assert inside(corners, points).tolist() == inside(turned, points).tolist()


@given(
    arrays(np.uint16, (6, 2), elements=st.integers(0, 9)),
    arrays(np.uint16, (30, 2), elements=st.integers(0, 9)),
)
def test_each_cell_is_counted_by_the_edges_to_its_right(corners: np.ndarray, points: np.ndarray) -> None:
    found = []
    for row, (x, y) in enumerate(points.astype(float)):
        crossings = 0
        for (ax, ay), (bx, by) in zip(
            corners.astype(float), np.roll(corners, 1, axis=0).astype(float), strict=True
        ):
            if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
                crossings += 1
        if crossings % 2:
            found.append(row)
    assert inside(corners, points).tolist() == found


def test_outlines_replace_add_and_subtract() -> None:
    points = np.array([[15, 15], [45, 45], [11, 11], [90, 90]], np.uint16)
    shapes = (
        shape("new", SQUARE + 70, points),
        shape("new", SQUARE, points),
        shape("add", SQUARE + 30, points),
        shape("subtract", SQUARE - 4, points),
    )
    assert selected_rows(Selection(polygons=shapes), points).tolist() == [1]
    assert selected_rows(Selection(polygons=shapes[:3]), points).tolist() == [0, 1, 2]


def test_outlines_of_linked_maps_count_on_their_own_coordinates() -> None:
    points = np.array([[15, 15], [90, 90]], np.uint16)
    other = points[::-1].copy()
    selection = Selection(polygons=(shape("new", SQUARE, points), shape("add", SQUARE, other)))
    assert selected_rows(selection, points, other).tolist() == [0, 1]


def test_outlines_on_coordinates_that_left_the_page_select_nothing() -> None:
    points = np.array([[15, 15], [90, 90]], np.uint16)
    selection = Selection(polygons=(shape("new", SQUARE, points), shape("add", SQUARE, points + 1)))
    assert selected_rows(selection, points).tolist() == []


def test_answer_of_the_browser_becomes_a_selection() -> None:
    row = {"op": "new", "points": "ab", "polygon": pack(SQUARE)}
    selection = read_selection({"points": "ab", "shapes": [row]}, "ab")
    assert selection is not None
    assert selection.polygons[0].corners().tolist() == SQUARE.tolist()


GOOD = {"op": "new", "points": "ab", "polygon": pack(SQUARE)}


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "text",
        {"points": "cd", "shapes": [GOOD]},
        {"points": "ab", "shapes": []},
        {"points": "ab", "shapes": "no list"},
        {"points": "ab", "shapes": [GOOD] * 25},
        {"points": "ab", "shapes": [GOOD, 7]},
        {"points": "ab", "shapes": [{**GOOD, "op": "drop"}]},
        {"points": "ab", "shapes": [{**GOOD, "op": ["new"]}]},
        {"points": "ab", "shapes": [{**GOOD, "polygon": "%%%"}]},
        {"points": "ab", "shapes": [{**GOOD, "polygon": "é"}]},
        {"points": "ab", "shapes": [{**GOOD, "polygon": pack(SQUARE[:2])}]},
        {"points": "ab", "shapes": [{**GOOD, "polygon": pack(np.tile(SQUARE, (51, 1)))}]},
    ],
)
def test_damaged_or_foreign_answers_select_nothing(answer: object) -> None:
    assert read_selection(answer, "ab") is None


def test_most_frequent_category_of_a_pixel_wins() -> None:
    points = np.full((6000, 2), 65535, np.uint16)
    codes = np.repeat(np.array([1, 2], np.uint8), [2000, 4000])
    image = raster(
        np.tile(points, (10, 1)), np.tile(codes, 10), category_palette(2), continuous=False, side=4
    )
    assert image[0, 3].tolist() == [213, 94, 0, 255]
    assert image[2, 2, 3] == 0


def test_values_of_a_pixel_are_averaged_without_missing_ones() -> None:
    points = np.full((60000, 2), 1, np.uint16)
    codes = np.tile(np.array([0, 1, 255], np.uint8), 20000)
    palette = continuous_palette()
    image = raster(points, codes, palette, continuous=True, side=4)
    assert image[3, 0].tolist() == palette[128].tolist()


def test_png_holds_the_pixels() -> None:
    image = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    blob = png(image)
    assert struct.unpack(">II", blob[16:24]) == (3, 2)
    size = struct.unpack(">I", blob[33:37])[0]
    assert zlib.decompress(blob[41 : 41 + size]) == b"".join(b"\0" + line.tobytes() for line in image)


def test_names_in_a_picture_are_text() -> None:
    image = np.zeros((4, 4, 4), np.uint8)
    text = picture(image, category_palette(1), labels=["<script>"], title="Type")
    assert "&lt;script&gt;" in text
    assert "<script>" not in text
