"""Figures of confidence, of abstaining and of new types, by their traces."""

from __future__ import annotations

import numpy as np

from scviz.metrics.calibration import equal_mass, reliability
from scviz.plots.calibration import abstaining_figure, novelty_figure, reliability_figure
from scviz.plots.confusion import confusion_figure


def test_a_reliability_curve_stands_beside_its_diagonal() -> None:
    confidence, right = np.linspace(0.3, 1, 40), np.arange(40) % 3 > 0
    curve = reliability(confidence, right, equal_mass(confidence, 10))
    figure = reliability_figure({"calibrated": curve, "before": curve})
    assert [trace.name for trace in figure.data] == ["confidence is right", "calibrated", "before"]
    assert list(figure.data[1].y) == curve.accuracy.tolist()
    assert sum(figure.data[1].customdata) == 40


def test_thresholds_without_a_name_have_no_point() -> None:
    nothing = float("nan")
    figure = abstaining_figure(
        np.array([1.0, 0.5, 0.0]),
        np.array([0.8, 0.9, nothing]),
        np.array([[0.7, 0.85], [nothing, nothing], [nothing, nothing]]),
        thresholds=np.array([0.0, 0.5, 0.9]),
    )
    band, line = figure.data
    assert list(line.x) == [1.0, 0.5]
    assert list(band.y) == [0.7, 0.85]


def test_each_type_left_out_has_a_point_for_each_thing_read() -> None:
    nothing = float("nan")
    values = [(0.9, 0.8, 0.95), (0.6, nothing, nothing)]
    figure = novelty_figure({"the model": values, "principal components": values}, ["B cell", "T cell"])
    assert [list(trace.x) for trace in figure.data] == [[0.9, 0.6]] * 2
    assert figure.data[0].error_x.array[1] == 0


def test_squares_that_can_be_clicked_have_a_point_each() -> None:
    counts = np.array([[8, 2], [1, 9]])
    plain = confusion_figure(counts, ["B cell", "T cell"])
    figure = confusion_figure(counts, ["B cell", "T cell"], clickable=True)
    assert len(plain.data) == 1
    points = figure.data[1]
    found = {(y, x): n[0] for x, y, n in zip(points.x, points.y, points.customdata, strict=True)}
    assert found == {
        ("B cell", "B cell"): 8,
        ("B cell", "T cell"): 2,
        ("T cell", "B cell"): 1,
        ("T cell", "T cell"): 9,
    }
