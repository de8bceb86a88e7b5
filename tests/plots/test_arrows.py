"""Arrows on a map, and a number among those of random genes."""

from __future__ import annotations

import numpy as np

from scviz.plots.arrows import arrow_lines, arrows_figure, times_as_long
from scviz.plots.export import draw
from scviz.plots.null_band import intervals_figure, null_figure

PLACES = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 5.0]])


def test_only_cells_that_move_have_an_arrow() -> None:
    after = np.array([[1.0, 0.0], [np.nan, np.nan]])
    figure = arrows_figure(PLACES, PLACES[:2], after)
    everything, edited, arrows = figure.data
    assert (len(everything.x), len(edited.x)) == (3, 2)
    assert np.isfinite(arrows.x).sum() == 5
    assert arrows.name == "where they move (1)"
    assert draw(figure, "svg").startswith(b"<?xml")


def test_an_arrow_ends_in_its_head() -> None:
    before, after = np.array([[0.0, 0.0]]), np.array([[0.0, 10.0]])
    lines = arrow_lines(before, after, longest_head=1.0)
    np.testing.assert_allclose(lines[[0, 1, 3]], [[0, 0], [0, 10], [0, 10]])
    np.testing.assert_allclose(np.linalg.norm(lines[[2, 4]] - after, axis=1), 1.0)
    assert (lines[[2, 4], 1] < 10).all()


def test_short_arrows_are_drawn_longer_and_long_ones_as_they_are() -> None:
    before = PLACES[:1]
    assert times_as_long(PLACES, before, before + np.array([[0.01, 0.0]])) == 20  # 0.4 is wanted
    assert times_as_long(PLACES, before, before + np.array([[3.0, 0.0]])) == 1
    assert times_as_long(PLACES, before, np.full((1, 2), np.nan)) == 1


def test_random_genes_stand_in_their_order_with_the_gene_among_them() -> None:
    figure = null_figure(0.5, "LYZ", [0.3, np.nan, 0.1], names=["B", "C", "A"], title="Moved")
    random, own = figure.data
    assert list(random.text) == ["A", "B"]
    assert list(random.x) == [0.1, 0.3]
    assert set(own.x) == {0.5}
    assert random.name == "2 random genes"
    assert figure.layout.xaxis.title.text == "Moved"


def test_each_name_has_its_mean_interval_and_band() -> None:
    means, intervals, bands = np.array([0.2, 0.4]), np.array([[0.1, 0.3], [0.3, 0.5]]), np.zeros((2, 2))
    figure = intervals_figure(["T", "B"], means, intervals, bands=bands, title="Moved")
    band, interval, mean = figure.data
    assert list(mean.y) == ["T", "B"]
    np.testing.assert_array_equal(interval.x, [0.1, 0.3, np.nan, 0.3, 0.5, np.nan])
    assert len(band.x) == 6
    assert draw(figure, "pdf").startswith(b"%PDF")
