"""Figures, judged by their traces; and their files."""

from __future__ import annotations

import numpy as np
import pytest

from scviz.plots.confusion import confusion_figure, row_shares, similar_order
from scviz.plots.curves import loss_figure
from scviz.plots.distribution import distribution_figure
from scviz.plots.export import draw
from scviz.plots.map_file import draw_map
from scviz.plots.overlap import overlap_figure
from scviz.plots.points import category_palette, continuous_palette
from scviz.plots.scores import scores_figure

COUNTS = np.array([[8, 0, 2], [0, 5, 0], [4, 0, 6]])


def test_types_taken_for_each_other_stand_side_by_side() -> None:
    places = similar_order(COUNTS).tolist()
    assert abs(places.index(0) - places.index(2)) == 1


def test_rows_add_up_to_one() -> None:
    assert row_shares(COUNTS).sum(axis=1) == pytest.approx(1)
    assert row_shares(np.zeros((2, 2), dtype=np.int64)).sum() == 0


def test_the_confusion_matrix_shows_shares_and_keeps_the_counts() -> None:
    figure = confusion_figure(COUNTS, ["A", "B", "C"], show="counts")
    (trace,) = figure.data
    at = {name: i for i, name in enumerate(trace.y)}
    assert list(trace.x) == list(trace.y)
    assert trace.z[at["A"]][at["C"]] == 2
    assert trace.text[at["A"]][at["C"]] == "2"
    assert trace.colorbar.title.text == "Cells"
    assert trace.zmax == 8
    assert list(trace.customdata[at["C"]][at["A"]]) == [4, 40]
    assert figure.layout.xaxis.title.text == "Named by the model"
    assert figure.layout.yaxis.title.text == "Known type"


def test_shares_have_a_color_bar_in_percent() -> None:
    (trace,) = confusion_figure(COUNTS, ["A", "B", "C"], show="percent").data
    at = {name: i for i, name in enumerate(trace.y)}
    assert trace.z[at["A"]][at["C"]] == pytest.approx(20)
    assert trace.text[at["A"]][at["C"]] == "20"
    assert (trace.colorbar.title.text, trace.zmax) == ("% of true type", 100)


def test_a_distribution_has_a_line_for_each_method_that_adds_up_to_all_cells() -> None:
    values = {"a": np.array([0.1, 0.2, 0.9, np.nan]), "b": np.array([0.5, 0.5])}
    figure = distribution_figure(values, title="Correlation")
    assert [trace.name for trace in figure.data] == ["a", "b"]
    assert [sum(trace.y) for trace in figure.data] == pytest.approx([100, 100])
    assert figure.layout.xaxis.title.text == "Correlation"
    assert figure.layout.legend.orientation == "h", "long names take no room from the lines"
    assert figure.layout.yaxis.title.text == "Cells (%)"
    assert draw(figure, "svg").startswith(b"<?xml")


def test_the_overlap_of_methods_is_written_in_its_squares_and_can_be_saved() -> None:
    overlap = np.array([[1, 0.25, np.nan], [0.25, 1, 0.5], [np.nan, 0.5, 1]])
    figure = overlap_figure(overlap, ["a", "b", "c"])
    (trace,) = figure.data
    assert list(trace.x) == list(trace.y) == ["a", "b", "c"]
    assert [list(row) for row in trace.text] == [
        ["1.00", "0.25", ""],
        ["0.25", "1.00", "0.50"],
        ["", "0.50", "1.00"],
    ]
    assert trace.colorbar.title.text == "overlap (Jaccard)"
    assert b"0.25" in draw(figure, "svg")


def test_the_loss_curve_has_training_and_validation() -> None:
    figure = loss_figure([1, 2], [0.9, 0.5], [2], validation_losses=[0.6])
    assert [trace.name for trace in figure.data] == ["training cells", "validation cells"]
    assert list(figure.data[0].y) == [0.9, 0.5]


def test_the_loss_curve_has_the_guess_as_a_level_line() -> None:
    figure = loss_figure(
        [1, 2], [0.9, 0.5], [1, 2], validation_losses=[1.1, 0.6], unit="passes over the cells", baseline=0.8
    )
    line = figure.data[-1]
    assert (line.name, list(line.x), list(line.y)) == ("frequency baseline", [0, 2], [0.8, 0.8])
    assert figure.layout.xaxis.title.text == "Training (passes over the cells)"


def test_scores_have_one_trace_per_method() -> None:
    figure = scores_figure({"model": [0.5, 1.0], "baseline": [0.4, 0.9]}, ["B", "T"], title="F1")
    assert [trace.name for trace in figure.data] == ["model", "baseline"]
    assert list(figure.data[1].x) == [0.4, 0.9]


@pytest.mark.parametrize(("kind", "start"), [("svg", b"<?xml"), ("pdf", b"%PDF"), ("png", b"\x89PNG")])
@pytest.mark.parametrize(
    "figure",
    [
        confusion_figure(COUNTS, ["A", "B", "C"]),
        loss_figure([1, 2], [0.9, 0.5], [], validation_losses=[]),
        scores_figure({"model": [0.5, 1.0]}, ["B", "T"], title="F1"),
    ],
    ids=["confusion", "loss", "scores"],
)
def test_every_figure_becomes_a_file_of_each_kind(figure: object, kind: str, start: bytes) -> None:
    assert draw(figure, kind, footer="demo data").startswith(start)


@pytest.mark.parametrize(("kind", "start"), [("svg", b"<?xml"), ("pdf", b"%PDF"), ("png", b"\x89PNG")])
def test_a_map_becomes_a_file_with_its_legend(kind: str, start: bytes) -> None:
    points = np.array([[0, 0], [9, 9], [30, 5]], dtype=np.uint16)
    codes = np.array([1, 2, 0], dtype=np.uint8)
    labels = draw_map(
        points, codes, category_palette(3), kind=kind, labels=("B", "NK", "absent"), title="cell type"
    )
    assert labels.startswith(start)
    if kind == "svg":
        assert b"NK" in labels
        assert b"absent" not in labels
    values = draw_map(points, codes, continuous_palette(), kind=kind, scale=(0.0, 2.5), title="CD3D")
    assert values.startswith(start)


def test_text_in_an_svg_stays_text() -> None:
    file = draw(confusion_figure(COUNTS, ["CD4 T", "B", "NK"]), "svg", footer="demo data")
    assert b"CD4 T" in file
    assert b"demo data" in file
