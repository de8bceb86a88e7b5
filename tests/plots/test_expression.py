"""Volcano, dots, violins and heat map: what is drawn, and that files can be made of it."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from scviz.plots.export import draw
from scviz.plots.expression import cells_heatmap, dot_plot, violins_figure
from scviz.plots.volcano import CEILING, WIDEST, volcano_figure

GENES = ["A", "B", "C", "D", "E"]
GROUPS = ("stim", "ctrl")


def volcano(chosen: str = "") -> go.Figure:
    return volcano_figure(
        np.array([2.0, -28.0, 0.1, np.nan, 1.0]),
        np.array([0.0, 1e-20, 0.9, np.nan, 0.01]),
        GENES,
        passing=np.array([True, True, False, False, True]),
        groups=GROUPS,
        chosen=chosen,
    )


def test_a_volcano_cuts_what_no_number_holds_and_leaves_out_untested_genes() -> None:
    drawing = volcano()
    quiet, higher, lower = drawing.data
    assert [list(one.customdata) for one in (quiet, higher, lower)] == [["C"], ["A", "E"], ["B"]]
    np.testing.assert_allclose(higher.y, [CEILING, 2.0], rtol=1e-6)
    np.testing.assert_allclose(lower.x, [-WIDEST])
    assert {note.text for note in drawing.layout.annotations} == {"A", "B", "E"}
    assert "C" in {note.text for note in volcano("C").layout.annotations}


def dots() -> go.Figure:
    means = np.array([[1.0, 0.0], [0.5, 2.0]])
    return dot_plot(means, np.array([[1.0, 0.0], [0.25, 0.5]]), ["A", "B"], groups=GROUPS)


def test_dots_are_as_large_as_the_share_and_as_bright_as_the_mean() -> None:
    (trace,) = dots().data
    assert list(trace.marker.color) == [1.0, 0.0, 0.5, 2.0]
    size = np.asarray(trace.marker.size)
    assert size[0] == size.max()
    assert size[1] == size.min() < size[2] < size[3]


def violins() -> go.Figure:
    rng = np.random.default_rng(0)
    return violins_figure(
        [[rng.random(30), rng.random(20)], [rng.random(30), rng.random(20)]], ["A", "B"], groups=GROUPS
    )


def test_violins_of_a_gene_stand_side_by_side() -> None:
    drawing = violins()
    assert [one.x0 for one in drawing.data] == [0, 1, 3, 4]
    assert [one.showlegend for one in drawing.data] == [True, True, False, False]
    assert list(drawing.layout.xaxis.tickvals) == [0.5, 3.5]


@pytest.mark.parametrize("dark", [False, True])
def test_the_box_of_a_violin_is_seen_on_it(*, dark: bool) -> None:
    drawing = violins_figure([[np.arange(9.0), np.arange(9.0)]], ["A"], groups=GROUPS, dark=dark)
    for one in drawing.data:
        assert one.box.line.color == one.meanline.color == drawing.layout.font.color
        assert one.box.fillcolor not in (None, one.fillcolor)


def heat() -> go.Figure:
    values = np.random.default_rng(0).random((2, 100))
    return cells_heatmap(values, ["A", "B"], np.repeat([0, 1], [60, 40]), groups=GROUPS)


def test_cells_of_a_group_stand_together() -> None:
    drawing = heat()
    assert drawing.data[0].z.shape == (2, 100)
    assert drawing.data[1].x[0] == 59.5
    assert list(drawing.layout.xaxis.tickvals) == [29.5, 79.5]


@pytest.mark.parametrize("make", [volcano, dots, violins, heat])
def test_each_picture_makes_a_file(make: object) -> None:
    assert callable(make)
    assert b"<svg" in draw(make(), "svg", footer="small print")
