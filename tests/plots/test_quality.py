"""Figures of quality control, by their traces."""

from __future__ import annotations

import numpy as np
import pytest

from scviz.metrics.thresholds import Bounds, Loss
from scviz.plots.quality import MOST_GROUPS, MOST_POINTS, Violin, depth_scatter, losses_figure, violins_figure


def test_a_violin_has_its_thresholds_and_no_others() -> None:
    values = np.array([100.0, 200.0, 400.0, 800.0])
    drawn = violins_figure(
        {
            "Counts": Violin(
                values=values,
                bounds=Bounds(low=150.0),
                suggested=Bounds(low=120.0, high=900.0),
                logarithmic=True,
            ),
            "Mitochondrial (%)": Violin(values=values / 100, bounds=Bounds(), suggested=Bounds()),
        }
    )
    lines = [(trace.name, trace.y[0], trace.line.dash) for trace in drawn.data if trace.fill is None]
    assert lines == [("suggested", 120, "dash"), ("suggested", 900, "dash"), ("threshold", 150, "solid")]
    assert (drawn.layout.yaxis.type, drawn.layout.yaxis2.type) == ("log", None)
    assert (drawn.layout.yaxis.title.text, drawn.layout.yaxis2.title.text) == ("Counts", "Mitochondrial (%)")


def test_a_violin_spans_its_numbers_and_is_widest_where_most_are() -> None:
    values = np.concatenate([np.linspace(0, 1, 50), np.full(200, 0.5), [np.nan]])
    (outline,) = violins_figure({"x": Violin(values=values, bounds=Bounds(), suggested=Bounds())}).data
    heights, widths = np.array(outline.y), np.array(outline.x)
    assert heights.min() > 0
    assert heights.max() < 1
    assert widths.max() == 1
    assert heights[widths.argmax()] == pytest.approx(0.5, abs=0.02)


def test_cells_that_are_all_alike_or_not_there_are_drawn() -> None:
    for values in (np.zeros(3), np.full(2, np.nan)):
        drawn = violins_figure({"x": Violin(values=values, bounds=Bounds(), suggested=Bounds())})
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
    assert [trace.name for trace in drawn.data] == [f"kept: {n_cells - 2:,}", "lost: 2"]
    assert [shape.x0 for shape in drawn.layout.shapes] == [3.0]
    assert drawn.layout.xaxis.type == drawn.layout.yaxis.type == "log"
    return sum(len(trace.x) for trace in drawn.data), drawn.layout.title.text or ""


def test_all_cells_are_drawn_or_it_is_said_how_many() -> None:
    assert scatter(50) == (50, "")
    assert scatter(MOST_POINTS + 5) == (MOST_POINTS, f"{MOST_POINTS:,} of {MOST_POINTS + 5:,} cells drawn")


def test_losses_are_percent_of_each_group() -> None:
    kept, lost = losses_figure((Loss(name="Platelet", n=10, lost=9), Loss(name="T", n=400, lost=100))).data
    assert (list(kept.x), list(lost.x)) == ([10, 75], [90, 25])
    assert list(lost.y) == ["Platelet (10)", "T (400)"]
    assert list(lost.customdata) == [9, 100]


def test_of_many_groups_the_first_are_drawn() -> None:
    many = tuple(Loss(name=f"type {i}", n=10, lost=1) for i in range(MOST_GROUPS + 3))
    assert len(losses_figure(many).data[0].y) == MOST_GROUPS
