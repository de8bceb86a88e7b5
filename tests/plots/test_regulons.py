"""Regulons in types."""

from __future__ import annotations

import numpy as np

from scviz.plots.regulons import regulons_figure


def test_regulons_are_rows_and_types_columns_with_dots_beyond_chance() -> None:
    values = np.array([[0.2, 0.9], [0.4, np.nan]])
    beyond = np.array([[False, True], [False, False]])
    drawn = regulons_figure(values, ["A(+)", "B(+)"], ["1", "2"], title="Specificity (RSS)", beyond=beyond)
    (heat,) = drawn.data
    assert list(heat.y) == ["A(+)", "B(+)"]
    assert list(heat.x) == ["1", "2"]
    assert np.asarray(heat.text).tolist() == [["", "•"], ["", ""]]
    assert heat.colorbar.title.text == "Specificity (RSS)"
    assert drawn.layout.xaxis.title.text == "Known type"
    assert drawn.layout.xaxis.type == "category"
