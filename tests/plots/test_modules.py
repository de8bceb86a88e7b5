"""Modules in types, and at several resolutions."""

from __future__ import annotations

import numpy as np

from scviz.plots.modules import LINES, module_scores_figure, stability_figure


def test_modules_are_rows_and_hovering_shows_the_score_itself() -> None:
    drawn = module_scores_figure(
        np.array([[0.0, 1.0]]), np.array([[0.2, 0.4]]), ["Module 1"], types=["B cell", "T cell"]
    )
    (heat,) = drawn.data
    assert list(heat.y) == ["Module 1"]
    assert list(heat.x) == ["B cell", "T cell"]
    np.testing.assert_allclose(heat.customdata, [[0.2, 0.4]], rtol=1e-6)
    assert drawn.layout.xaxis.title.text == "Known type"


def test_the_resolution_of_the_modules_shown_has_another_color() -> None:
    nan = float("nan")
    drawn = stability_figure([0.5, 1.0], [3, 5], [(1.0, 0.9), (0.8, nan), (1.0, 1.0), (0.5, 0.4)], chosen=1.0)
    bars, *lines = drawn.data
    assert list(bars.y) == [3, 5]
    assert bars.marker.color[0] != bars.marker.color[1]
    assert tuple(line.name for line in lines) == LINES
    assert drawn.layout.xaxis2.title.text == "Resolution"
