"""Figures of quality control, by their traces."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest
from matplotlib.axes import Axes

from scviz.metrics.thresholds import Bounds, Loss
from scviz.plots import export
from scviz.plots.quality import MOST_GROUPS, MOST_POINTS, Violin, depth_scatter, losses_figure, violin_figure
from scviz.plots.theme import rgb

COUNTS = Violin(
    values=np.array([100.0, 200.0, 400.0, 800.0]),
    bounds=Bounds(low=150.0),
    suggested=Bounds(low=120.0, high=900.0),
    logarithmic=True,
)


def alone(values: np.ndarray) -> Violin:
    return Violin(values=values, bounds=Bounds(), suggested=Bounds())


def test_a_violin_has_its_thresholds_and_no_others() -> None:
    drawn = violin_figure("Counts", COUNTS)
    lines = [(trace.name, trace.y[0], trace.line.dash) for trace in drawn.data if trace.fill is None]
    assert lines == [("suggested", 120, "dash"), ("suggested", 900, "dash"), ("threshold", 150, "solid")]
    assert (drawn.layout.yaxis.type, drawn.layout.yaxis.title.text) == ("log", "Counts")
    assert violin_figure("Score", alone(COUNTS.values)).layout.yaxis.type == "linear"


def test_nothing_covers_the_upper_threshold_of_a_violin() -> None:
    bar = violin_figure("Counts", COUNTS).layout.modebar
    assert "zoom2d" in bar.remove
    assert bar.bgcolor == "rgba(0,0,0,0)"  # that of plotly is a gray block


def test_a_violin_spans_its_numbers_and_is_widest_where_most_are() -> None:
    values = np.concatenate([np.linspace(0, 1, 50), np.full(200, 0.5), [np.nan]])
    (outline,) = violin_figure("x", alone(values)).data
    heights, widths = np.array(outline.y), np.array(outline.x)
    assert heights.min() > 0
    assert heights.max() < 1
    assert widths.max() == 1
    assert heights[widths.argmax()] == pytest.approx(0.5, abs=0.02)


def test_cells_that_are_all_alike_or_not_there_are_drawn() -> None:
    for values in (np.zeros(3), np.full(2, np.nan)):
        drawn = violin_figure("x", alone(values))
        assert np.isfinite(np.array(drawn.data[0].x)).all()


def scatter(n_cells: int) -> tuple[int, str]:
    """How many cells are drawn, and what is said of it."""
    counts = np.arange(1.0, n_cells + 1)
    kept = counts > 2
    drawn = depth_scatter(
        {"Counts": (counts, Bounds(low=3.0)), "Genes": (counts, Bounds())},
        np.zeros(n_cells),
        kept,
        color_title="Mitochondrial (%)",
    )
    assert [trace.name for trace in drawn.data] == [f"kept: {n_cells - 2:,}", "lost: 2", "threshold"]
    assert drawn.data[2].x == (3.0, 3.0)
    assert drawn.layout.xaxis.type == drawn.layout.yaxis.type == "log"
    return sum(len(trace.x) for trace in drawn.data[:2]), drawn.layout.title.text or ""


def test_all_cells_are_drawn_or_it_is_said_how_many() -> None:
    assert scatter(50) == (50, "")
    assert scatter(MOST_POINTS + 5) == (MOST_POINTS, f"{MOST_POINTS:,} of {MOST_POINTS + 5:,} cells drawn")


def test_losses_are_percent_of_each_group() -> None:
    kept, lost = losses_figure((Loss(name="Platelet", n=10, lost=9), Loss(name="T", n=400, lost=100))).data
    assert (list(kept.x), list(lost.x)) == ([10, 75], [90, 25])
    assert list(lost.y) == ["Platelet (10)", "T (400)"]
    assert list(lost.customdata) == [9, 100]
    assert list(lost.base) == list(kept.x)


def test_of_many_groups_the_first_are_drawn() -> None:
    many = tuple(Loss(name=f"type {i}", n=10, lost=1) for i in range(MOST_GROUPS + 3))
    assert len(losses_figure(many).data[0].y) == MOST_GROUPS


def test_files_have_the_same_scales_thresholds_and_places(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Axes] = []
    dress = export._dress

    def remembered(axes: Axes, figure: go.Figure) -> None:
        dress(axes, figure)
        seen.append(axes)

    monkeypatch.setattr(export, "_dress", remembered)
    losses = losses_figure((Loss(name="Platelet", n=10, lost=9), Loss(name="T", n=400, lost=100)))
    values = np.array([1.0, 10.0, 100.0])
    depth = {"Counts": (values, Bounds(low=5.0)), "Genes": (values, Bounds())}
    cells = depth_scatter(depth, values, values > 5, color_title="Mitochondrial (%)")
    for figure in (violin_figure("Counts", COUNTS), losses, cells):
        assert export.draw(figure, "svg").startswith(b"<?xml")
    violin, bars, scatter = seen
    assert (violin.get_yscale(), violin.get_xscale()) == ("log", "linear")
    assert [line.get_ydata()[0] for line in violin.lines[1:]] == [120, 900, 150]
    assert [(bar.get_x(), bar.get_width()) for bar in bars.patches] == [(0, 10), (0, 75), (10, 90), (75, 25)]
    assert (scatter.get_xscale(), scatter.get_yscale()) == ("log", "log")
    assert len(scatter.figure.axes) == 2  # one color bar


def test_cells_are_seen_on_a_dark_page() -> None:
    values = np.array([1.0, 10.0, 100.0])
    depth = {"Counts": (values, Bounds()), "Genes": (values, Bounds())}
    drawn = depth_scatter(depth, np.zeros(3), np.ones(3, bool), color_title="Mitochondrial (%)", dark=True)
    assert sum(rgb(drawn.data[0].marker.colorscale[0][1])) > 240
