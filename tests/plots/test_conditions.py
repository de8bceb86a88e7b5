"""Figures of two conditions."""

from __future__ import annotations

import numpy as np

from scviz.plots.conditions import (
    changed_genes_figure,
    changes_figure,
    composition_figure,
    donors_figure,
)
from scviz.plots.export import draw

NAMES = ("stim", "ctrl")


def test_bars_of_a_sample_add_up_and_conditions_stand_apart() -> None:
    counts = np.array([[30, 10], [5, 5], [1, 3]])
    figure = composition_figure(
        counts, np.array([0, 0, 1]), ["d1", "d2", "d1"], types=["T", "B"], names=NAMES
    )
    first, second = figure.data
    np.testing.assert_allclose(np.add(first.y, second.y), 100)
    np.testing.assert_allclose(np.asarray(second.base, dtype=float), first.y)
    np.testing.assert_allclose(first.x, [2, 3, 0])
    assert [note.text for note in figure.layout.annotations] == list(NAMES)
    assert draw(figure, "svg").startswith(b"<?xml")


def test_changes_show_intervals_and_leave_out_what_is_not_compared() -> None:
    change = np.array([1.0, np.nan, -0.2])
    figure = changes_figure(
        change,
        change - 0.5,
        change + 0.5,
        types=["T", "B", "NK"],
        passing=np.array([True, False, False]),
        title="Times",
    )
    found = {trace.name: trace for trace in figure.data if trace.name}
    assert list(found["differs"].text) == ["T"]
    np.testing.assert_allclose(found["differs"].error_x.array, 0.5)
    assert list(found["not shown to differ"].text) == ["NK"]
    assert list(figure.layout.yaxis.ticktext) == ["T", "NK"]
    assert "2" in figure.layout.xaxis.ticktext
    assert draw(figure, "png")


def test_two_bars_for_each_type() -> None:
    figure = changed_genes_figure([300, 20], [40, 20], types=["Mono", "B"], n_equal=10)
    everyone, equal = figure.data
    assert (list(everyone.x), list(equal.x)) == ([300, 20], [40, 20])
    assert equal.name == "10 cells in each sample"
    assert draw(figure, "svg")


def test_lines_join_the_means_of_a_donor_and_the_second_condition_stands_left() -> None:
    outlines = np.array([[1.0, 0.2], [0.3, 1.0], [1.0, 0.0]])
    figure = donors_figure(
        np.array([2.0, 0.5, 1.0]),
        np.array([0, 1, 0]),
        ["d1", "d1", "d2"],
        heights=np.array([0.0, 2.0]),
        outlines=outlines,
        names=NAMES,
        title="ISG15",
    )
    lines = [trace for trace in figure.data if trace.name == "mean"]
    assert [list(line.y) for line in lines] == [[0.5, 2.0], [1.0]]
    assert lines[0].x[0] < 0 < lines[0].x[1]
    stim, ctrl = (next(trace for trace in figure.data if trace.name == name) for name in NAMES)
    assert min(stim.x) > 0 > max(ctrl.x)
    assert draw(figure, "pdf")
