"""Figures of enriched gene sets, judged by their traces; and their files."""

from __future__ import annotations

import numpy as np
import pytest

from scviz.plots.enrichment import LONGEST, bars_figure, dots_figure
from scviz.plots.export import Kind, draw

NAMES = [
    "Interferon",
    "Ribosome",
    "A very long name of a gene set that nobody could read on an axis of a figure",
]


def test_bars_tell_enriched_sets_from_others_and_from_the_best_of_random_genes() -> None:
    values, passing = np.array([9.0, 3.0, 1.0]), np.array([True, True, False])
    figure = bars_figure(values, NAMES, passing, title="-log10 p", bar=2.5, bar_words="random")
    first, other, line = figure.data
    assert (list(first.x), list(other.x), list(line.x)) == ([9, 3], [1], [2.5, 2.5])
    assert line.name == "random"
    assert figure.layout.xaxis.title.text == "-log10 p"
    assert len(figure.layout.yaxis.ticktext[2]) == LONGEST


def test_scores_below_zero_have_no_line() -> None:
    values = np.array([2.0, -1.5, 0.5])
    figure = bars_figure(values, NAMES, values > 1, title="NES", dark=True)
    assert {trace.type for trace in figure.data} == {"bar"}


def test_dots_show_the_share_beside_that_of_random_genes() -> None:
    figure = dots_figure(
        np.array([0.5, 0.2, 0.1]),
        np.array([0.1, 0.15, 0.1]),
        np.array([20, 5, 1]),
        sureness=np.array([9.0, 2, 0]),
        names=NAMES,
    )
    random, own = figure.data
    assert list(random.x) == [0.1, 0.15, 0.1]
    assert list(own.x) == [0.5, 0.2, 0.1]
    assert own.marker.size[0] > own.marker.size[1] > own.marker.size[2]
    assert list(own.marker.color) == [9, 2, 0]


@pytest.mark.parametrize(("kind", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_they_are_drawn_as_files(kind: Kind, start: bytes) -> None:
    passing = np.array([True, False, False])
    bars = bars_figure(np.array([3.0, -2, 1]), NAMES, passing, title="x", bar=1, bar_words="random")
    dots = dots_figure(
        np.array([0.5, 0, 1]),
        np.array([0.1, 0, 0]),
        np.array([2, 0, 1]),
        sureness=np.array([1.0, 0, 2]),
        names=NAMES,
    )
    for figure in (bars, dots):
        assert draw(figure, kind, footer="cells").startswith(start)
    assert b"-log10 FDR" in draw(dots, "svg")
