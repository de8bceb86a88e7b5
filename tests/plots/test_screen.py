"""Figures of a perturbation screen, judged by their traces; and their files."""

from __future__ import annotations

import numpy as np
import pytest

from scviz.plots.export import draw
from scviz.plots.screen import Ranked, cells_figure, change_figure, ranking_figure

OBSERVED, PREDICTED = np.array([0.0, 1.0, -2.0]), np.array([0.1, 0.8, -1.0])


def test_a_change_has_a_point_per_gene_and_names_those_marked() -> None:
    figure = change_figure(OBSERVED, PREDICTED, ["A", "B", "C"], marked=np.array([False, True, True]))
    others, marked, equal = figure.data
    assert (list(others.text), list(marked.text)) == (["A"], ["B", "C"])
    assert list(marked.x) == [1.0, -2.0]
    assert list(marked.y) == pytest.approx([0.8, -1.0])
    assert list(equal.x) == list(equal.y) == [-2.0, 1.0]
    assert {note.text for note in figure.layout.annotations} == {"B", "C"}
    assert figure.layout.xaxis.title.text == "Measured change"
    svg = draw(figure, "svg")
    assert b">B<" in svg
    assert b">20 most changed<" in svg


def test_a_ranking_has_points_means_and_intervals_in_the_order_given() -> None:
    values = [np.array([0.5, 0.7]), np.array([0.1, np.nan])]
    rows = [
        Ranked(name="GEARS", values=values[0], mean=0.6, low=0.5, high=0.7, kind="asked"),
        Ranked(name="Mean", values=values[1], mean=0.1, low=0.0, high=0.2, kind="baseline"),
    ]
    figure = ranking_figure(rows, ["A+B", "C"], title="Correlation")
    points = {trace.name: trace for trace in figure.data if trace.name}
    assert list(points["methods"].x) == [0.6]
    assert list(points["methods"].y) == [0]
    assert list(points["baselines"].error_x.arrayminus) == pytest.approx([0.1])
    assert list(figure.layout.yaxis.ticktext) == ["GEARS", "Mean"]
    assert b">GEARS<" in draw(figure, "svg")


def test_cells_of_a_gene_stand_beside_what_is_predicted() -> None:
    cells = {"control": np.array([0.0, 1.0]), "STAT1": np.array([0.0, 0.0, 0.5])}
    figure = cells_figure(cells, {"GEARS": 0.3, "Linear": 0.2}, title="CXCL10")
    assert [trace.type for trace in figure.data] == ["violin", "violin", "scatter", "scatter"]
    assert list(figure.data[2].y) == [0.3]
    assert list(figure.layout.xaxis.ticktext) == [
        "control\n2 cells",
        "STAT1\n3 cells",
        "predicted\nmean",
    ]
    assert draw(figure, "pdf").startswith(b"%PDF")
